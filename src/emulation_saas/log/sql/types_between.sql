-- types_between(province_id, first, last)
-- Which types of events there are in a span. The types of the log are few: from one to the next by the index, and then
-- whether the span has one, is quicker than to look at each of its events.
WITH RECURSIVE kinds AS (
    (
        SELECT events.type
        FROM events
        WHERE events.province_id = $1
        ORDER BY events.type
        LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT events.type
        FROM events
        WHERE events.province_id = $1 AND events.type > kinds.type
        ORDER BY events.type
        LIMIT 1
    ) AS type
    FROM kinds
    WHERE kinds.type IS NOT NULL
)

SELECT kinds.type
FROM kinds
WHERE
    kinds.type IS NOT NULL
    AND (
        SELECT events.position
        FROM events
        WHERE events.province_id = $1 AND events.type = kinds.type AND events.position >= $2
        ORDER BY events.position
        LIMIT 1
    ) <= $3;
