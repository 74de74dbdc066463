-- hold_cursor(province_id, kind, name, holder, for_time)
-- Taken, or kept longer; nothing while another holds it.
UPDATE cursors
SET held_by = $4, held_until = statement_timestamp() + $5::interval
WHERE
    province_id = $1 AND kind = $2 AND name = $3
    AND (held_by IS NULL OR held_by = $4 OR held_until <= statement_timestamp())
RETURNING name, position, moved_at;
