-- store_documents(province_id, projections, versions, keys, positions, documents)
INSERT INTO documents (province_id, projection, version, key, position, document)
SELECT $1, fresh.projection, fresh.version, fresh.key, fresh.position, fresh.document
FROM
    unnest($2::text[], $3::int[], $4::text[], $5::bigint[], $6::bytea[])
        AS fresh (projection, version, key, position, document)
ON CONFLICT ON CONSTRAINT documents_are_one_a_key
DO UPDATE SET position = excluded.position, document = excluded.document;
