-- register_province(handle, province_id)
-- Violates provinces_handle_is_never_reused when the handle is taken. An upsert would need the right to update a table
-- that Citus keeps on several nodes, and nobody has it.
INSERT INTO provinces (handle, province_id) VALUES ($1, $2);
