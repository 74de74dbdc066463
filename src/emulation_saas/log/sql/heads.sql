-- heads()
-- Of all provinces, by the one role that may: a position each and nothing else.
SELECT province_id, position FROM log_head;
