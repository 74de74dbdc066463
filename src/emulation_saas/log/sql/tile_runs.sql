-- tile_runs(province_id, level, first_idx, last_idx)
-- The roots of a level's tiles, in runs of 256.
SELECT
    idx / 256 AS idx,
    string_agg(root, ''::bytea ORDER BY idx) AS node_hashes
FROM tree_tiles
WHERE province_id = $1 AND level = $2 AND idx >= $3 AND idx <= $4
GROUP BY idx / 256
ORDER BY idx / 256;
