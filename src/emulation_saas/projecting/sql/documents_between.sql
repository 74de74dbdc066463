-- documents_between(province_id, projection, version, first_key, last_key, row_limit)
-- Documents of a span of keys, in order, with how far all of them are: one statement, so one moment. A single row
-- without a key when there are none, no row when the projection was never built.
SELECT
    checkpoint.position AS checkpoint,
    found.key,
    found.position,
    found.document,
    stopped.position AS stopped_at,
    stopped.reason
FROM checkpoints AS checkpoint
LEFT JOIN LATERAL (
    SELECT kept.key, kept.position, kept.document
    FROM documents AS kept
    WHERE kept.province_id = $1 AND kept.projection = $2 AND kept.version = $3 AND kept.key >= $4 AND kept.key <= $5
    ORDER BY kept.key
    LIMIT $6
) AS found ON true
LEFT JOIN quarantined AS stopped
    ON
        stopped.province_id = $1
        AND stopped.projection = $2
        AND stopped.version = $3
        AND stopped.key = found.key
WHERE checkpoint.province_id = $1 AND checkpoint.projection = $2 AND checkpoint.version = $3
ORDER BY found.key;
