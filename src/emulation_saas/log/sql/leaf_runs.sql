-- leaf_runs(province_id, after, through)
-- The leaf hashes after a position, in runs of 256.
SELECT
    (position - 1) / 256 AS idx,
    string_agg(leaf_hash, ''::bytea ORDER BY position) AS node_hashes
FROM events
WHERE province_id = $1 AND position > $2 AND position <= $3
GROUP BY (position - 1) / 256
ORDER BY (position - 1) / 256;
