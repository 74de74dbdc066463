-- What a Citus cluster needs beside roles.sql: run on every node, after it, by a superuser in the service's database.
--
-- The nodes reach each other as whoever asks. emulation_owner distributes the tables, so it may log in, but has no
-- password: pg_hba.conf lets it in from the other nodes and from nowhere else (deploy/runbooks/hot-province.md).

CREATE EXTENSION IF NOT EXISTS citus;
ALTER ROLE emulation_owner LOGIN;
