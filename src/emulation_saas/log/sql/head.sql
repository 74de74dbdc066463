-- head(province_id)
SELECT position, recorded_at, frontier, root FROM log_head WHERE province_id = $1;
