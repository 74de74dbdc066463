-- receivers(province_id, webhooks)
SELECT
    r.webhook,
    r.obeyed,
    r.succeeded_at,
    r.failed_at,
    r.failing_since,
    r.outcome
FROM webhook_receivers AS r
WHERE r.province_id = $1 AND r.webhook = ANY($2::text[]);
