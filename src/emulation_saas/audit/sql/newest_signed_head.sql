-- newest_signed_head(province_id)
-- What the log may not contradict.
SELECT size, root, peaks, note, signed_at
FROM sealing.signed_heads
WHERE province_id = $1
ORDER BY size DESC
LIMIT 1;
