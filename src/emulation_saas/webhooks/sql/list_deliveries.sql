-- list_deliveries(province_id, webhook, statuses, before, limit)
-- The newest first.
SELECT
    position,
    status,
    tries,
    tried_at,
    next_try_at,
    outcome
FROM webhook_deliveries
WHERE province_id = $1 AND webhook = $2 AND status = ANY($3::text[]) AND position BETWEEN 1 AND $4
ORDER BY position DESC
LIMIT $5;
