-- next_finished_day(province_id, after, settled)
-- The first day after a day that has lines and has been over for a while.
SELECT min(day) AS day
FROM access_log
WHERE
    province_id = $1
    AND day > $2
    AND day < ((clock_timestamp() - $3::interval) AT TIME ZONE interval '7 hours')::date;
