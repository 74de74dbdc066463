-- keep_province_key(province_id, wrapped)
-- Another process may have been faster; then its key is the province's.
INSERT INTO sealing.province_keys (province_id, wrapped) VALUES ($1, $2)
ON CONFLICT ON CONSTRAINT province_keys_are_one_a_province DO NOTHING;
