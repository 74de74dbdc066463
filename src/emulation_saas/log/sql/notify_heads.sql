-- notify_heads()
-- Some head moved; says nothing of which province_id, so nobody learns of another's.
NOTIFY emulation_heads;
