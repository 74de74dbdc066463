-- lines_after(province_id, position, through, row_limit)
-- The bytes of events one behind the other, a line each, in order. The caller asserts that no position is missing.
SELECT
    count(*) AS events,
    max(position) AS last,
    string_agg(body, '\x0a'::bytea ORDER BY position) AS lines
FROM (
    SELECT position, body
    FROM events
    WHERE province_id = $1 AND position > $2 AND position <= $3
    ORDER BY position
    LIMIT $4
) AS following;
