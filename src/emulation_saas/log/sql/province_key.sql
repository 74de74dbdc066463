-- province_key(province_id)
SELECT wrapped FROM sealing.province_keys WHERE province_id = $1;
