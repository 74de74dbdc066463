-- cursors_of_kind(province_id, kind)
SELECT name, position, moved_at
FROM cursors
WHERE province_id = $1 AND kind = $2
ORDER BY name;
