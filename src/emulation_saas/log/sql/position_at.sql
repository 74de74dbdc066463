-- position_at(province_id, instant)
-- The last position recorded at or before the instant, 0 if none: recorded_at never decreases, so halving finds it.
WITH RECURSIVE halving (low, high) AS (
    SELECT 0::bigint, head.position FROM log_head AS head WHERE head.province_id = $1
    UNION ALL
    SELECT
        CASE WHEN middle.recorded_at <= $2 THEN middle.position ELSE halving.low END,
        CASE WHEN middle.recorded_at <= $2 THEN halving.high ELSE middle.position - 1 END
    FROM halving
    INNER JOIN events AS middle
        ON middle.province_id = $1 AND middle.position = (halving.low + halving.high + 1) / 2
    WHERE halving.low < halving.high
)

SELECT low AS position FROM halving WHERE low = high;
