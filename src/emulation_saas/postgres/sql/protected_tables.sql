-- protected_tables()
-- Every table of the service, who owns it, whether its row security holds, and what the service's own
-- roles may do to it, were it to one column of it. Anybody may ask.
SELECT
    spaces.nspname || '.' || tables.relname AS name,
    pg_catalog.pg_get_userbyid(tables.relowner) AS owner,
    tables.relrowsecurity AS is_enabled,
    tables.relforcerowsecurity AS is_forced,
    pg_catalog.has_any_column_privilege('emulation_app', tables.oid, 'SELECT') AS app_may_read,
    pg_catalog.has_any_column_privilege('emulation_app', tables.oid, 'UPDATE')
    OR pg_catalog.has_table_privilege('emulation_app', tables.oid, 'DELETE, TRUNCATE') AS app_may_rewrite,
    pg_catalog.has_any_column_privilege('emulation_keys', tables.oid, 'UPDATE')
    OR pg_catalog.has_table_privilege('emulation_keys', tables.oid, 'DELETE, TRUNCATE') AS keys_may_rewrite
FROM pg_catalog.pg_class AS tables
INNER JOIN pg_catalog.pg_namespace AS spaces ON tables.relnamespace = spaces.oid
WHERE spaces.nspname IN ('public', 'sealing') AND tables.relkind IN ('r', 'p')
ORDER BY name;
