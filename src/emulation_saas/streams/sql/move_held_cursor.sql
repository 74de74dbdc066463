-- move_held_cursor(province_id, kind, name, expected, position, holder)
-- Only by its holder, and only from where it was thought to stand.
UPDATE cursors
SET position = $5, moved_at = statement_timestamp()
WHERE
    province_id = $1 AND kind = $2 AND name = $3 AND position = $4
    AND held_by = $6 AND held_until > statement_timestamp()
RETURNING position;
