-- append(province_id, expected, clock, recorded_at, frontier, root, types, bodies, leaf_hashes, tag_positions, tags, tag_types, actors, keys, fingerprints, firsts, lasts)
-- The one statement that writes to a log (migration append_v1).
SELECT append_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) AS appended;
