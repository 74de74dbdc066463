-- quarantine(province_id, projections, versions, keys, positions, reasons)
-- Two processes may find the same; the earliest position stands.
INSERT INTO quarantined AS known (province_id, projection, version, key, position, reason)
SELECT $1, found.projection, found.version, found.key, found.position, found.reason
FROM
    unnest($2::text[], $3::int[], $4::text[], $5::bigint[], $6::text[])
        AS found (projection, version, key, position, reason)
ON CONFLICT ON CONSTRAINT quarantined_are_one_a_key
DO UPDATE
    SET position = excluded.position, reason = excluded.reason
    WHERE excluded.position < known.position;
