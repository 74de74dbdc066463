-- close_cursor(province_id, kind, name)
DELETE FROM cursors WHERE province_id = $1 AND kind = $2 AND name = $3;
