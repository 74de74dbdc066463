-- find_cursor(province_id, kind, name)
SELECT name, position, moved_at
FROM cursors
WHERE province_id = $1 AND kind = $2 AND name = $3;
