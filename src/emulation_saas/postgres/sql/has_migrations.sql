-- has_migrations()
SELECT to_regclass('public.schema_migrations') IS NOT NULL AS has_migrations;
