-- entries_after(province_id, position, through, row_limit, bytes_max)
-- What is stored of each event, in order, until one reaches so many bytes. The caller asserts that no position is missing.
SELECT
    position,
    type,
    recorded_at,
    body,
    leaf_hash
FROM (
    SELECT
        position,
        type,
        recorded_at,
        body,
        leaf_hash,
        sum(octet_length(body)) OVER (ORDER BY position ROWS UNBOUNDED PRECEDING) AS bytes
    FROM events
    WHERE province_id = $1 AND position > $2 AND position <= $3
    ORDER BY position
    LIMIT $4
) AS found
WHERE bytes - octet_length(body) < $5
ORDER BY position;
