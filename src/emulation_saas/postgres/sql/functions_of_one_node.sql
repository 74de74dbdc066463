-- functions_of_one_node()
-- Functions that belong to a province run where its rows are, within transactions too: those whose first argument is
-- p_province.
SELECT
    routine.oid::regprocedure::text AS name,
    pg_catalog.format(
        'SELECT create_distributed_function(%L, ''p_province'', ''log_head'', force_delegation => true)',
        routine.oid::regprocedure
    ) AS spreading
FROM pg_catalog.pg_proc AS routine
WHERE
    routine.pronamespace = 'public'::regnamespace
    AND routine.proargnames[1] = 'p_province'
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_dist_object AS spread
        WHERE
            spread.classid = 'pg_catalog.pg_proc'::regclass
            AND spread.objid = routine.oid
            AND spread.distribution_argument_index IS NOT NULL
    )
ORDER BY name;
