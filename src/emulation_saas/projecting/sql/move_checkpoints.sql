-- move_checkpoints(province_id, projections, versions, position)
UPDATE checkpoints AS kept SET position = $4
FROM unnest($2::text[], $3::int[]) AS moved (projection, version)
WHERE kept.province_id = $1 AND kept.projection = moved.projection AND kept.version = moved.version AND kept.position < $4;
