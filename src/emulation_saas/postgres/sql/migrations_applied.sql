-- migrations_applied()
SELECT name, sha256 FROM public.schema_migrations ORDER BY name;
