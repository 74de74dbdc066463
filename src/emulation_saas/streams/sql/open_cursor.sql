-- open_cursor(province_id, kind, name, position)
-- Nothing when there is one already.
INSERT INTO cursors (province_id, kind, name, position, moved_at)
VALUES ($1, $2, $3, $4, clock_timestamp())
ON CONFLICT (province_id, kind, name) DO NOTHING
RETURNING position;
