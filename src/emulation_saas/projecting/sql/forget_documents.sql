-- forget_documents(province_id, projection, version)
-- Everything of one version but its checkpoint: documents, quarantine, snapshots.
WITH lifted AS (
    DELETE FROM quarantined WHERE province_id = $1 AND projection = $2 AND version = $3
),

forgotten AS (
    DELETE FROM snapshots WHERE province_id = $1 AND projection = $2 AND version = $3
)

DELETE FROM documents WHERE province_id = $1 AND projection = $2 AND version = $3;
