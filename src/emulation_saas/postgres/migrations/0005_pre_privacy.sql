-- Personal keys wrapped by a key of their province, which is wrapped by the service's master key, which is in no
-- database; erasing a person's keys; and who read what.
--
-- A key of 32 bytes is one from before, in the clear; the service wraps it when it first reads it.

CREATE TABLE sealing.province_keys (
    province_id uuid NOT NULL,
    wrapped bytea NOT NULL,
    CONSTRAINT province_keys_are_one_a_province PRIMARY KEY (province_id),
    CONSTRAINT province_keys_are_wrapped CHECK (octet_length(wrapped) = 40)
);
COMMENT ON TABLE sealing.province_keys IS 'What wraps the personal keys of a province, wrapped by the master key.';

ALTER TABLE sealing.subject_keys DROP CONSTRAINT subject_keys_have_256_bits;
ALTER TABLE sealing.subject_keys
ADD CONSTRAINT subject_keys_are_wrapped_or_from_before CHECK (octet_length(key) IN (32, 40));
COMMENT ON COLUMN sealing.subject_keys.version IS 'One more than the erasures of the person before it was made.';

CREATE TABLE access_log (
    province_id uuid NOT NULL,
    day date NOT NULL,
    at timestamptz NOT NULL,
    entry_id uuid NOT NULL,
    person text COLLATE "C" NOT NULL,
    request text NOT NULL,
    as_of text,
    position bigint,
    reason text NOT NULL,
    CONSTRAINT access_log_is_in_order_of_time PRIMARY KEY (province_id, day, at, entry_id),
    CONSTRAINT access_log_day_is_counted_in_vietnam CHECK (day = (at AT TIME ZONE interval '7 hours')::date)
);
COMMENT ON TABLE access_log IS 'Reads of personal data, and by auditors: added before the answer is sent, never changed.';
COMMENT ON COLUMN access_log.request IS 'Method and path, without the query. Paths hold handles, so nobody''s name.';

ALTER TABLE sealing.province_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE sealing.province_keys FORCE ROW LEVEL SECURITY;
ALTER TABLE access_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE access_log FORCE ROW LEVEL SECURITY;

CREATE POLICY own_province ON sealing.province_keys FOR ALL TO emulation_keys
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);
CREATE POLICY own_province ON access_log FOR ALL TO emulation_app
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);

GRANT SELECT, INSERT, UPDATE ON sealing.province_keys TO emulation_keys;
GRANT UPDATE, DELETE ON sealing.subject_keys TO emulation_keys;
GRANT SELECT, INSERT ON access_log TO emulation_app;
