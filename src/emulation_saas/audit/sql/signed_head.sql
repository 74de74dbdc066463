-- signed_head(province_id, size)
SELECT size, root, peaks, note, signed_at FROM sealing.signed_heads WHERE province_id = $1 AND size = $2;
