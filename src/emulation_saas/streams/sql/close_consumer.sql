-- close_consumer(province_id, name)
-- With its cursor.
WITH closed AS (DELETE FROM consumers WHERE province_id = $1 AND name = $2)

DELETE FROM cursors WHERE province_id = $1 AND kind = 'consumer' AND name = $2;
