-- forget_webhook(province_id, webhook)
WITH deliveries AS (
    DELETE FROM webhook_deliveries
    WHERE province_id = $1 AND webhook = $2
)

DELETE FROM webhook_receivers
WHERE province_id = $1 AND webhook = $2;
