-- protecting_policies()
-- What each policy of row security lets which role see and write. Anybody may ask.
SELECT
    schemaname || '.' || tablename AS table_name,
    policyname AS name,
    permissive || ' ' || cmd || ' TO ' || array_to_string(roles, ',') AS kind,
    coalesce(qual, '') AS shows,
    coalesce(with_check, '') AS takes
FROM pg_catalog.pg_policies
WHERE schemaname IN ('public', 'sealing')
ORDER BY table_name, name;
