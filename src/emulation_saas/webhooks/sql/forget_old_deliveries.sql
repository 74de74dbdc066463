-- forget_old_deliveries(province_id, webhook, through)
DELETE FROM webhook_deliveries
WHERE province_id = $1 AND webhook = $2 AND status = 'delivered' AND position <= $3;
