"""The service's connections: one pool a role, and transactions that belong to one province."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import asyncpg

from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.postgres.connecting import LOST_CLIENT, Route
from emulation_saas.postgres.server import APP_ROLE, CONNECTIONS_MAX, HEADS_ROLE, KEYS_ROLE, role_dsn

if TYPE_CHECKING:
    from asyncpg import Connection as _Connection
    from asyncpg import Record
    from asyncpg.pool import Pool as _Pool
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = "_Connection[Record] | PoolConnectionProxy[Record]"
    Pool: TypeAlias = "_Pool[Record]"
else:
    Connection = object
    Pool = object

ACQUIRE_TIMEOUT_S: Final = 10.0
COMMAND_TIMEOUT_S: Final = 30.0
ROLLBACK_TIMEOUT_S: Final = 2.0


class NestedTransactionError(Exception):
    """A connection that belongs to a transaction was to begin another: a bug."""


@dataclass(frozen=True)
class Database:
    """Three roles, three pools: the log and the documents, the keys, the heads of all logs."""

    url: str
    app: "Pool"
    keys: "Pool"
    heads: "Pool"

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Open the pools and close them at the end."""
        async with self.app, self.keys, self.heads:
            yield

    async def fetch(self, statement: str, *arguments: object) -> "list[Record]":
        """Return the rows of what belongs to no province.

        A pool's own `fetch` is not bounded: giving a connection back waits for ever for a server that says nothing.
        """
        async with self.app.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
            return await connection.fetch(statement, *arguments)

    async def renew(self) -> None:
        """Let no connection be used again that is open now: the server behind them may be gone without a word."""
        for pool in (self.app, self.keys, self.heads):
            await pool.expire_connections()

    @asynccontextmanager
    async def in_province(self, province: ProvinceId) -> AsyncGenerator["Connection"]:
        """Lend a connection in a transaction that sees this province and nothing else."""
        async with _transaction(self.app, province) as connection:
            yield connection

    @asynccontextmanager
    async def in_province_lazily(self, province: ProvinceId) -> AsyncGenerator["Connection"]:
        """Lend the same for what can be computed again: a crash of the server may lose the newest such transactions.

        They are lost whole and from the end, so documents and their checkpoint stay true to each other.
        """
        async with self.in_province(province) as connection:
            await connection.execute("SET LOCAL synchronous_commit = off")
            yield connection

    @asynccontextmanager
    async def in_province_keys(self, province: ProvinceId) -> AsyncGenerator["Connection"]:
        """Lend the same among the keys, which the service's own role cannot read."""
        async with _transaction(self.keys, province) as connection:
            yield connection


def database_at(url: str, *, app_max: int = CONNECTIONS_MAX[APP_ROLE]) -> Database:
    """Return a database whose pools are not open yet. To be called where the event loop runs.

    Args:
        url: the base URL, without a user.
        app_max: connections of the service's own role; a province's writes need one, each read one.
    """
    keys, heads = (_pool(url, role, CONNECTIONS_MAX[role]) for role in (KEYS_ROLE, HEADS_ROLE))
    return Database(url, _pool(url, APP_ROLE, app_max), keys, heads)


@asynccontextmanager
async def open_database(url: str, *, app_max: int = CONNECTIONS_MAX[APP_ROLE]) -> AsyncGenerator[Database]:
    """Open the pools and close them at the end. For the arguments see `database_at`."""
    database = database_at(url, app_max=app_max)
    async with database.opened():
        yield database


def _pool(url: str, role: str, size: int) -> "Pool":
    return asyncpg.create_pool(
        connect=Route(role_dsn(url, role)).connect,
        min_size=1,
        max_size=size,
        command_timeout=COMMAND_TIMEOUT_S,
        server_settings={"application_name": role, **LOST_CLIENT},
    )


@asynccontextmanager
async def _transaction(pool: "Pool", province: ProvinceId) -> AsyncGenerator["Connection"]:
    async with pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection, in_transaction(connection, province):
        yield connection


@asynccontextmanager
async def in_transaction(connection: "Connection", province: ProvinceId) -> AsyncGenerator[None]:
    """Bind a connection to one province for one transaction; it begins in one round trip.

    Raises:
        NestedTransactionError: the connection is bound already; the inner block would end the outer one.
    """
    if connection.is_in_transaction():
        raise NestedTransactionError(province)
    try:
        # A statement, not set_config(): it alone is passed on to the workers of a distributed server.
        await connection.execute(f"BEGIN; SET LOCAL emulation.province = '{province}'")
        yield
    except BaseException:
        await _roll_back(connection)
        raise
    await connection.execute("COMMIT")


async def _roll_back(connection: "Connection") -> None:
    """Roll back; a connection over which nothing comes any more is dropped, lest who asked for it waits for ever."""
    with suppress(Exception):  # the first failure is the one to tell
        try:
            async with asyncio.timeout(ROLLBACK_TIMEOUT_S):
                await connection.execute("ROLLBACK")
        except TimeoutError:
            connection.terminate()
