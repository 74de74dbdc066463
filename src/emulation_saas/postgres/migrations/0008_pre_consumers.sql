-- Readers of a province's events for whom the service remembers how far they have read; where they stand is in cursors.

CREATE TABLE consumers (
    province_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    person text COLLATE "C" NOT NULL,
    types text[] COLLATE "C" NOT NULL,
    tags text[] COLLATE "C" NOT NULL,
    last_seen_at timestamptz,
    CONSTRAINT consumers_are_unique PRIMARY KEY (province_id, name),
    CONSTRAINT consumers_name_is_a_handle CHECK (name ~ '^[a-z0-9-]{1,40}$')
);
COMMENT ON TABLE consumers IS 'Who reads under which name, and what of it he selected. No facts: they stand in no log.';
COMMENT ON COLUMN consumers.person IS 'Who made it: he and administrators may use it.';
COMMENT ON COLUMN consumers.last_seen_at IS 'When it last read or acknowledged; null: never.';

ALTER TABLE consumers ENABLE ROW LEVEL SECURITY;
ALTER TABLE consumers FORCE ROW LEVEL SECURITY;

CREATE POLICY own_province ON consumers FOR ALL TO emulation_app
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);

GRANT SELECT, INSERT, UPDATE, DELETE ON consumers TO emulation_app;
