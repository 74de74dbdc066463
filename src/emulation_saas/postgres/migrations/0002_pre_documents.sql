-- What is computed from the log and can be thrown away: documents, how far they are, what stopped them, shortcuts to
-- their past. Nothing here is a fact; a rebuild makes it again from the events alone.
--
-- province_id leads every key; row security is forced; no trigger, no sequence, no key to another table.

CREATE TABLE checkpoints (
    province_id uuid NOT NULL,
    projection text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    position bigint NOT NULL,
    CONSTRAINT checkpoints_are_one_a_version PRIMARY KEY (province_id, projection, version),
    CONSTRAINT checkpoints_position_counts_from_zero CHECK (position >= 0)
) WITH (fillfactor = 50);
COMMENT ON TABLE checkpoints IS 'Every document of this projection is true at this position; written with them.';

CREATE TABLE documents (
    province_id uuid NOT NULL,
    projection text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    key text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    document bytea NOT NULL,
    CONSTRAINT documents_are_one_a_key PRIMARY KEY (province_id, projection, version, key),
    CONSTRAINT documents_position_counts_from_zero CHECK (position >= 0)
) WITH (fillfactor = 70);
COMMENT ON COLUMN documents.position IS 'Of the last event that changed it; 0 if the first one could not be folded.';

CREATE TABLE quarantined (
    province_id uuid NOT NULL,
    projection text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    key text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    reason text NOT NULL,
    CONSTRAINT quarantined_are_one_a_key PRIMARY KEY (province_id, projection, version, key),
    CONSTRAINT quarantined_position_counts_from_one CHECK (position >= 1),
    CONSTRAINT quarantined_reason_is_short CHECK (length(reason) <= 300)
);
COMMENT ON TABLE quarantined IS 'Documents that take no event from this position on, as it could not be folded into them.';

CREATE TABLE snapshots (
    province_id uuid NOT NULL,
    projection text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    key text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    document bytea NOT NULL,
    CONSTRAINT snapshots_are_one_a_position PRIMARY KEY (province_id, projection, version, key, position)
);
COMMENT ON TABLE snapshots IS 'A hint: the document as of this position. Without it the same is folded from further back.';

ALTER TABLE checkpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE checkpoints FORCE ROW LEVEL SECURITY;
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE documents FORCE ROW LEVEL SECURITY;
ALTER TABLE quarantined ENABLE ROW LEVEL SECURITY;
ALTER TABLE quarantined FORCE ROW LEVEL SECURITY;
ALTER TABLE snapshots ENABLE ROW LEVEL SECURITY;
ALTER TABLE snapshots FORCE ROW LEVEL SECURITY;

CREATE POLICY own_province ON checkpoints FOR ALL TO emulation_app
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);
CREATE POLICY own_province ON documents FOR ALL TO emulation_app
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);
CREATE POLICY own_province ON quarantined FOR ALL TO emulation_app
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);
CREATE POLICY own_province ON snapshots FOR ALL TO emulation_app
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);

GRANT SELECT, INSERT, UPDATE, DELETE ON checkpoints TO emulation_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON documents TO emulation_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON quarantined TO emulation_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON snapshots TO emulation_app;
