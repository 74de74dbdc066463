-- lock_head(province_id)
-- Nobody else appends to this province until the transaction ends.
SELECT position, recorded_at, frontier, root, clock_timestamp() AS clock FROM log_head WHERE province_id = $1 FOR UPDATE;
