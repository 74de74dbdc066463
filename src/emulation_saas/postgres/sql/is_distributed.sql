-- is_distributed()
-- Asked only where Citus is.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_dist_partition WHERE logicalrelid = to_regclass('public.log_head')
) AS is_distributed;
