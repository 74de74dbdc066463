-- rewrap_province_key(province_id, wrapped)
UPDATE sealing.province_keys SET wrapped = $2 WHERE province_id = $1;
