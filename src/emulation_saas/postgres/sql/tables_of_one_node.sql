-- tables_of_one_node()
-- Tables not spread yet, each with the statement that does it: log_head by province_id, the others beside it. The
-- registry, which alone has no row security, is kept whole on every node; the migrations' own record stays where it is.
SELECT
    relation.oid::regclass::text AS name,
    CASE
        WHEN relation.relrowsecurity
            THEN
                pg_catalog.format(
                    'SELECT create_distributed_table(%L, ''province_id'', colocate_with => %L)',
                    relation.oid::regclass,
                    CASE WHEN relation.relname = 'log_head' THEN 'none' ELSE 'log_head' END
                )
        ELSE pg_catalog.format('SELECT create_reference_table(%L)', relation.oid::regclass)
    END AS spreading
FROM pg_catalog.pg_class AS relation
WHERE
    relation.relkind = 'r'
    AND relation.relnamespace IN ('public'::regnamespace, 'sealing'::regnamespace)
    AND relation.relname <> 'schema_migrations'
    AND NOT pg_catalog.relation_is_a_known_shard(relation.oid)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_dist_partition AS spread WHERE spread.logicalrelid = relation.oid)
ORDER BY relation.relname <> 'log_head', relation.relname;
