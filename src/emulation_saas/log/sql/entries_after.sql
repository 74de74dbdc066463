-- entries_after(province_id, position, through, row_limit)
-- What is stored of each event, in order. The caller asserts that no position is missing.
SELECT position, type, recorded_at, body, leaf_hash
FROM events
WHERE province_id = $1 AND position > $2 AND position <= $3
ORDER BY position
LIMIT $4;
