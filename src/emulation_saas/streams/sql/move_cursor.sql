-- move_cursor(province_id, kind, name, expected, position)
-- Only from where it was thought to stand.
UPDATE cursors
SET position = $5, moved_at = statement_timestamp()
WHERE province_id = $1 AND kind = $2 AND name = $3 AND position = $4
RETURNING position;
