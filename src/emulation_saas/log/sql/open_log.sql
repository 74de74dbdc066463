-- open_log(province_id, recorded_at, frontier, root, type, body, leaf_hash, tags)
-- Position 1 and the head that stands on it, in the transaction that registered the province.
WITH head AS (
    INSERT INTO log_head (province_id, position, recorded_at, frontier, root) VALUES ($1, 1, $2, $3, $4)
),

opened AS (
    INSERT INTO events (province_id, position, type, recorded_at, body, leaf_hash) VALUES ($1, 1, $5, $2, $6, $7)
)

INSERT INTO event_tags (province_id, tag, position, type)
SELECT $1, opening.tag, 1, $5
FROM unnest($8::text[]) AS opening (tag);
