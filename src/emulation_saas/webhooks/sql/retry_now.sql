-- retry_now(province_id, webhook, now)
UPDATE webhook_deliveries SET tries = 0, next_try_at = $3
WHERE province_id = $1 AND webhook = $2 AND status = 'due';
