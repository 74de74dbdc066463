-- The log's Merkle tree beyond its frontier: complete tiles, kept so that a proof reads a handful of rows; and the heads
-- that were signed, in the schema of the keys, where the service's own role can neither read nor forget them.
--
-- A tile is computed from events.leaf_hash by whoever needs it first. It is the same for everybody and for ever.

CREATE TABLE tree_tiles (
    province_id uuid NOT NULL,
    level smallint NOT NULL,
    idx bigint NOT NULL,
    node_hashes bytea NOT NULL,
    root bytea NOT NULL,
    CONSTRAINT tree_tiles_are_one_a_place PRIMARY KEY (province_id, level, idx),
    CONSTRAINT tree_tiles_level_counts_from_zero CHECK (level >= 0),
    CONSTRAINT tree_tiles_idx_counts_from_zero CHECK (idx >= 0),
    CONSTRAINT tree_tiles_are_complete CHECK (octet_length(node_hashes) = 8192),
    CONSTRAINT tree_tiles_root_is_a_hash CHECK (octet_length(root) = 32)
);
COMMENT ON TABLE tree_tiles IS 'Complete tiles (C2SP tlog-tiles), contiguous from the first on at each level.';
COMMENT ON COLUMN tree_tiles.node_hashes IS 'At level 0 the hashes of 256 leaves, above the roots of 256 tiles of the level below.';
COMMENT ON COLUMN tree_tiles.root IS 'Of these 256 hashes: the tile''s place in the level above.';
-- Hashes cannot be compressed, and `root` is read far more often than they: keep them out of line as they are.
ALTER TABLE tree_tiles ALTER COLUMN node_hashes SET STORAGE EXTERNAL;

CREATE TABLE sealing.signed_heads (
    province_id uuid NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL,
    peaks bytea NOT NULL,
    note text COLLATE "C" NOT NULL,
    signed_at timestamptz NOT NULL,
    CONSTRAINT signed_heads_are_one_a_size PRIMARY KEY (province_id, size),
    CONSTRAINT signed_heads_size_counts_from_one CHECK (size >= 1),
    CONSTRAINT signed_heads_root_is_a_hash CHECK (octet_length(root) = 32),
    CONSTRAINT signed_heads_peaks_are_hashes CHECK (octet_length(peaks) % 32 = 0)
);
COMMENT ON TABLE sealing.signed_heads IS 'Every checkpoint that was signed; the largest one is what the log may not contradict.';

ALTER TABLE tree_tiles ENABLE ROW LEVEL SECURITY;
ALTER TABLE tree_tiles FORCE ROW LEVEL SECURITY;
ALTER TABLE sealing.signed_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE sealing.signed_heads FORCE ROW LEVEL SECURITY;

CREATE POLICY own_province ON tree_tiles FOR ALL TO emulation_app
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);
CREATE POLICY own_province ON sealing.signed_heads FOR ALL TO emulation_keys
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);

GRANT SELECT, INSERT ON tree_tiles TO emulation_app;
GRANT SELECT, INSERT ON sealing.signed_heads TO emulation_keys;
