-- subject_keys(province_id)
-- In order of version, so that the newest of a person comes last.
SELECT person, key FROM sealing.subject_keys WHERE province_id = $1 ORDER BY person, version;
