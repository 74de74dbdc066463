-- record_migration(name, sha256)
INSERT INTO public.schema_migrations (name, sha256) VALUES ($1, $2);
