-- head(province_id)
SELECT position, recorded_at, frontier, root, clock_timestamp() AS clock FROM log_head WHERE province_id = $1;
