-- find_consumer(province_id, name)
SELECT c.name, c.person, c.types, c.tags, c.last_seen_at, k.position, k.moved_at
FROM consumers AS c
INNER JOIN cursors AS k ON c.province_id = k.province_id AND c.name = k.name
WHERE c.province_id = $1 AND k.province_id = $1 AND k.kind = 'consumer' AND c.name = $2;
