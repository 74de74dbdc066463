-- consumers_after(province_id, name, person, limit)
-- By name. Without a person: everybody's.
SELECT c.name, c.person, c.types, c.tags, c.last_seen_at, k.position, k.moved_at
FROM consumers AS c
INNER JOIN cursors AS k ON c.province_id = k.province_id AND c.name = k.name
WHERE
    c.province_id = $1 AND k.province_id = $1 AND k.kind = 'consumer'
    AND c.name > $2 AND ($3::text IS NULL OR c.person = $3)
ORDER BY c.name
LIMIT $4;
