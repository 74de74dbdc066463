-- lines_after(province_id, position, through, events_each)
-- Blocks of so many events each, in order: how many they are, the last one's position, and their bytes one behind the
-- other, a line each. The caller asserts that no position is missing.
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
            string_agg(events.body, '\x0a'::bytea ORDER BY events.position) AS lines
        FROM events
        WHERE
            events.province_id = $1
            AND events.position > starts.after
            AND events.position <= least(starts.after + $4, $3)
    ) AS block
ORDER BY starts.number;
