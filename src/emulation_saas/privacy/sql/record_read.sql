-- record_read(province_id, entry_id, person, request, as_of, position, reason)
-- By the database's clock alone, so that lines of one day are in order whichever process adds them.
INSERT INTO access_log (province_id, day, at, entry_id, person, request, as_of, position, reason)
SELECT $1, (clock.at AT TIME ZONE interval '7 hours')::date, clock.at, $2, $3, $4, $5, $6, $7
FROM (SELECT clock_timestamp() AS at) AS clock
RETURNING at;
