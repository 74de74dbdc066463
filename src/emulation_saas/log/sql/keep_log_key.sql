-- keep_log_key(province_id, vkey, private_key)
INSERT INTO sealing.log_keys (province_id, vkey, private_key) VALUES ($1, $2, $3);
