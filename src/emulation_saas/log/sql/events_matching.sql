-- events_matching(province_id, position, through, tag_items, item_tags, type_items, item_types, row_limit)
-- Events that match one of several items: all tags of the item, and one of its types where it has any. Items come
-- flattened: one row for each tag and one for each type. An item must have a tag or a type. Each position found is
-- looked up by itself: how many there are is guessed too high by far, and a join would read the whole log for ten events.
WITH allowed AS (
    SELECT
        each.item,
        array_agg(each.type) AS types
    FROM unnest($6::int[], $7::text[]) AS each (item, type)
    GROUP BY each.item
),

wanted AS (
    SELECT
        each.item,
        each.tag,
        allowed.types,
        count(*) OVER (PARTITION BY each.item) AS tags
    FROM unnest($4::int[], $5::text[]) AS each (item, tag)
    LEFT JOIN allowed ON each.item = allowed.item
),

matched AS (
    SELECT tagged.position
    FROM wanted
    INNER JOIN event_tags AS tagged
        ON
            tagged.province_id = $1
            AND tagged.tag = wanted.tag
            AND tagged.position > $2
            AND tagged.position <= $3
    WHERE wanted.types IS NULL OR tagged.type = ANY(wanted.types)
    GROUP BY wanted.item, wanted.tags, tagged.position
    HAVING count(*) = wanted.tags
    UNION
    SELECT typed.position
    FROM unnest($6::int[], $7::text[]) AS each (item, type)
    INNER JOIN events AS typed
        ON
            typed.province_id = $1
            AND typed.type = each.type
            AND typed.position > $2
            AND typed.position <= $3
    WHERE each.item <> ALL($4::int[])
)

SELECT found.position, found.type, found.body
FROM matched
CROSS JOIN
    LATERAL (
        SELECT stored.position, stored.type, stored.body
        FROM events AS stored
        WHERE stored.province_id = $1 AND stored.position = matched.position
        ORDER BY stored.position
        LIMIT 1
    ) AS found
ORDER BY found.position
LIMIT $8;
