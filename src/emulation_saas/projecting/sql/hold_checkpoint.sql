-- hold_checkpoint(province_id, projection, version)
-- Waits for whoever is at work, then holds the checkpoint until the transaction ends; one never built is begun at 0.
INSERT INTO checkpoints AS kept (province_id, projection, version, position) VALUES ($1, $2, $3, 0)
ON CONFLICT ON CONSTRAINT checkpoints_are_one_a_version DO UPDATE SET position = kept.position
RETURNING position;
