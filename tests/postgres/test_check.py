"""Which server and roles are refused, and why: each point alone makes the difference."""

from dataclasses import replace

import asyncpg
import pytest

from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.postgres.server import (
    APP_ROLE,
    BACKUP_ROLE,
    KEYS_ROLE,
    LOGIN_ROLES,
    MIGRATE_ROLE,
    OWNER_ROLE,
    ServerFacts,
    ServerRefusedError,
    check_server,
    refusal,
    role_dsn,
    warnings_of,
)
from tests.database import connected, superuser

GOOD = ServerFacts(
    version_number=180006,
    version_text="18.6",
    encoding="UTF8",
    data_checksums="on",
    fsync="on",
    full_page_writes="on",
    synchronous_commit="on",
    connections_max=97,
    role_name=APP_ROLE,
    is_superuser=False,
    bypasses_rls=False,
    may_administer=False,
    memberships=0,
    owned_objects=0,
)


@pytest.mark.parametrize("number", [170006, 170011, 180006, 180009])
def test_known_versions_without_holes_are_accepted(number: int) -> None:
    assert refusal(replace(GOOD, version_number=number)) is None


@pytest.mark.parametrize("number", [160010, 170005, 180005, 190000, 190001])
def test_old_and_unknown_versions_are_refused(number: int) -> None:
    assert "use 1" in str(refusal(replace(GOOD, version_number=number)))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (replace(GOOD, fsync="off"), "fsync is off"),
        (replace(GOOD, full_page_writes="off"), "full_page_writes is off"),
        (replace(GOOD, synchronous_commit="off"), "synchronous_commit is off"),
        (replace(GOOD, encoding="SQL_ASCII"), "SQL_ASCII"),
        (replace(GOOD, is_superuser=True), "is a superuser"),
        (replace(GOOD, bypasses_rls=True), "bypasses row security"),
        (replace(GOOD, may_administer=True), "may create roles"),
        (replace(GOOD, memberships=1), "is a member"),
        (replace(GOOD, owned_objects=1), "owns objects"),
    ],
)
def test_each_danger_alone_is_refused(facts: ServerFacts, reason: str) -> None:
    assert reason in str(refusal(facts))


def test_workers_that_the_server_cannot_serve_are_refused() -> None:
    assert refusal(replace(GOOD, connections_max=44), workers=4) is None
    assert "4 workers need up to 44 connections" in str(refusal(replace(GOOD, connections_max=43), workers=4))


def test_missing_checksums_only_warn() -> None:
    without = replace(GOOD, data_checksums="off")
    assert refusal(without) is None
    assert len(warnings_of(without)) == 1
    assert warnings_of(GOOD) == []


async def test_a_fresh_database_is_accepted(database_url: str) -> None:
    assert await check_server(database_url) == []


@pytest.mark.parametrize(
    ("danger", "undone", "reason"),
    [
        (f"ALTER ROLE {APP_ROLE} SUPERUSER", f"ALTER ROLE {APP_ROLE} NOSUPERUSER", "superuser"),
        (f"ALTER ROLE {KEYS_ROLE} BYPASSRLS", f"ALTER ROLE {KEYS_ROLE} NOBYPASSRLS", "row security"),
        (f"ALTER ROLE {APP_ROLE} CREATEDB", f"ALTER ROLE {APP_ROLE} NOCREATEDB", "may create"),
        (f"GRANT {OWNER_ROLE} TO {APP_ROLE}", f"REVOKE {OWNER_ROLE} FROM {APP_ROLE}", "member"),
        (
            f"CREATE TABLE mine (); ALTER TABLE mine OWNER TO {APP_ROLE}",
            "DROP TABLE mine",
            "owns objects",
        ),
        (
            f"ALTER ROLE {APP_ROLE} SET synchronous_commit = off",
            f"ALTER ROLE {APP_ROLE} RESET synchronous_commit",
            "synchronous_commit is off",
        ),
        (f"ALTER ROLE {APP_ROLE} NOLOGIN", f"ALTER ROLE {APP_ROLE} LOGIN", "cannot log in"),
    ],
)
async def test_a_real_server_with_one_danger_is_refused(
    server: EmbeddedPostgres, database_url: str, danger: str, undone: str, reason: str
) -> None:
    async with superuser(server) as connection:
        await connection.execute(danger)
        try:
            with pytest.raises(ServerRefusedError, match=reason):
                await check_server(database_url)
        finally:
            await connection.execute(undone)


async def test_login_roles_have_no_rights_but_their_own(server: EmbeddedPostgres, database_url: str) -> None:
    async with superuser(server) as connection:
        flags = await connection.fetch(
            "SELECT rolname, rolcanlogin, rolinherit FROM pg_roles WHERE rolname LIKE 'emulation%' ORDER BY 1"
        )
        assert {row["rolname"]: row["rolcanlogin"] for row in flags} == {
            **dict.fromkeys((*LOGIN_ROLES, BACKUP_ROLE), True),
            OWNER_ROLE: False,
        }
    for role in LOGIN_ROLES:
        async with connected(database_url, role) as connection:
            await connection.execute("SET default_transaction_read_only = off")
            for forbidden in ("CREATE TABLE public.mine ()", "CREATE TEMP TABLE mine ()", "CREATE SCHEMA mine"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(forbidden)
            if role != MIGRATE_ROLE:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(f"SET ROLE {OWNER_ROLE}")


async def test_a_lost_session_of_the_service_ends_by_itself(database_url: str) -> None:
    async with connected(database_url, APP_ROLE) as connection:
        for setting, limit in (
            ("statement_timeout", "30s"),
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "30s"),
        ):
            assert await connection.fetchval("SELECT current_setting($1)", setting) == limit


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql:///emulation?host=/s&passfile=/p", "postgresql://app@/emulation?host=/s&passfile=/p"),
        ("postgresql://db.example:5433/x", "postgresql://app@db.example:5433/x"),
        ("postgres://:s%40cret@db/x?sslmode=verify-full", "postgres://app:s%40cret@db/x?sslmode=verify-full"),
        ("postgresql://[::1]:5432/x", "postgresql://app@[::1]:5432/x"),
    ],
)
def test_a_role_is_put_into_the_url_and_nothing_else_changes(url: str, expected: str) -> None:
    assert role_dsn(url, "app") == expected


@pytest.mark.parametrize("url", ["mysql://db/x", "postgresql://me:secret@db/x", "postgresql:///x?user=me", "emulation"])
def test_a_url_with_a_user_or_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="database URL") as refused:
        role_dsn(url, "app")
    assert "secret" not in str(refused.value)
