-- open_consumer(province_id, name, person, types, tags, position, most)
-- With its cursor. Nothing when there is one of that name already, or when the person has so many.
WITH opened AS (
    INSERT INTO consumers (province_id, name, person, types, tags)
    SELECT $1, $2, $3, $4::text[], $5::text[]
    WHERE (SELECT count(*) FROM consumers WHERE province_id = $1 AND person = $3) < $7
    ON CONFLICT (province_id, name) DO NOTHING
    RETURNING province_id, name
)

INSERT INTO cursors (province_id, kind, name, position, moved_at)
SELECT opened.province_id, 'consumer', opened.name, $6, clock_timestamp() FROM opened
RETURNING position;
