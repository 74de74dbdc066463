-- tiles_built(province_id)
-- How many tiles each level has: they are built from the first one on.
SELECT
    level.number AS level,
    coalesce(newest.idx + 1, 0) AS tiles
FROM generate_series(0, 7) AS level (number)
LEFT JOIN LATERAL (
    SELECT tile.idx
    FROM tree_tiles AS tile
    WHERE tile.province_id = $1 AND tile.level = level.number::smallint
    ORDER BY tile.idx DESC
    LIMIT 1
) AS newest ON TRUE
ORDER BY level.number;
