-- find_delivery(province_id, webhook, position)
SELECT
    position,
    status,
    tries,
    tried_at,
    next_try_at,
    outcome
FROM webhook_deliveries
WHERE province_id = $1 AND webhook = $2 AND position = $3;
