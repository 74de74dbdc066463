-- let_go_cursor(province_id, kind, name, holder)
UPDATE cursors
SET held_by = NULL, held_until = NULL
WHERE province_id = $1 AND kind = $2 AND name = $3 AND held_by = $4;
