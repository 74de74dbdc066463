-- forget_deliveries(province_id, webhook, first, last)
-- What is not to be sent any more.
DELETE FROM webhook_deliveries
WHERE province_id = $1 AND webhook = $2 AND position BETWEEN $3 AND $4 AND status <> 'delivered';
