-- How far everybody has come to whom the service sends a province's events, or for whom it remembers how far he has read.

CREATE TABLE cursors (
    province_id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    moved_at timestamptz NOT NULL,
    held_by uuid,
    held_until timestamptz,
    CONSTRAINT cursors_are_unique PRIMARY KEY (province_id, kind, name),
    CONSTRAINT cursors_kind_is_known CHECK (kind IN ('bridge', 'consumer', 'webhook')),
    CONSTRAINT cursors_position_counts_from_zero CHECK (position >= 0),
    CONSTRAINT cursors_are_held_for_a_time CHECK ((held_by IS NULL) = (held_until IS NULL))
);
COMMENT ON TABLE cursors IS 'Positions up to which events have been taken; never beyond what was.';
COMMENT ON COLUMN cursors.held_by IS 'The process that sends for it; another one may take over after held_until.';

ALTER TABLE cursors ENABLE ROW LEVEL SECURITY;
ALTER TABLE cursors FORCE ROW LEVEL SECURITY;

CREATE POLICY own_province ON cursors FOR ALL TO emulation_app
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);

GRANT SELECT, INSERT, UPDATE, DELETE ON cursors TO emulation_app;
