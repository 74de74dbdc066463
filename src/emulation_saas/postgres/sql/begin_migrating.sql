-- begin_migrating()
-- One migrator at a time: the next waits here, without the role's short lock timeout, until the session ends.
SET lock_timeout = 0;
SELECT pg_catalog.pg_advisory_lock(pg_catalog.hashtextextended('emulation_saas.migrations', 0));
RESET lock_timeout;
SET ROLE emulation_owner;
CREATE TABLE IF NOT EXISTS public.schema_migrations (
    name text CONSTRAINT schema_migrations_applied_once PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
