-- record_tries(province_id, webhook, tried_at, positions, statuses, tries, next_tries, outcomes)
INSERT INTO webhook_deliveries AS d (province_id, webhook, position, status, tries, tried_at, next_try_at, outcome)
SELECT
    $1,
    $2,
    t.position,
    t.status,
    t.tries,
    $3,
    t.next_try_at,
    t.outcome
FROM
    unnest($4::bigint[], $5::text[], $6::integer[], $7::timestamptz[], $8::text[])
        AS t (position, status, tries, next_try_at, outcome)
ON CONFLICT (province_id, webhook, position) DO UPDATE
    SET
        status = excluded.status, tries = excluded.tries, tried_at = coalesce(excluded.tried_at, d.tried_at),
        next_try_at = excluded.next_try_at, outcome = excluded.outcome;
