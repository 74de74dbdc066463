"""Row security as it behaves: the holes of reliability.md 2.1, each tried with the rows of two provinces."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg
import pytest

from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.log.frontier import leaf_hash
from emulation_saas.postgres.database import Database, NestedTransactionError, in_transaction, open_database
from emulation_saas.postgres.server import APP_ROLE, HEADS_ROLE, KEYS_ROLE
from emulation_saas.postgres.statements import load_statements
from tests.database import connected

if TYPE_CHECKING:
    from emulation_saas.postgres.database import Connection as PooledConnection
    from tests.database import Connection

ADA: Final = ProvinceId(UUID("0190c3f2-0000-7000-8000-00000000000a"))
BAO: Final = ProvinceId(UUID("0190c3f2-0000-7000-8000-00000000000b"))
NOBODY: Final = UUID(int=1)
APPEND: Final = load_statements("emulation_saas.log")["append"]
FACTS: Final = ("events", "event_tags", "idempotency", "provinces", "tree_tiles", "access_log")
# One row of every table with row security.
ROWS: Final = {
    "log_head": "VALUES ($1::uuid, 1, now(), '', sha256('')) ",
    "events": "VALUES ($1::uuid, 1, 'log.opened.v1', now(), '{}', sha256(''))",
    "event_tags": "VALUES ($1::uuid, 'province', 1, 'log.opened.v1')",
    "idempotency": "VALUES ($1::uuid, 'operator', 'same-key', '', 1, 1)",
    "checkpoints": "VALUES ($1::uuid, 'roster', 1, 1)",
    "consumers": "VALUES ($1::uuid, 'cong', 'p-1', '{}', '{}', null)",
    "cursors": "VALUES ($1::uuid, 'consumer', 'cong', 0, now(), null, null)",
    "documents": "VALUES ($1::uuid, 'roster', 1, 'khoi-1', 1, '{}')",
    "quarantined": "VALUES ($1::uuid, 'roster', 1, 'khoi-1', 1, 'no')",
    "snapshots": "VALUES ($1::uuid, 'roster', 1, 'khoi-1', 1, '{}')",
    "access_log": "VALUES ($1::uuid, '2026-01-02', '2026-01-02 03:00Z', $1, 'p-1', 'GET /', null, null, 'names')",
    "sealing.province_keys": "VALUES ($1::uuid, decode(repeat('00', 40), 'hex'))",
    "sealing.subject_keys": "VALUES ($1::uuid, 'p-1', 1, sha256(''))",
    "sealing.log_keys": "VALUES ($1::uuid, 'vkey', sha256(''))",
    "tree_tiles": f"VALUES ($1::uuid, 0, 0, decode('{'00' * 8192}', 'hex'), sha256(''))",
    "webhook_deliveries": "VALUES ($1::uuid, 'portal', 1, 'delivered', 1, now(), null, 'delivered')",
    "webhook_receivers": "VALUES ($1::uuid, 'portal', 1, now(), null, null, 'delivered')",
    "sealing.signed_heads": "VALUES ($1::uuid, 1, sha256(''), sha256(''), 'note', now())",
}


@pytest.fixture
async def url(database_url: str, administrator: "Connection") -> str:
    """A database in which two provinces have the same rows in every table."""
    for province in (ADA, BAO):
        await administrator.execute("INSERT INTO provinces VALUES ($1, $2)", f"tinh-{province.hex[-1]}", province)
        for table, values in ROWS.items():
            await administrator.execute(f"INSERT INTO {table} {values}", province)
    return database_url


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """The service's pools with one connection each, so that the next user gets the last one's."""
    async with open_database(url, app_max=1) as opened:
        yield opened


def append_of(province: UUID, expected: int) -> Sequence[object]:
    now = datetime.now(UTC)
    body = b'{"by":"test"}'
    hashed = leaf_hash(body)
    none: list[object] = []
    event = (["test.v1"], [body], [hashed])
    return (province, expected, now, now, hashed, hashed, *event, [2], ["tag:1"], ["test.v1"], *[none] * 5)


def role_of(table: str) -> str:
    return KEYS_ROLE if table.startswith("sealing.") else APP_ROLE


def bound(database: Database, table: str, province: ProvinceId) -> "AbstractAsyncContextManager[PooledConnection]":
    """Return a transaction of the province by the role that serves the table."""
    return (database.in_province_keys if role_of(table) == KEYS_ROLE else database.in_province)(province)


async def test_tables_tried_are_all_there_are(administrator: "Connection") -> None:
    found = await administrator.fetch("SELECT oid::regclass::text AS name FROM pg_class WHERE relrowsecurity")
    assert {row["name"] for row in found} == ROWS.keys()


async def test_without_a_province_reading_fails(url: str) -> None:
    for table in ROWS:
        async with connected(url, role_of(table)) as connection:
            with pytest.raises(asyncpg.UndefinedObjectError, match=r"emulation\.province"):
                await connection.fetch(f"SELECT * FROM {table}")


async def test_without_a_province_writing_fails(url: str) -> None:
    for table, row in ROWS.items():
        async with connected(url, role_of(table)) as connection:
            with pytest.raises(asyncpg.UndefinedObjectError, match=r"emulation\.province"):
                await connection.execute(f"INSERT INTO {table} {row}", NOBODY)


async def test_without_a_province_deleting_fails_and_does_not_succeed_on_nothing(url: str) -> None:
    for table in ("checkpoints", "documents", "quarantined", "snapshots"):
        async with connected(url, APP_ROLE) as connection:
            with pytest.raises(asyncpg.UndefinedObjectError, match=r"emulation\.province"):
                await connection.execute(f"DELETE FROM {table}")


async def test_after_a_transaction_the_setting_is_empty_and_the_cast_fails(url: str) -> None:
    for table in ROWS:
        async with connected(url, role_of(table)) as connection:
            async with in_transaction(connection, ADA):
                assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 1
            assert not await connection.fetchval("SELECT current_setting('emulation.province', true)")
            with pytest.raises(asyncpg.InvalidTextRepresentationError, match="uuid"):
                await connection.fetch(f"SELECT * FROM {table}")


async def test_a_province_sees_its_own_row_only_even_when_it_asks_for_another(database: Database) -> None:
    for table in ROWS:
        async with bound(database, table, ADA) as connection:
            rows = await connection.fetch(f"SELECT province_id FROM {table}")
            assert [row["province_id"] for row in rows] == [ADA], table
            assert await connection.fetch(f"SELECT * FROM {table} WHERE province_id = $1", BAO) == [], table


async def test_a_province_cannot_write_a_row_of_another(database: Database) -> None:
    for table, row in ROWS.items():
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            async with bound(database, table, ADA) as connection:
                await connection.execute(f"INSERT INTO {table} {row}", NOBODY)


async def test_a_province_cannot_give_a_row_to_another(database: Database) -> None:
    for table in ("log_head", "checkpoints", "documents", "quarantined", "snapshots"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            async with database.in_province(ADA) as connection:
                await connection.execute(f"UPDATE {table} SET province_id = $1", NOBODY)


async def test_the_same_key_in_another_province_is_no_duplicate_and_says_nothing(database: Database) -> None:
    async with database.in_province(ADA) as connection:
        await connection.execute("INSERT INTO idempotency VALUES ($1, 'operator', 'other-key', '', 1, 1)", ADA)
    async with database.in_province(BAO) as connection:
        await connection.execute("INSERT INTO idempotency VALUES ($1, 'operator', 'other-key', '', 1, 1)", BAO)


async def test_row_security_cannot_be_switched_off(database: Database) -> None:
    async with database.app.acquire() as connection:
        await connection.execute("SET row_security = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await connection.fetch("SELECT * FROM events")


async def test_append_refuses_another_province_than_the_one_set(database: Database) -> None:
    with pytest.raises(asyncpg.PostgresError, match="another province") as refused:
        async with database.in_province(ADA) as connection:
            await connection.fetchval(APPEND, *append_of(BAO, 1))
    assert refused.value.sqlstate == "EM001"
    async with database.in_province(BAO) as connection:
        assert await connection.fetchval("SELECT count(*) FROM events") == 1


async def test_append_binds_its_own_statement_and_nothing_after_it(database: Database) -> None:
    async with database.app.acquire() as connection:
        assert await connection.fetchval(APPEND, *append_of(ADA, 1)) is True
        assert not await connection.fetchval("SELECT current_setting('emulation.province', true)")
    async with database.in_province(BAO) as connection:
        assert await connection.fetchval("SELECT position FROM log_head") == 1


async def test_after_append_the_transaction_is_bound_to_its_province(database: Database) -> None:
    async with database.app.acquire() as connection, connection.transaction():
        assert await connection.fetchval(APPEND, *append_of(ADA, 1)) is True
        with pytest.raises(asyncpg.PostgresError, match="another province") as refused:
            await connection.fetchval(APPEND, *append_of(BAO, 1))
    assert refused.value.sqlstate == "EM001"


@pytest.mark.parametrize("statement", ["UPDATE {} SET province_id = province_id", "DELETE FROM {}", "TRUNCATE {}"])
async def test_facts_can_be_neither_changed_nor_removed(database: Database, statement: str) -> None:
    for table in FACTS:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"permission denied for table {table}"):
            async with database.in_province(ADA) as connection:
                await connection.execute(statement.format(table))


async def test_the_service_cannot_read_keys(database: Database) -> None:
    for table in ("sealing.subject_keys", "sealing.province_keys", "sealing.log_keys", "sealing.signed_heads"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for schema sealing"):
            async with database.in_province(ADA) as connection:
                await connection.fetch(f"SELECT * FROM {table}")


@pytest.mark.parametrize("statement", ["UPDATE {} SET note = ''", "DELETE FROM {}", "TRUNCATE {}"])
async def test_what_was_signed_can_be_neither_changed_nor_forgotten(database: Database, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for table signed_heads"):
        async with database.in_province_keys(ADA) as connection:
            await connection.execute(statement.format("sealing.signed_heads"))


async def test_the_role_of_the_keys_reads_nothing_else(database: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        async with database.in_province_keys(ADA) as connection:
            await connection.fetch("SELECT * FROM public.events")


async def test_the_role_of_the_heads_reads_two_columns_of_all_provinces(database: Database) -> None:
    rows = await database.heads.fetch("SELECT province_id, position FROM log_head ORDER BY province_id")
    assert [tuple(row) for row in rows] == [(ADA, 1), (BAO, 1)]


async def test_the_role_of_the_heads_does_nothing_else(url: str) -> None:
    async with connected(url, HEADS_ROLE) as connection:
        await connection.execute("SET default_transaction_read_only = off")
        for statement in (
            "SELECT recorded_at FROM log_head",
            "SELECT frontier FROM log_head",
            "SELECT root FROM log_head",
            "SELECT * FROM log_head",
            "SELECT position FROM events",
            "SELECT handle FROM provinces",
            "SELECT position FROM log_head FOR UPDATE",
            "UPDATE log_head SET position = position",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                await connection.fetch(statement)


async def test_transactions_of_two_provinces_side_by_side_see_each_its_own(url: str) -> None:
    async with open_database(url, app_max=2) as database, database.in_province(ADA) as outer:
        async with database.in_province(BAO) as inner:
            assert await inner.fetchval("SELECT province_id FROM events") == BAO
            assert await outer.fetchval("SELECT province_id FROM events") == ADA
        assert await outer.fetchval("SELECT province_id FROM events") == ADA


async def test_a_savepoint_that_is_rolled_back_leaves_the_province(database: Database) -> None:
    async with database.in_province(ADA) as connection:
        await connection.execute(f"SAVEPOINT before; SET LOCAL emulation.province = '{BAO}'")
        await connection.execute("ROLLBACK TO before")
        assert await connection.fetchval("SELECT province_id FROM events") == ADA


async def nothing_is_left(database: Database) -> None:
    """Assert that the next user of the pool's only connection belongs to no province and sees nothing."""
    async with database.app.acquire(timeout=5) as connection:
        assert not await connection.fetchval("SELECT current_setting('emulation.province', true)")
        assert not connection.is_in_transaction()
        with pytest.raises((asyncpg.UndefinedObjectError, asyncpg.InvalidTextRepresentationError)):
            await connection.fetch("SELECT * FROM events")
    async with database.in_province(BAO) as connection:
        assert await connection.fetchval("SELECT province_id FROM events") == BAO


