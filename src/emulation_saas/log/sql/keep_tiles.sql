-- keep_tiles(province_id, level, idxs, node_hashes, roots)
-- In order; another process may have been faster, with the same tiles.
INSERT INTO tree_tiles (province_id, level, idx, node_hashes, root)
SELECT $1, $2, made.idx, made.node_hashes, made.root
FROM unnest($3::bigint[], $4::bytea[], $5::bytea[]) AS made (idx, node_hashes, root)
ORDER BY made.idx
ON CONFLICT ON CONSTRAINT tree_tiles_are_one_a_place DO NOTHING;
