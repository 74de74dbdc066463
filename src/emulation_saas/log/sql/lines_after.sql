-- lines_after(province_id, position, through, events_each, event_bytes_max)
-- Blocks of so many events each, in order: how many they are, the last one's position, and their bytes one behind the
-- other, a line each; NULL for these where one of them is larger. The caller asserts that no position is missing.
SELECT
    block.events,
    block.last,
    block.lines
FROM generate_series($2::bigint, $3::bigint - 1, $4::bigint) WITH ORDINALITY AS starts (after, number)
CROSS JOIN
    LATERAL (
        SELECT
            count(*) AS events,
            max(events.position) AS last,
            CASE
                WHEN max(octet_length(events.body)) <= $5
                    THEN
                        string_agg(events.body, '\x0a'::bytea ORDER BY events.position)
                        FILTER (WHERE octet_length(events.body) <= $5)
            END AS lines
        FROM events
        WHERE
            events.province_id = $1
            AND events.position > starts.after
            AND events.position <= least(starts.after + $4, $3)
    ) AS block
ORDER BY starts.number;
