-- newest_snapshots(province_id, projection, version, first_key, last_key, position)
-- Of each key, the last one at or before the position.
SELECT DISTINCT ON (kept.key) kept.key, kept.position, kept.document
FROM snapshots AS kept
WHERE
    kept.province_id = $1
    AND kept.projection = $2
    AND kept.version = $3
    AND kept.key >= $4
    AND kept.key <= $5
    AND kept.position <= $6
ORDER BY kept.key ASC, kept.position DESC;
