-- see_consumer(province_id, name)
UPDATE consumers SET last_seen_at = statement_timestamp()
WHERE province_id = $1 AND name = $2;
