-- server_facts()
-- What the start-up self-check judges, in one row. Every column is readable by a role without rights.
SELECT
    current_setting('server_version_num')::integer AS version_number,
    current_setting('server_version') AS version_text,
    current_setting('server_encoding') AS encoding,
    current_setting('data_checksums') AS data_checksums,
    current_setting('fsync') AS fsync,
    current_setting('full_page_writes') AS full_page_writes,
    current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('max_connections')::integer
    - current_setting('superuser_reserved_connections')::integer
    - current_setting('reserved_connections')::integer AS connections_max,
    current_user AS role_name,
    (SELECT roles.rolsuper FROM pg_catalog.pg_roles AS roles WHERE roles.rolname = current_user) AS is_superuser,
    (SELECT roles.rolbypassrls FROM pg_catalog.pg_roles AS roles WHERE roles.rolname = current_user) AS bypasses_rls,
    (
        SELECT roles.rolcreaterole OR roles.rolcreatedb OR roles.rolreplication
        FROM pg_catalog.pg_roles AS roles
        WHERE roles.rolname = current_user
    ) AS may_administer,
    (
        SELECT count(*)
        FROM pg_catalog.pg_auth_members AS memberships
        INNER JOIN pg_catalog.pg_roles AS roles ON memberships.member = roles.oid
        WHERE roles.rolname = current_user
    ) AS memberships,
    (
        SELECT count(*)
        FROM pg_catalog.pg_shdepend AS dependencies
        INNER JOIN pg_catalog.pg_roles AS roles ON dependencies.refobjid = roles.oid
        WHERE
            roles.rolname = current_user
            AND dependencies.refclassid = 'pg_catalog.pg_authid'::regclass
            AND dependencies.deptype = 'o'
    ) AS owned_objects;
