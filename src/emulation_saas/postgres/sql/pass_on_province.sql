-- pass_on_province()
-- SET LOCAL emulation.province must reach the node that holds the province; without it row security refuses everything.
SELECT pg_catalog.format('ALTER DATABASE %I SET citus.propagate_set_commands = ''local''', current_database());
