-- recorded_at(province_id, positions)
-- When the events at these positions were recorded.
SELECT position, recorded_at FROM events WHERE province_id = $1 AND position = ANY($2::bigint[]);
