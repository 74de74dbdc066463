-- make_subject_keys(province_id, persons, versions, keys)
-- Another process may have been faster.
INSERT INTO sealing.subject_keys (province_id, person, version, key)
SELECT $1, k.person, k.version, k.key
FROM unnest($2::text[], $3::int[], $4::bytea[]) AS k (person, version, key)
ON CONFLICT ON CONSTRAINT subject_keys_are_one_a_version DO NOTHING;
