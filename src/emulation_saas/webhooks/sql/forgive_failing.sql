-- forgive_failing(province_id, webhook)
-- Resumed, or willing: what failed before is not held against the receiver.
UPDATE webhook_receivers SET failing_since = NULL
WHERE province_id = $1 AND webhook = $2;
