-- record_health(province_id, webhook, succeeded_at, failed_at, outcome)
-- One success ends what has been failing.
INSERT INTO webhook_receivers AS r (province_id, webhook, obeyed, succeeded_at, failed_at, failing_since, outcome)
VALUES ($1, $2, 0, $3, $4, CASE WHEN $3::timestamptz IS NULL THEN $4::timestamptz END, $5)
ON CONFLICT (province_id, webhook) DO UPDATE
    SET
        succeeded_at = coalesce(excluded.succeeded_at, r.succeeded_at),
        failed_at = coalesce(excluded.failed_at, r.failed_at),
        failing_since = CASE
            WHEN excluded.succeeded_at IS NULL THEN coalesce(r.failing_since, excluded.failed_at)
        END,
        outcome = excluded.outcome
RETURNING r.failing_since;
