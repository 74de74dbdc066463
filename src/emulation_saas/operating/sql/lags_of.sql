-- lags_of(province_id, projections, versions)
-- Where the log and everybody who follows it stand, of one moment; a projection that was never built stands at 0.
SELECT
    'log' AS kind,
    '' AS name,
    head.position,
    0 AS quarantined
FROM log_head AS head
WHERE head.province_id = $1
UNION ALL
SELECT
    'projection' AS kind,
    asked.projection AS name,
    coalesce(kept.position, 0) AS position,
    (
        SELECT count(*) FROM quarantined AS stopped
        WHERE
            stopped.province_id = $1
            AND stopped.projection = asked.projection
            AND stopped.version = asked.version
    ) AS quarantined
FROM unnest($2::text[], $3::int[]) AS asked (projection, version)
LEFT JOIN checkpoints AS kept
    ON kept.province_id = $1 AND kept.projection = asked.projection AND kept.version = asked.version
UNION ALL
SELECT
    reached.kind,
    reached.name,
    reached.position,
    0 AS quarantined
FROM cursors AS reached
WHERE reached.province_id = $1
ORDER BY kind, name;
