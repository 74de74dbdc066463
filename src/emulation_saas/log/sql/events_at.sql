-- events_at(province_id, positions)
-- In order; those that do not exist are missing.
SELECT position, type, body
FROM events
WHERE province_id = $1 AND position = ANY($2::bigint[])
ORDER BY position;
