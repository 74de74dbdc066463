-- is_distributed()
-- Asked only where Citus is.
SELECT count(*) > 0 AS is_distributed
FROM pg_catalog.pg_dist_partition
WHERE logicalrelid = to_regclass('public.log_head');
