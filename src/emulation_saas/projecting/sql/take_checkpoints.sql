-- take_checkpoints(province_id, projections, versions)
-- The same, held until the transaction ends; what another process holds is missing, as the work is in its hands.
SELECT kept.projection, kept.position
FROM checkpoints AS kept
WHERE
    kept.province_id = $1
    AND (kept.projection, kept.version) IN (
        SELECT asked.projection, asked.version FROM unnest($2::text[], $3::int[]) AS asked (projection, version)
    )
FOR UPDATE OF kept SKIP LOCKED;
