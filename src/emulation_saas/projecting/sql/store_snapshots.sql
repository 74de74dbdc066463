-- store_snapshots(province_id, projection, version, keys, positions, documents)
-- Whoever folds the same events writes the same, so what is there stays.
INSERT INTO snapshots (province_id, projection, version, key, position, document)
SELECT $1, $2, $3, fresh.key, fresh.position, fresh.document
FROM unnest($4::text[], $5::bigint[], $6::bytea[]) AS fresh (key, position, document)
ON CONFLICT ON CONSTRAINT snapshots_are_one_a_position DO NOTHING;
