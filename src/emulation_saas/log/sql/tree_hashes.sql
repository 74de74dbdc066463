-- tree_hashes(province_id, tile_levels, tile_idxs, run_levels, run_firsts, run_lasts, leaf_first, leaf_last)
-- Hashes of the tree by level and index, in runs: whole tiles; parts of a level, which are roots of the tiles below;
-- parts of level 0, which are leaf hashes.
SELECT
    tile.level::int AS level,
    256 * tile.idx AS first_index,
    tile.node_hashes
FROM unnest($2::smallint[], $3::bigint[]) AS wanted (level, idx)
INNER JOIN tree_tiles AS tile
    ON tile.province_id = $1 AND tile.level = wanted.level AND tile.idx = wanted.idx
UNION ALL
SELECT
    below.level::int + 1 AS level,
    below.idx AS first_index,
    below.root AS node_hashes
FROM unnest($4::smallint[], $5::bigint[], $6::bigint[]) AS run (level, first_idx, last_idx)
INNER JOIN tree_tiles AS below
    ON
        below.province_id = $1
        AND below.level = run.level - 1
        AND below.idx >= run.first_idx
        AND below.idx <= run.last_idx
UNION ALL
SELECT
    0 AS level,
    leaf.position - 1 AS first_index,
    leaf.leaf_hash AS node_hashes
FROM events AS leaf
WHERE leaf.province_id = $1 AND leaf.position > $7 AND leaf.position <= $8;
