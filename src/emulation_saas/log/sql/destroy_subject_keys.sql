-- destroy_subject_keys(province_id, persons, erasures)
-- A key made before a person's n-th erasure has a version of at most n.
DELETE FROM sealing.subject_keys AS held
USING unnest($2::text[], $3::int[]) AS erased (person, erasures)
WHERE held.province_id = $1 AND held.person = erased.person AND held.version <= erased.erasures
RETURNING held.person;
