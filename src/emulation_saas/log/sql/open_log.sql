-- open_log(province_id, recorded_at, frontier, root, type, body, leaf_hash, tags)
-- Position 1 and the head that stands on it, in the transaction that registered the province. Nothing is written, and
-- nothing given back, if the caller's clock is more than 2 s from the database's: it would drag the log with it.
WITH head AS (
    INSERT INTO log_head (province_id, position, recorded_at, frontier, root)
    SELECT $1, 1, $2::timestamptz, $3, $4
    WHERE abs(extract(EPOCH FROM $2::timestamptz - clock_timestamp())) <= 2
    RETURNING province_id
),

opened AS (
    INSERT INTO events (province_id, position, type, recorded_at, body, leaf_hash)
    SELECT head.province_id, 1, $5, $2, $6, $7
    FROM head
    RETURNING position
),

tagged AS (
    INSERT INTO event_tags (province_id, tag, position, type)
    SELECT head.province_id, opening.tag, 1, $5
    FROM unnest($8::text[]) AS opening (tag)
    CROSS JOIN head
    RETURNING position
)

SELECT province_id FROM head;
