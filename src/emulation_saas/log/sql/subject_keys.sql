-- subject_keys(province_id, persons)
-- Without persons, those of all.
SELECT person, version, key FROM sealing.subject_keys
WHERE province_id = $1 AND ($2::text[] IS NULL OR person = ANY($2));
