-- due_deliveries(province_id, webhook, now, through, limit)
-- Set aside, and to be tried by now.
SELECT
    position,
    tries
FROM webhook_deliveries
WHERE
    province_id = $1 AND webhook = $2 AND status = 'due' AND next_try_at <= $3
    AND position BETWEEN 1 AND $4
ORDER BY next_try_at, position
LIMIT $5;
