-- waiting_deliveries(province_id, webhooks)
-- How many are to be tried again and when the first is; how many were given up.
SELECT
    webhook,
    count(*) FILTER (WHERE status = 'due') AS due,
    count(*) FILTER (WHERE status = 'dead') AS dead,
    min(next_try_at) AS next_try_at
FROM webhook_deliveries
WHERE province_id = $1 AND webhook = ANY($2::text[]) AND status <> 'delivered'
GROUP BY webhook;
