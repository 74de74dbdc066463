-- forget_deliveries(province_id, webhook, positions)
-- What is not to be sent any more.
DELETE FROM webhook_deliveries
WHERE province_id = $1 AND webhook = $2 AND position = ANY($3::bigint[]) AND status <> 'delivered';
