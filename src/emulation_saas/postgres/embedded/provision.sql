-- provision: run by psql as superuser on database postgres, each time the roles' text has changed. Repeatable.
-- Passwords come by the environment, which others cannot read, as they can a command line.
-- :roles is the path of roles.sql.
-- A server that is restored has its database; if it bears another name, an empty one beside it would pass for it.
SELECT 'CREATE DATABASE emulation TEMPLATE template0' WHERE NOT :'is_restored'::boolean AND NOT EXISTS (
    SELECT FROM pg_database WHERE datname = 'emulation'
) \gexec
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
\connect emulation
\i :roles
\getenv migrate_password PASSWORD_OF_EMULATION_MIGRATE
\getenv app_password PASSWORD_OF_EMULATION_APP
\getenv keys_password PASSWORD_OF_EMULATION_KEYS
\getenv heads_password PASSWORD_OF_EMULATION_HEADS
\getenv backup_password PASSWORD_OF_EMULATION_BACKUP
\getenv superuser_password PASSWORD_OF_POSTGRES
ALTER ROLE emulation_migrate PASSWORD :'migrate_password';
ALTER ROLE emulation_app PASSWORD :'app_password';
ALTER ROLE emulation_keys PASSWORD :'keys_password';
ALTER ROLE emulation_heads PASSWORD :'heads_password';
ALTER ROLE emulation_backup PASSWORD :'backup_password';
-- After a restore nobody knows the one that came with it.
ALTER ROLE postgres PASSWORD :'superuser_password';
