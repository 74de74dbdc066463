-- What became of sending events to webhooks. What is to be sent stands in the log, and how far it was in `cursors`.

CREATE TABLE webhook_deliveries (
    province_id uuid NOT NULL,
    webhook text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    status text COLLATE "C" NOT NULL,
    tries integer NOT NULL,
    tried_at timestamptz,
    next_try_at timestamptz,
    outcome text COLLATE "C" NOT NULL,
    CONSTRAINT webhook_deliveries_are_one_a_position PRIMARY KEY (province_id, webhook, position),
    CONSTRAINT webhook_deliveries_status_is_known CHECK (status IN ('due', 'delivered', 'dead')),
    CONSTRAINT webhook_deliveries_due_have_a_time CHECK ((status = 'due') = (next_try_at IS NOT NULL)),
    CONSTRAINT webhook_deliveries_count_from_zero CHECK (position >= 0 AND tries >= 0)
);
COMMENT ON TABLE webhook_deliveries IS
'Tries to send the event of a position, never a copy of it; 0 stands for the handshake. The oldest are removed.';

CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (province_id, webhook, next_try_at)
WHERE status <> 'delivered';

CREATE TABLE webhook_receivers (
    province_id uuid NOT NULL,
    webhook text COLLATE "C" NOT NULL,
    obeyed bigint NOT NULL,
    succeeded_at timestamptz,
    failed_at timestamptz,
    failing_since timestamptz,
    outcome text COLLATE "C" NOT NULL,
    CONSTRAINT webhook_receivers_are_one_a_webhook PRIMARY KEY (province_id, webhook)
);
COMMENT ON TABLE webhook_receivers IS 'How a receiver has been doing.';
COMMENT ON COLUMN webhook_receivers.obeyed IS 'The last event about the webhook of which all that it asks for was done.';

ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_deliveries FORCE ROW LEVEL SECURITY;
ALTER TABLE webhook_receivers ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_receivers FORCE ROW LEVEL SECURITY;

CREATE POLICY own_province ON webhook_deliveries FOR ALL TO emulation_app
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);
CREATE POLICY own_province ON webhook_receivers FOR ALL TO emulation_app
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);

GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_deliveries, webhook_receivers TO emulation_app;
