-- settings_for_citus()
-- The statements that make this database's sessions fit for it. SET LOCAL emulation.province must reach the node that
-- holds the province: without it row security refuses everything. And hiding shards from psql would make the driver
-- look for 5 s at each new type, which happens on every new connection.
SELECT pg_catalog.format('ALTER DATABASE %I SET %s = %L', current_database(), setting.name, setting.value) AS setting_it
FROM
    (
        VALUES
        ('citus.propagate_set_commands', 'local'),
        ('citus.override_table_visibility', 'off')
    ) AS setting (name, value);
