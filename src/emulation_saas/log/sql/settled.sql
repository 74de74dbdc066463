-- settled(province_id, actors, keys)
-- What earlier commands under these keys were answered.
SELECT used.actor, used.key, used.fingerprint, used.first_position, used.last_position
FROM unnest($2::text[], $3::text[]) AS asked (actor, key)
INNER JOIN idempotency AS used
    ON used.province_id = $1 AND used.actor = asked.actor AND used.key = asked.key;
