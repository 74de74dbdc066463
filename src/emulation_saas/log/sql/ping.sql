-- ping()
-- Whether the database answers; touches no province_id.
SELECT 1 AS answer;
