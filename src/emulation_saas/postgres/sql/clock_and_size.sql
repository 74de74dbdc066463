-- clock_and_size()
-- What the server's clock says, and how many bytes the database takes.
SELECT
    clock_timestamp() AS clock,
    pg_catalog.pg_database_size(current_database()) AS size_bytes;
