"""No check of the catalogue is idle: for each thing it can say, a fault of which it says it."""

from typing import TYPE_CHECKING, Final

import pytest

from tests.isolation.catalogue import OWN_PROVINCE
from tests.isolation.mutants import SOUND_TABLE, Mutant, said_of

if TYPE_CHECKING:
    from tests.database import Connection

SUPERUSER: Final = "postgres"
FOR_ALL: Final = "PERMISSIVE ALL TO public"
APPEND_TYPES: Final = (
    "uuid,bigint,timestamp with time zone,timestamp with time zone,bytea,bytea,text[],bytea[],bytea[],"
    "bigint[],text[],text[],text[],text[],bytea[],bigint[],bigint[]"
)
SOMEBODYS_ID: Final = "0190c3f2-0000-7000-8000-000000000001"

TABLES: Final = [
    Mutant(
        "province may be missing",
        f"{SOUND_TABLE} ALTER TABLE notes DROP CONSTRAINT notes_pkey, ALTER province_id DROP NOT NULL",
        ("public.notes: province_id is uuid",),
    ),
    Mutant(
        "table without a province",
        f"{SOUND_TABLE} DROP POLICY own_province ON notes; ALTER TABLE notes DROP province_id",
        ("public.notes: policy own_province is missing", "public.notes: province_id is None"),
    ),
    Mutant(
        "slow index without province_id",
        "CREATE INDEX events_of_all_by_type ON events (type, province_id)",
        ("public.events: index events_of_all_by_type does not begin with province_id",),
    ),
    Mutant(
        "index on an expression",
        "CREATE INDEX events_by_text ON events ((province_id::text))",
        ("public.events: index events_by_text does not begin with province_id",),
    ),
    Mutant(
        "foreign key to the registry",
        "ALTER TABLE log_head ADD CONSTRAINT known FOREIGN KEY (province_id) REFERENCES provinces (province_id)",
        ("log_head: foreign key known joins a table without row security",),
    ),
    Mutant(
        "part of a table",
        "CREATE TABLE old_events () INHERITS (events); GRANT SELECT ON old_events TO emulation_app",
        (
            "public.old_events: is part of another table, whose row security does not hold here",
            "public.old_events: policy own_province is missing",
            "public.old_events: row security is not enabled",
            "public.old_events: row security is not forced",
        ),
    ),
    Mutant(
        "heads policy for the service's role",
        "ALTER POLICY heads_of_all ON log_head TO emulation_app",
        ("public.log_head: policy heads_of_all reads PERMISSIVE SELECT TO emulation_app USING true WITH CHECK None",),
    ),
    Mutant(
        "policy for everybody",
        "ALTER POLICY own_province ON events TO public",
        (f"public.events: policy own_province reads {FOR_ALL} USING {OWN_PROVINCE} WITH CHECK {OWN_PROVINCE}",),
    ),
]

OBJECTS: Final = [
    Mutant("sequence", "CREATE SEQUENCE numbers", ("sequence numbers is not allowed",)),
    Mutant(
        "trigger",
        "CREATE TRIGGER echo BEFORE UPDATE ON log_head FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        ("trigger echo is not allowed",),
    ),
    Mutant(
        "event trigger",
        "CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; RESET ROLE;"
        "CREATE EVENT TRIGGER watching ON sql_drop EXECUTE FUNCTION watch()",
        ("event trigger watching is not allowed",),
    ),
    Mutant("rule", "CREATE RULE echo AS ON INSERT TO events DO ALSO NOTHING", ("rule echo is not allowed",)),
    Mutant("publication", "CREATE PUBLICATION feed FOR TABLE events", ("publication feed is not allowed",)),
    Mutant(
        "foreign table",
        "CREATE FOREIGN DATA WRAPPER elsewhere; CREATE SERVER far FOREIGN DATA WRAPPER elsewhere;"
        "CREATE FOREIGN TABLE copies (province_id uuid) SERVER far;"
        "ALTER FOREIGN TABLE copies OWNER TO emulation_owner",
        ("foreign table copies is not allowed",),
        role=SUPERUSER,
    ),
    Mutant(
        "leakproof function",
        "CREATE FUNCTION calm() RETURNS boolean LANGUAGE sql LEAKPROOF AS 'SELECT true';"
        "ALTER FUNCTION calm OWNER TO emulation_owner; REVOKE ALL ON FUNCTION calm FROM public",
        ("function calm() claims to be leakproof, so it runs before row security",),
        role=SUPERUSER,
    ),
    Mutant(
        "function of a superuser",
        "CREATE FUNCTION calm() RETURNS boolean LANGUAGE sql AS 'SELECT true'; REVOKE ALL ON FUNCTION calm FROM public",
        ("function calm() belongs to postgres",),
        role=SUPERUSER,
    ),
    Mutant(
        "table of the service's role",
        "ALTER TABLE documents OWNER TO emulation_app",
        ("emulation_app owns table documents",),
        role=SUPERUSER,
    ),
    Mutant("schema", "CREATE SCHEMA corner", ("schema corner is not known",)),
]

