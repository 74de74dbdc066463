-- lines_after(province_id, position, through, row_limit, bytes_max)
-- The bytes of events one behind the other, a line each, in order; of none when they would be more bytes than wanted,
-- unless one event is asked for. The caller asserts that no position is missing.
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
) AS following
WHERE $5 >= CASE
    WHEN $4 > 1
        THEN (
            SELECT sum(octet_length(measured.body))
            FROM (
                SELECT body
                FROM events
                WHERE province_id = $1 AND position > $2 AND position <= $3
                ORDER BY position
                LIMIT $4
            ) AS measured
        )
    ELSE 0
END;
