-- position_at(province_id, instant)
-- The last position recorded at or before the instant, 0 if none: recorded_at never decreases, so halving finds it. The
-- middle is a column of its own: arithmetic in the join would not be leakproof, and row security would read every event.
WITH RECURSIVE halving (low, high, middle) AS (
    SELECT 0::bigint, head.position, (head.position + 1) / 2 FROM log_head AS head WHERE head.province_id = $1
    UNION ALL
    SELECT half.low, half.high, (half.low + half.high + 1) / 2
    FROM halving
    INNER JOIN events AS tried ON tried.province_id = $1 AND tried.position = halving.middle
    CROSS JOIN
        LATERAL (
            SELECT
                CASE WHEN tried.recorded_at <= $2 THEN tried.position ELSE halving.low END AS low,
                CASE WHEN tried.recorded_at <= $2 THEN halving.high ELSE tried.position - 1 END AS high
        ) AS half
    WHERE halving.low < halving.high
)

SELECT low AS position FROM halving WHERE low = high;