RIGHTS: Final = [
    Mutant("public", "GRANT SELECT ON events TO public", ("public.events: PUBLIC may SELECT",)),
    Mutant("remove", "GRANT DELETE ON idempotency TO emulation_app", ("public.idempotency: emulation_app may DELETE",)),
    Mutant("rename", "GRANT UPDATE ON provinces TO emulation_app", ("public.provinces: emulation_app may UPDATE",)),
    Mutant("empty", "GRANT TRUNCATE ON documents TO emulation_app", ("public.documents: emulation_app may TRUNCATE",)),
    Mutant("forget", "GRANT DELETE ON access_log TO emulation_app", ("public.access_log: emulation_app may DELETE",)),
    Mutant(
        "lose all names",
        "GRANT DELETE ON sealing.province_keys TO emulation_keys",
        ("sealing.province_keys: emulation_keys may DELETE",),
    ),
    Mutant(
        "more than the heads",
        "GRANT SELECT ON log_head TO emulation_heads",
        ("public.log_head: emulation_heads may SELECT",),
    ),
    Mutant(
        "keys",
        "GRANT SELECT ON sealing.log_keys TO emulation_app; GRANT USAGE ON SCHEMA sealing TO emulation_app",
        ("schema sealing: emulation_app has USAGE", "sealing.log_keys: emulation_app may SELECT"),
    ),
    Mutant(
        "migrations",
        "GRANT SELECT ON schema_migrations TO emulation_app",
        ("public.schema_migrations: emulation_app may SELECT",),
    ),
    Mutant(
        "passed on",
        "GRANT SELECT ON events TO emulation_app WITH GRANT OPTION",
        ("public.events: emulation_app may pass on SELECT",),
    ),
    Mutant(
        "another column of the heads",
        "GRANT SELECT (root) ON log_head TO emulation_heads",
        ("public.log_head: emulation_heads may SELECT column root",),
    ),
    Mutant(
        "one column of an event may change",
        "GRANT UPDATE (body) ON events TO emulation_app",
        ("public.events: emulation_app may UPDATE column body",),
    ),
    Mutant(
        "a column less of the heads",
        "REVOKE SELECT (position) ON log_head FROM emulation_heads",
        ("public.log_head: emulation_heads may no longer SELECT column position",),
    ),
    Mutant(
        "append by everybody",
        "GRANT EXECUTE ON FUNCTION append_v1 TO public",
        (f"function append_v1({APPEND_TYPES}): PUBLIC may call it",),
    ),
    Mutant(
        "objects of the service's role",
        "GRANT CREATE ON SCHEMA public TO emulation_app",
        ("schema public: emulation_app has CREATE",),
    ),
    Mutant(
        "temporary tables",
        "DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO emulation_app', current_database()); END $$",
        ("the database: emulation_app has TEMPORARY",),
    ),
    Mutant(
        "tables to come",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO emulation_heads",
        ("default rights: emulation_heads gets SELECT on what emulation_owner makes",),
    ),
    Mutant(
        "functions to come",
        "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO public",
        ("default rights: PUBLIC gets EXECUTE on what emulation_owner makes",),
    ),
]

ROLES: Final = [
    Mutant("owner logs in", "ALTER ROLE emulation_owner LOGIN", ("emulation_owner: rolcanlogin is True",)),
    Mutant("makes roles", "ALTER ROLE emulation_keys CREATEROLE", ("emulation_keys has rolcreaterole",)),
    Mutant("superuser", "ALTER ROLE emulation_heads SUPERUSER", ("emulation_heads has rolsuper",)),
    Mutant(
        "reads all data",
        "GRANT pg_read_all_data TO emulation_keys",
        ("emulation_keys is a member of pg_read_all_data",),
    ),
    Mutant(
        "migrator is the owner all the time",
        "GRANT emulation_owner TO emulation_migrate WITH INHERIT TRUE",
        ("emulation_migrate has the rights of emulation_owner without asking, or may pass them on",),
    ),
    Mutant(
        "a province brought along",
        f"ALTER ROLE emulation_app SET emulation.province = '{SOMEBODYS_ID}'",
        (f"emulation_app brings along emulation.province={SOMEBODYS_ID}",),
    ),
    Mutant(
        "may switch constraints off",
        "GRANT SET ON PARAMETER session_replication_role TO emulation_app",
        ("emulation_app may change session_replication_role",),
    ),
]


@pytest.mark.parametrize("mutant", [*TABLES, *OBJECTS, *RIGHTS], ids=lambda each: each.name)
async def test_a_fault_of_the_schema_is_named(mutant: Mutant, administrator: "Connection") -> None:
    assert await said_of(mutant, administrator) == list(mutant.said)


@pytest.mark.parametrize("mutant", ROLES, ids=lambda each: each.name)
async def test_a_fault_of_a_role_is_named(mutant: Mutant, administrator: "Connection") -> None:
    by_superuser = Mutant(mutant.name, mutant.sql, mutant.said, role=SUPERUSER)
    assert await said_of(by_superuser, administrator) == list(mutant.said)


async def test_a_table_that_obeys_the_rules_needs_no_exception(administrator: "Connection") -> None:
    assert await said_of(Mutant("sound", SOUND_TABLE, ()), administrator) == []
