-- register_province(handle, province_id)
-- Gives nothing back when the handle is taken.
INSERT INTO provinces (handle, province_id) VALUES ($1, $2)
ON CONFLICT ON CONSTRAINT provinces_handle_is_never_reused DO NOTHING
RETURNING province_id;
