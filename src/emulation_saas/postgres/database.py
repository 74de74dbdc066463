"""The service's connections: one pool a role, and transactions that belong to one province."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import asyncpg

from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.postgres.server import APP_ROLE, HEADS_ROLE, KEYS_ROLE, role_dsn

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


@dataclass(frozen=True)
class Database:
    """Three roles, three pools: the log and the documents, the keys, the heads of all logs."""

    url: str
    app: "Pool"
    keys: "Pool"
    heads: "Pool"

    @asynccontextmanager
    async def in_province(self, province: ProvinceId) -> AsyncIterator["Connection"]:
        """Lend a connection in a transaction that sees this province and nothing else."""
        async with _transaction(self.app, province) as connection:
            yield connection

    @asynccontextmanager
    async def in_province_keys(self, province: ProvinceId) -> AsyncIterator["Connection"]:
        """Lend the same among the keys, which the service's own role cannot read."""
        async with _transaction(self.keys, province) as connection:
            yield connection


@asynccontextmanager
async def open_database(url: str, *, app_max: int = 8) -> AsyncIterator[Database]:
    """Open the pools and close them at the end.

    Args:
        url: the base URL, without a user.
        app_max: connections of the service's own role; a province's writes need one, each read one.
    """
    app = await _pool(url, APP_ROLE, app_max)
    keys = await _pool(url, KEYS_ROLE, 2)
    heads = await _pool(url, HEADS_ROLE, 1)
    try:
        yield Database(url, app, keys, heads)
    finally:
        for pool in (app, keys, heads):
            await pool.close()


async def _pool(url: str, role: str, size: int) -> "Pool":
    pool = await asyncpg.create_pool(
        role_dsn(url, role),
        min_size=1,
        max_size=size,
        command_timeout=COMMAND_TIMEOUT_S,
        timeout=ACQUIRE_TIMEOUT_S,
        server_settings={"application_name": role},
    )
    return pool


@asynccontextmanager
async def _transaction(pool: "Pool", province: ProvinceId) -> AsyncIterator["Connection"]:
    async with pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection, in_transaction(connection, province):
        yield connection


@asynccontextmanager
async def in_transaction(connection: "Connection", province: ProvinceId) -> AsyncIterator[None]:
    """Bind a connection to one province for one transaction; it begins in one round trip."""
    # A statement, not set_config(): it alone is passed on to the workers of a distributed server.
    await connection.execute(f"BEGIN; SET LOCAL emulation.province = '{province}'")
    try:
        yield
    except BaseException:
        with suppress(Exception):  # the first failure is the one to tell
            await connection.execute("ROLLBACK")
        raise
    await connection.execute("COMMIT")