async def test_nothing_is_left_after_success(database: Database) -> None:
    async with database.in_province(ADA) as connection:
        await connection.fetch("SELECT * FROM events")
    await nothing_is_left(database)


async def test_nothing_is_left_after_a_failed_statement(database: Database) -> None:
    for statement in ("SELECT 1 / 0", "SELEC", "SELECT * FROM no_such_table"):
        with pytest.raises(asyncpg.PostgresError):
            async with database.in_province(ADA) as connection:
                await connection.execute(statement)
        await nothing_is_left(database)


async def test_nothing_is_left_after_an_error_of_ours(database: Database) -> None:
    async def failing() -> None:
        async with database.in_province(ADA) as connection:
            await connection.fetch("SELECT * FROM events")
            raise KeyError

    with pytest.raises(KeyError):
        await failing()
    await nothing_is_left(database)


async def test_nothing_is_left_of_a_setting_for_the_session(database: Database) -> None:
    """Nobody should say SET without LOCAL; if somebody does, the pool's reset takes it away."""
    async with database.app.acquire() as connection:
        await connection.execute(f"SET emulation.province = '{ADA}'")
    await nothing_is_left(database)


@pytest.mark.parametrize("cancelled_times", [1, 2])
@pytest.mark.parametrize("statement", ["SELECT pg_sleep(30)", None])
async def test_nothing_is_left_after_cancellation(
    database: Database, statement: str | None, cancelled_times: int
) -> None:
    """Cancelled while a statement runs, or between two; also once more while the first is cleaned up."""
    inside = asyncio.Event()

    async def reading() -> None:
        async with database.in_province(ADA) as connection:
            await connection.fetch("SELECT * FROM events")
            inside.set()
            await (connection.execute(statement) if statement else asyncio.sleep(30))

    task = asyncio.create_task(reading())
    await inside.wait()
    await asyncio.sleep(0.05)
    for _ in range(cancelled_times):
        task.cancel()
        await asyncio.sleep(0)
    with suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    await nothing_is_left(database)


async def test_nothing_is_left_when_the_server_ends_the_connection(
    database: Database, administrator: "Connection"
) -> None:
    async def reading() -> None:
        async with database.in_province(ADA) as connection:
            backend = await connection.fetchval("SELECT pg_backend_pid()")
            await administrator.execute("SELECT pg_terminate_backend($1, 5000)", backend)
            await connection.fetch("SELECT * FROM events")

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await reading()
    await nothing_is_left(database)


async def test_transactions_do_not_nest_on_one_connection(database_url: str) -> None:
    async with open_database(database_url) as database, database.in_province(ADA) as connection:
        with pytest.raises(NestedTransactionError):
            async with in_transaction(connection, BAO):
                raise AssertionError
