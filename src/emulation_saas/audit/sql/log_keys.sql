-- log_keys(province_id)
SELECT vkey, private_key FROM sealing.log_keys WHERE province_id = $1 ORDER BY vkey;
