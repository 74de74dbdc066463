"""What keeps provinces apart, read from the database's own catalogue: every object must be shown to be harmless.

It holds for objects nobody has thought of yet: a new table, column right, index, function or role is a fault until it
obeys the same rules as all others. What may differ stands in the constants below, which are the whole allow-list.
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from emulation_saas.postgres.server import APP_ROLE, HEADS_ROLE, KEYS_ROLE, LOGIN_ROLES, MIGRATE_ROLE, OWNER_ROLE

if TYPE_CHECKING:
    from asyncpg import Record

    from tests.database import Connection

# The registry means which province a handle is, so it has no province to belong to.
REGISTRY: Final = "public.provinces"
# The migrations' own record; nobody but the owner may touch it.
MIGRATIONS: Final = "public.schema_migrations"
# The one policy that shows more than a province, and the only columns that its role may read.
HEADS: Final = "public.log_head"
HEADS_COLUMNS: Final = frozenset({"province_id", "position"})
# What may be changed after it was written. Everything else can only be added to: a fact is never changed or removed.
CHANGEABLE: Final = {
    HEADS: {"UPDATE"},
    "public.checkpoints": {"UPDATE", "DELETE"},
    "public.consumers": {"UPDATE", "DELETE"},
    "public.cursors": {"UPDATE", "DELETE"},
    "public.documents": {"UPDATE", "DELETE"},
    "public.quarantined": {"UPDATE", "DELETE"},
    "public.snapshots": {"UPDATE", "DELETE"},
    "public.webhook_deliveries": {"UPDATE", "DELETE"},
    "public.webhook_receivers": {"UPDATE", "DELETE"},
    "sealing.subject_keys": {"UPDATE", "DELETE"},
    "sealing.province_keys": {"UPDATE"},
}
# Which role serves a schema. No other schema may exist, and no other role may come in, but heads to look.
SERVING: Final = {"public": APP_ROLE, "sealing": KEYS_ROLE}
SCHEMA_RIGHTS: Final = {("public", APP_ROLE, "USAGE"), ("public", HEADS_ROLE, "USAGE"), ("sealing", KEYS_ROLE, "USAGE")}

OWN_PROVINCE: Final = "(province_id = (current_setting('emulation.province'::text))::uuid)"
ROLES: Final = (OWNER_ROLE, *LOGIN_ROLES)
# Settings that would undo the rest if a role or a database brought them along.
DANGEROUS_SETTINGS: Final = ("emulation.", "row_security", "search_path", "role", "session_", "local_preload")


async def faults(connection: "Connection") -> list[str]:
    """Return everything in this database that could let one province see or touch another; sorted, empty when sound.

    Args:
        connection: a superuser's; nothing is written.
    """
    checks = (
        _tables(connection),
        _policies(connection),
        _columns(connection),
        _indexes(connection),
        _foreign_keys(connection),
        _foreign_objects(connection),
        _table_rights(connection),
        _column_rights(connection),
        _functions(connection),
        _schemas(connection),
        _owners(connection),
        _default_rights(connection),
        _roles(connection),
        _memberships(connection),
        _settings(connection),
    )
    return sorted([fault for check in checks async for fault in check])


async def _tables(connection: "Connection") -> AsyncIterator[str]:
    for table in await _protected(connection):
        if not table["enabled"]:
            yield f"{table['name']}: row security is not enabled"
        if not table["forced"]:
            yield f"{table['name']}: row security is not forced"
        if table["is_part"]:
            yield f"{table['name']}: is part of another table, whose row security does not hold here"


async def _protected(connection: "Connection") -> "list[Record]":
    """Return every ordinary or partitioned table but the two that belong to no province."""
    return await connection.fetch(
        """
        SELECT t.oid, t.oid::regclass::text AS short, n.nspname || '.' || t.relname AS name, n.nspname AS schema,
            t.relrowsecurity AS enabled, t.relforcerowsecurity AS forced,
            EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = t.oid) AS is_part
        FROM pg_class AS t INNER JOIN pg_namespace AS n ON n.oid = t.relnamespace
        WHERE t.oid >= 16384 AND t.relkind IN ('r', 'p') AND n.nspname || '.' || t.relname <> ALL ($1::text [])
        """,
        [REGISTRY, MIGRATIONS],
    )


async def _policies(connection: "Connection") -> AsyncIterator[str]:
    rows = await connection.fetch(
        """
        SELECT schemaname || '.' || tablename AS table, policyname AS policy,
            permissive || ' ' || cmd || ' TO ' || array_to_string(roles, ',') AS kind, qual, with_check
        FROM pg_policies
        """
    )
    wanted: dict[tuple[str, str], tuple[str, str, str | None]] = {
        (table["name"], "own_province"): (
            f"PERMISSIVE ALL TO {SERVING.get(table['schema'])}",
            OWN_PROVINCE,
            OWN_PROVINCE,
        )
        for table in await _protected(connection)
    }
    wanted[HEADS, "heads_of_all"] = (f"PERMISSIVE SELECT TO {HEADS_ROLE}", "true", None)
    found = {(row["table"], row["policy"]): (row["kind"], row["qual"], row["with_check"]) for row in rows}
    for table, policy in wanted.keys() - found.keys():
        yield f"{table}: policy {policy} is missing"
    for (table, policy), (kind, using, check) in found.items():
        golden = wanted.get((table, policy))
        if golden is None:
            yield f"{table}: policy {policy} is not known"
        elif golden != (kind, using, check):
            yield f"{table}: policy {policy} reads {kind} USING {using} WITH CHECK {check}"


async def _columns(connection: "Connection") -> AsyncIterator[str]:
    for table in await _protected(connection):
        shape = await connection.fetchval(
            """
            SELECT format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
            FROM pg_attribute WHERE attrelid = $1 AND attname = 'province_id' AND NOT attisdropped
            """,
            table["oid"],
        )
        if shape != "uuid NOT NULL":
            yield f"{table['name']}: province_id is {shape}"


async def _indexes(connection: "Connection") -> AsyncIterator[str]:
    for table in await _protected(connection):
        rows = await connection.fetch(
            """
            SELECT i.indexrelid::regclass::text AS name FROM pg_index AS i
            LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey [0]
            WHERE i.indrelid = $1 AND a.attname IS DISTINCT FROM 'province_id'
            """,
            table["oid"],
        )
        for row in rows:
            yield f"{table['name']}: index {row['name']} does not begin with province_id"


async def _foreign_keys(connection: "Connection") -> AsyncIterator[str]:
    protected = {table["oid"] for table in await _protected(connection)}
    rows = await connection.fetch(
        """
        SELECT c.conname AS name, c.conrelid::regclass::text AS table, c.conrelid, c.confrelid,
            EXISTS (
                SELECT FROM unnest(c.conkey, c.confkey) AS pair (here, there)
                INNER JOIN pg_attribute AS h ON h.attrelid = c.conrelid AND h.attnum = pair.here
                INNER JOIN pg_attribute AS t ON t.attrelid = c.confrelid AND t.attnum = pair.there
                WHERE h.attname = 'province_id' AND t.attname = 'province_id'
            ) AS carries
        FROM pg_constraint AS c WHERE c.contype = 'f'
        """
    )
    for row in rows:
        if not row["carries"]:
            yield f"{row['table']}: foreign key {row['name']} does not carry province_id"
        if not {row["conrelid"], row["confrelid"]} <= protected:
            yield f"{row['table']}: foreign key {row['name']} joins a table without row security"


async def _foreign_objects(connection: "Connection") -> AsyncIterator[str]:
    """Whatever shows or moves rows past the row security of tables, or could not be spread over servers."""
    rows = await connection.fetch(
        """
        SELECT 'materialized view' AS kind, oid::regclass::text AS name FROM pg_class
        WHERE oid >= 16384 AND relkind = 'm'
        UNION ALL SELECT 'foreign table', oid::regclass::text FROM pg_class WHERE oid >= 16384 AND relkind = 'f'
        UNION ALL SELECT 'sequence', oid::regclass::text FROM pg_class WHERE oid >= 16384 AND relkind = 'S'
        UNION ALL SELECT 'view without security_invoker', oid::regclass::text FROM pg_class
        WHERE oid >= 16384 AND relkind = 'v' AND NOT coalesce(reloptions && '{security_invoker=true}', false)
        UNION ALL SELECT 'trigger', tgname FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT 'event trigger', evtname FROM pg_event_trigger
        UNION ALL SELECT 'rule', rulename FROM pg_rewrite WHERE oid >= 16384 AND rulename <> '_RETURN'
        UNION ALL SELECT 'publication', pubname FROM pg_publication
        """
    )
    for row in rows:
        yield f"{row['kind']} {row['name']} is not allowed"


async def _table_rights(connection: "Connection") -> AsyncIterator[str]:
    rows = await connection.fetch(
        """
        SELECT n.nspname AS schema, n.nspname || '.' || t.relname AS table, r.privilege_type AS right, r.is_grantable,
            coalesce(g.rolname, 'PUBLIC') AS role
        FROM pg_class AS t
        INNER JOIN pg_namespace AS n ON n.oid = t.relnamespace
        CROSS JOIN aclexplode(t.relacl) AS r
        LEFT JOIN pg_roles AS g ON g.oid = r.grantee
        WHERE t.oid >= 16384 AND r.grantee <> t.relowner
        """
    )
    for row in rows:
        allowed = {"SELECT", "INSERT"} | CHANGEABLE.get(row["table"], set())
        if row["table"] == MIGRATIONS or row["role"] != SERVING.get(row["schema"]) or row["right"] not in allowed:
            yield f"{row['table']}: {row['role']} may {row['right']}"
        elif row["is_grantable"]:
            yield f"{row['table']}: {row['role']} may pass on {row['right']}"


async def _column_rights(connection: "Connection") -> AsyncIterator[str]:
    rows = await connection.fetch(
        """
        SELECT n.nspname || '.' || t.relname AS table, a.attname AS column, coalesce(g.rolname, 'PUBLIC') AS role,
            r.privilege_type || CASE WHEN r.is_grantable THEN ' AND PASS ON' ELSE '' END AS right
        FROM pg_attribute AS a
        INNER JOIN pg_class AS t ON t.oid = a.attrelid
        INNER JOIN pg_namespace AS n ON n.oid = t.relnamespace
        CROSS JOIN aclexplode(a.attacl) AS r
        LEFT JOIN pg_roles AS g ON g.oid = r.grantee
        WHERE t.oid >= 16384 AND r.grantee <> t.relowner
        """
    )
    wanted = {(HEADS, column, HEADS_ROLE, "SELECT") for column in HEADS_COLUMNS}
    found = {(row["table"], row["column"], row["role"], row["right"]) for row in rows}
    for table, column, role, right in found - wanted:
        yield f"{table}: {role} may {right} column {column}"
    for table, column, role, right in wanted - found:
        yield f"{table}: {role} may no longer {right} column {column}"


async def _functions(connection: "Connection") -> AsyncIterator[str]:
    rows = await connection.fetch(
        """
        SELECT f.oid::regprocedure::text AS name, f.oid >= 16384 AND f.proleakproof AS is_leakproof,
            f.prosecdef AS is_definer, coalesce(g.rolname, 'PUBLIC') AS role, r.grantee <> f.proowner AS is_granted
        FROM pg_proc AS f
        CROSS JOIN aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) AS r
        LEFT JOIN pg_roles AS g ON g.oid = r.grantee
        WHERE f.oid >= 16384 OR f.prosecdef
        """
    )
    for name in sorted({row["name"] for row in rows if row["is_definer"]}):
        yield f"function {name} runs with its owner's rights"
    for name in sorted({row["name"] for row in rows if row["is_leakproof"]}):
        yield f"function {name} claims to be leakproof, so it runs before row security"
    for row in rows:
        if row["is_granted"] and row["role"] not in SERVING.values():
            yield f"function {row['name']}: {row['role']} may call it"


async def _schemas(connection: "Connection") -> AsyncIterator[str]:
    rows = await connection.fetch(
        """
        SELECT n.nspname AS schema, coalesce(g.rolname, 'PUBLIC') AS role, r.privilege_type AS right
        FROM pg_namespace AS n
        LEFT JOIN LATERAL aclexplode(n.nspacl) AS r ON r.grantee <> n.nspowner
        LEFT JOIN pg_roles AS g ON g.oid = r.grantee
        WHERE n.nspname <> ALL ('{pg_catalog,information_schema,pg_toast}') AND n.nspname !~ '^pg_(toast_)?temp_'
        """
    )
    for name in sorted({row["schema"] for row in rows} - SERVING.keys()):
        yield f"schema {name} is not known"
    found = {(row["schema"], row["role"], row["right"]) for row in rows if row["right"] is not None}
    for name, role, right in found - SCHEMA_RIGHTS:
        yield f"schema {name}: {role} has {right}"
    rights = await connection.fetch(
        """
        SELECT coalesce(g.rolname, 'PUBLIC') AS role, r.privilege_type AS right
        FROM pg_database AS d
        CROSS JOIN aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS r
        LEFT JOIN pg_roles AS g ON g.oid = r.grantee
        WHERE d.datname = current_database() AND r.grantee <> d.datdba
        """
    )
    for row in rights:
        if row["role"] not in LOGIN_ROLES or row["right"] != "CONNECT":
            yield f"the database: {row['role']} has {row['right']}"


async def _owners(connection: "Connection") -> AsyncIterator[str]:
    """Who owns an object can switch its row security off; a superuser's function or view is above it."""
    rows = await connection.fetch(
        """
        SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS name, pg_get_userbyid(d.refobjid) AS role
        FROM pg_shdepend AS d INNER JOIN pg_database AS b ON d.dbid IN (b.oid, 0)
        WHERE b.datname = current_database() AND d.deptype = 'o' AND pg_get_userbyid(d.refobjid) = ANY ($1::text [])
        """,
        list(LOGIN_ROLES),
    )
    for row in rows:
        yield f"{row['role']} owns {row['name']}"
    rows = await connection.fetch(
        """
        SELECT 'relation ' || oid::regclass::text AS name, pg_get_userbyid(relowner) AS role FROM pg_class
        WHERE oid >= 16384 AND relkind NOT IN ('t', 'i', 'I', 'c')
        UNION ALL SELECT 'function ' || oid::regprocedure::text, pg_get_userbyid(proowner) FROM pg_proc
        WHERE oid >= 16384
        UNION ALL SELECT 'schema ' || nspname, pg_get_userbyid(nspowner) FROM pg_namespace
        WHERE nspname = ANY ($1::text [])
        UNION ALL SELECT 'database', pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()
        """,
        list(SERVING),
    )
    for row in rows:
        if row["role"] not in ROLES:  # a login role is told above
            yield f"{row['name']} belongs to {row['role']}"


