-- unfinished_indexes()
-- What interrupted builds left behind, each with the statement that removes it.
SELECT pg_catalog.format('DROP INDEX CONCURRENTLY IF EXISTS %s', built.indexrelid::regclass) AS removal
FROM pg_catalog.pg_index AS built
INNER JOIN pg_catalog.pg_class AS relation ON built.indexrelid = relation.oid
WHERE NOT built.indisvalid AND relation.relnamespace IN ('public'::regnamespace, to_regnamespace('sealing'));
