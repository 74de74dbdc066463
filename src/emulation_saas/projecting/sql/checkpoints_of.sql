-- checkpoints_of(province_id, projections, versions)
-- How far these projections are; those that were never built are missing.
SELECT kept.projection, kept.position
FROM unnest($2::text[], $3::int[]) AS asked (projection, version)
INNER JOIN checkpoints AS kept
    ON kept.province_id = $1 AND kept.projection = asked.projection AND kept.version = asked.version;