async def _default_rights(connection: "Connection") -> AsyncIterator[str]:
    """What is made from now on must be reachable by nobody until a migration says so."""
    rows = await connection.fetch(
        """
        SELECT pg_get_userbyid(d.defaclrole) AS owner, d.defaclobjtype AS kind, r.privilege_type AS right,
            coalesce(g.rolname, 'PUBLIC') AS role
        FROM pg_default_acl AS d
        CROSS JOIN aclexplode(d.defaclacl) AS r
        LEFT JOIN pg_roles AS g ON g.oid = r.grantee
        """
    )
    for row in rows:
        if row["role"] != row["owner"]:
            yield f"default rights: {row['role']} gets {row['right']} on what {row['owner']} makes"
    if (OWNER_ROLE, b"f") not in {(row["owner"], row["kind"]) for row in rows}:
        yield f"default rights: PUBLIC gets EXECUTE on what {OWNER_ROLE} makes"


async def _roles(connection: "Connection") -> AsyncIterator[str]:
    rows = await connection.fetch(
        """
        SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolcanlogin FROM pg_roles
        WHERE rolname = ANY ($1::text [])
        """,
        list(ROLES),
    )
    for row in rows:
        powers = {name for name, has in row.items() if has is True} - {"rolcanlogin"}
        for power in sorted(powers):
            yield f"{row['rolname']} has {power}"
        if row["rolcanlogin"] != (row["rolname"] in LOGIN_ROLES):
            yield f"{row['rolname']}: rolcanlogin is {row['rolcanlogin']}"


