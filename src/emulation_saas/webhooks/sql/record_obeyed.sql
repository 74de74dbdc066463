-- record_obeyed(province_id, webhook, obeyed)
INSERT INTO webhook_receivers (province_id, webhook, obeyed, outcome)
VALUES ($1, $2, $3, '')
ON CONFLICT (province_id, webhook) DO UPDATE SET obeyed = excluded.obeyed;
