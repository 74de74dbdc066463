-- forget_versions_before(province_id, projection, version)
-- What no running release reads any more.
WITH forgotten AS (
    DELETE FROM documents WHERE province_id = $1 AND projection = $2 AND version < $3
),

lifted AS (
    DELETE FROM quarantined WHERE province_id = $1 AND projection = $2 AND version < $3
),

dropped AS (
    DELETE FROM snapshots WHERE province_id = $1 AND projection = $2 AND version < $3
)

DELETE FROM checkpoints WHERE province_id = $1 AND projection = $2 AND version < $3;
