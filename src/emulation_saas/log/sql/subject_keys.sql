-- subject_keys(province_id)
SELECT person, version, key FROM sealing.subject_keys WHERE province_id = $1;
