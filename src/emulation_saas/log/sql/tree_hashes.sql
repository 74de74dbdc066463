-- tree_hashes(province_id, tile_levels, tile_idxs, part_levels, part_begins, part_ends, leaf_begin, leaf_end)
-- Hashes of the tree by level and index, in runs: whole tiles; parts of a level, which are roots of the tiles below; a
-- part of level 0, which are leaf hashes. A part has at most 256 tiles below it: said, lest all of them be read.
SELECT
    tile.level::int AS level,
    256 * tile.idx AS first_index,
    tile.node_hashes
FROM unnest($2::smallint[], $3::bigint[]) AS wanted (level, idx)
INNER JOIN tree_tiles AS tile
    ON tile.province_id = $1 AND tile.level = wanted.level AND tile.idx = wanted.idx
UNION ALL
SELECT
    part.level::int AS level,
    min(below.idx) AS first_index,
    string_agg(below.root, ''::bytea ORDER BY below.idx) AS node_hashes
FROM unnest($4::smallint[], $5::bigint[], $6::bigint[]) AS part (level, part_begin, part_end)
CROSS JOIN
    LATERAL (
        SELECT
            child.idx,
            child.root
        FROM tree_tiles AS child
        WHERE
            child.province_id = $1
            AND child.level = part.level - 1
            AND child.idx >= part.part_begin
            AND child.idx < part.part_end
        ORDER BY child.idx
        LIMIT 256
    ) AS below
GROUP BY part.level
UNION ALL
SELECT
    0 AS level,
    min(leaf.position) - 1 AS first_index,
    string_agg(leaf.leaf_hash, ''::bytea ORDER BY leaf.position) AS node_hashes
FROM events AS leaf
WHERE leaf.province_id = $1 AND leaf.position > $7 AND leaf.position <= $8;
