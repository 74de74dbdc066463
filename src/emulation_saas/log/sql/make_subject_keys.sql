-- make_subject_keys(province_id, persons, keys)
-- The first key of each person that has none; another process may have been faster.
INSERT INTO sealing.subject_keys (province_id, person, version, key)
SELECT $1, k.person, 1, k.key
FROM unnest($2::text[], $3::bytea[]) AS k (person, key)
ON CONFLICT ON CONSTRAINT subject_keys_are_one_a_version DO NOTHING;