async def _memberships(connection: "Connection") -> AsyncIterator[str]:
    """Only the migrator may become the owner, and only by saying so."""
    rows = await connection.fetch(
        """
        SELECT pg_get_userbyid(roleid) AS granted, pg_get_userbyid(member) AS member, admin_option, inherit_option
        FROM pg_auth_members
        WHERE pg_get_userbyid(roleid) = ANY ($1::text []) OR pg_get_userbyid(member) = ANY ($1::text [])
        """,
        list(ROLES),
    )
    for row in rows:
        if (row["granted"], row["member"]) != (OWNER_ROLE, MIGRATE_ROLE):
            yield f"{row['member']} is a member of {row['granted']}"
        elif row["admin_option"] or row["inherit_option"]:
            yield f"{row['member']} has the rights of {row['granted']} without asking, or may pass them on"


async def _settings(connection: "Connection") -> AsyncIterator[str]:
    rows = await connection.fetch(
        """
        SELECT CASE WHEN setrole = 0 THEN 'everybody' ELSE pg_get_userbyid(setrole) END AS role,
            unnest(setconfig) AS setting
        FROM pg_db_role_setting
        """
    )
    for row in rows:
        if row["setting"].startswith(DANGEROUS_SETTINGS):
            yield f"{row['role']} brings along {row['setting']}"
    rows = await connection.fetch(
        """
        SELECT p.parname AS setting, coalesce(g.rolname, 'PUBLIC') AS role
        FROM pg_parameter_acl AS p
        CROSS JOIN aclexplode(p.paracl) AS r
        LEFT JOIN pg_roles AS g ON g.oid = r.grantee
        WHERE g.rolname = ANY ($1::text []) OR r.grantee = 0
        """,
        list(ROLES),
    )
    for row in rows:
        yield f"{row['role']} may change {row['setting']}"
