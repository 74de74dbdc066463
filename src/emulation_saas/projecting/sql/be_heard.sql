-- be_heard()
-- Whoever now says nothing for so long, within the transaction, is hung or gone: the checkpoints of its province_id are
-- free again.
SET LOCAL idle_in_transaction_session_timeout = '3s';
