-- become_owner()
-- What the migrations' own record is read by, until the session ends.
SET ROLE emulation_owner;
