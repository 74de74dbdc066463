-- take_turn()
-- Whether this session migrates from here on until it ends: one at a time.
SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended('emulation_saas.migrations', 0)) AS is_taken;
