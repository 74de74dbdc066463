-- wrap_subject_keys(province_id, persons, versions, clear, wrapped)
-- Keys from before there were province keys.
UPDATE sealing.subject_keys AS held
SET key = k.wrapped
FROM unnest($2::text[], $3::int[], $4::bytea[], $5::bytea[]) AS k (person, version, clear, wrapped)
WHERE held.province_id = $1 AND held.person = k.person AND held.version = k.version AND held.key = k.clear;
