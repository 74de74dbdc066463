-- begin_migrating()
CREATE TABLE IF NOT EXISTS public.schema_migrations (
    name text CONSTRAINT schema_migrations_applied_once PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
