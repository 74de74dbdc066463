-- The roles of the service and what they may do before there is any table.
--
-- Run once per database by a superuser, connected to that database, before `emulation-saas migrate`; running it again
-- changes nothing. On the embedded database the launcher does it. Then give each login role a password, for instance
-- with psql's \password, and put them into a passfile for the service:
--
--   createdb --encoding=UTF8 --template=template0 emulation
--   psql --dbname=emulation --file=roles.sql
--
-- emulation_owner    owns every object; nobody logs in as it
-- emulation_migrate  becomes the owner, for migrations only
-- emulation_app      the service: owns nothing, cannot bypass row security
-- emulation_keys     the schema of the personal keys, nothing else
-- emulation_heads    reads the heads of all logs, nothing else
-- emulation_backup   copies the whole server (base backups, a stream of WAL) and may connect to no database

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'emulation_owner', 'emulation_migrate', 'emulation_app', 'emulation_keys', 'emulation_heads',
        'emulation_backup'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I', wanted);
        END IF;
    END LOOP;
END
$$;

ALTER ROLE emulation_owner NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
ALTER ROLE emulation_migrate LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
ALTER ROLE emulation_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
ALTER ROLE emulation_keys LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
ALTER ROLE emulation_heads LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
ALTER ROLE emulation_backup LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE REPLICATION;

-- NOINHERIT above: the migrator acts as the owner only after it has said SET ROLE.
GRANT emulation_owner TO emulation_migrate;

-- A lost worker must not hold a lock, and with it a province, for longer than a caller waits.
ALTER ROLE emulation_app SET statement_timeout = '30s';
ALTER ROLE emulation_app SET lock_timeout = '5s';
ALTER ROLE emulation_app SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE emulation_keys SET statement_timeout = '30s';
ALTER ROLE emulation_keys SET lock_timeout = '5s';
ALTER ROLE emulation_keys SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE emulation_heads SET statement_timeout = '30s';
ALTER ROLE emulation_heads SET lock_timeout = '5s';
ALTER ROLE emulation_heads SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE emulation_heads SET default_transaction_read_only = on;
-- A migration may rewrite a table, but must not queue for a lock while all writers queue behind it; it tries again.
ALTER ROLE emulation_migrate SET statement_timeout = '1h';
ALTER ROLE emulation_migrate SET lock_timeout = '2s';
ALTER ROLE emulation_migrate SET idle_in_transaction_session_timeout = '5min';
-- A schema that is lost is made again, so it waits for no standby, which may come up later than the service.
ALTER ROLE emulation_migrate SET synchronous_commit = local;

DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I OWNER TO emulation_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO emulation_migrate, emulation_app, emulation_keys, emulation_heads',
        current_database()
    );
END
$$;

ALTER SCHEMA public OWNER TO emulation_owner;
REVOKE ALL ON SCHEMA public FROM public;
GRANT USAGE ON SCHEMA public TO emulation_app, emulation_heads;

-- New functions would otherwise be callable by everybody.
ALTER DEFAULT PRIVILEGES FOR ROLE emulation_owner REVOKE EXECUTE ON FUNCTIONS FROM public;
