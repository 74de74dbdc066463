-- events_after(province_id, position, through, row_limit)
-- In order. The caller asserts that no position is missing.
SELECT position, type, body
FROM events
WHERE province_id = $1 AND position > $2 AND position <= $3
ORDER BY position
LIMIT $4;
