-- has_citus()
SELECT count(*) > 0 AS has_citus FROM pg_catalog.pg_extension WHERE extname = 'citus';
