-- keep_signed_head(province_id, size, root, peaks, note, signed_at)
-- Another process may have signed the same size, with the same bytes.
INSERT INTO sealing.signed_heads (province_id, size, root, peaks, note, signed_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT ON CONSTRAINT signed_heads_are_one_a_size DO NOTHING;
