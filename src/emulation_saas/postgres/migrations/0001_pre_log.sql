-- The province's log: registry, heads, events and their tags, idempotency, and the sealed keys in a schema of their own.
--
-- province_id leads every key and every index; row security is forced on every table but the registry; the service's
-- role owns nothing and can neither change nor remove an event. No trigger, no sequence, no key across provinces, so the
-- same schema may be distributed by province_id.

CREATE TABLE provinces (
    handle text COLLATE "C" NOT NULL,
    province_id uuid NOT NULL,
    CONSTRAINT provinces_handle_is_never_reused PRIMARY KEY (handle),
    CONSTRAINT provinces_id_has_one_handle UNIQUE (province_id)
);
COMMENT ON TABLE provinces IS 'Registry: which public, permanent handle means which province. Holds nothing else.';

CREATE TABLE log_head (
    province_id uuid NOT NULL,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    frontier bytea NOT NULL,
    root bytea NOT NULL,
    CONSTRAINT log_head_is_one_per_province PRIMARY KEY (province_id),
    CONSTRAINT log_head_position_counts_from_one CHECK (position >= 1),
    CONSTRAINT log_head_root_is_a_hash CHECK (octet_length(root) = 32)
) WITH (fillfactor = 50);
COMMENT ON TABLE log_head IS 'One row orders a province: an append moves it, so positions are gapless and in commit order.';
COMMENT ON COLUMN log_head.frontier IS 'Peaks of the RFC 6962 tree, largest first, 32 bytes each.';

CREATE TABLE events (
    province_id uuid NOT NULL,
    position bigint NOT NULL,
    type text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    body bytea NOT NULL,
    leaf_hash bytea NOT NULL,
    CONSTRAINT events_position_is_unique PRIMARY KEY (province_id, position),
    CONSTRAINT events_body_fits_a_tile_entry CHECK (octet_length(body) BETWEEN 2 AND 65535),
    CONSTRAINT events_leaf_hash_is_a_hash CHECK (octet_length(leaf_hash) = 32)
);
COMMENT ON COLUMN events.body IS 'The canonical bytes: what is stored, hashed, streamed, replayed and verified.';
-- The body is never searched and never updated: keep it in line where it fits, without trying to compress it first.
ALTER TABLE events ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX events_by_type ON events (province_id, type, position);

CREATE TABLE event_tags (
    province_id uuid NOT NULL,
    tag text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    type text COLLATE "C" NOT NULL,
    CONSTRAINT event_tags_are_unique PRIMARY KEY (province_id, tag, position) INCLUDE (type)
);
COMMENT ON TABLE event_tags IS 'By which tags an event is found (see DECISIONS.md, the tag index).';

CREATE TABLE idempotency (
    province_id uuid NOT NULL,
    actor text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    CONSTRAINT idempotency_key_is_used_once PRIMARY KEY (province_id, actor, key)
);
COMMENT ON TABLE idempotency IS 'Accepted commands: the answer is the events first_position to last_position, none if first > last.';

CREATE SCHEMA sealing;
GRANT USAGE ON SCHEMA sealing TO emulation_keys;

CREATE TABLE sealing.subject_keys (
    province_id uuid NOT NULL,
    person text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    key bytea NOT NULL,
    CONSTRAINT subject_keys_are_one_a_version PRIMARY KEY (province_id, person, version),
    CONSTRAINT subject_keys_have_256_bits CHECK (octet_length(key) = 32)
);
COMMENT ON TABLE sealing.subject_keys IS 'Keys of the personal fields of one person; without the key the field is gone.';

CREATE TABLE sealing.log_keys (
    province_id uuid NOT NULL,
    vkey text NOT NULL,
    private_key bytea NOT NULL,
    CONSTRAINT log_keys_are_unique PRIMARY KEY (province_id, vkey),
    CONSTRAINT log_keys_are_ed25519_seeds CHECK (octet_length(private_key) = 32)
);
COMMENT ON TABLE sealing.log_keys IS 'Private keys of the logs, made when a log is opened.';

ALTER TABLE log_head ENABLE ROW LEVEL SECURITY;
ALTER TABLE log_head FORCE ROW LEVEL SECURITY;
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
ALTER TABLE events FORCE ROW LEVEL SECURITY;
ALTER TABLE event_tags ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_tags FORCE ROW LEVEL SECURITY;
ALTER TABLE idempotency ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency FORCE ROW LEVEL SECURITY;
ALTER TABLE sealing.subject_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE sealing.subject_keys FORCE ROW LEVEL SECURITY;
ALTER TABLE sealing.log_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE sealing.log_keys FORCE ROW LEVEL SECURITY;

-- Without missing_ok: a connection that has not said its province fails instead of seeing nothing.
CREATE POLICY own_province ON log_head FOR ALL TO emulation_app
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);
CREATE POLICY own_province ON events FOR ALL TO emulation_app
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);
CREATE POLICY own_province ON event_tags FOR ALL TO emulation_app
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);
CREATE POLICY own_province ON idempotency FOR ALL TO emulation_app
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);
CREATE POLICY own_province ON sealing.subject_keys FOR ALL TO emulation_keys
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);
CREATE POLICY own_province ON sealing.log_keys FOR ALL TO emulation_keys
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);
-- The one role that sees across provinces sees two columns of one table.
CREATE POLICY heads_of_all ON log_head FOR SELECT TO emulation_heads USING (true);

GRANT SELECT, INSERT ON provinces TO emulation_app;
GRANT SELECT, INSERT, UPDATE ON log_head TO emulation_app;
GRANT SELECT, INSERT ON events TO emulation_app;
GRANT SELECT, INSERT ON event_tags TO emulation_app;
GRANT SELECT, INSERT ON idempotency TO emulation_app;
GRANT SELECT (province_id, position) ON log_head TO emulation_heads;
GRANT SELECT, INSERT ON sealing.subject_keys TO emulation_keys;
GRANT SELECT, INSERT ON sealing.log_keys TO emulation_keys;
