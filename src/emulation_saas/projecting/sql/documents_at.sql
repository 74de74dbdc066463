-- documents_at(province_id, projections, versions, keys)
-- Documents by key, several projections at once, each with what stopped it; those that do not exist are missing.
SELECT
    asked.projection, asked.key,
    coalesce(kept.position, 0) AS position,
    kept.document,
    stopped.position AS stopped_at,
    stopped.reason
FROM unnest($2::text[], $3::int[], $4::text[]) AS asked (projection, version, key)
LEFT JOIN documents AS kept
    ON
        kept.province_id = $1
        AND kept.projection = asked.projection
        AND kept.version = asked.version
        AND kept.key = asked.key
LEFT JOIN quarantined AS stopped
    ON
        stopped.province_id = $1
        AND stopped.projection = asked.projection
        AND stopped.version = asked.version
        AND stopped.key = asked.key
WHERE kept.key IS NOT NULL OR stopped.key IS NOT NULL;
