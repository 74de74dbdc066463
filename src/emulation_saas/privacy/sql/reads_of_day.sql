-- reads_of_day(province_id, day, after_at, after_entry, row_limit)
SELECT at, entry_id, person, request, as_of, position, reason
FROM access_log
WHERE province_id = $1 AND day = $2 AND (at, entry_id) > ($3::timestamptz, $4::uuid)
ORDER BY at, entry_id
LIMIT $5;
