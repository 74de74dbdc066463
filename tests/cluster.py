"""Databases on all nodes of a Citus cluster, for tests on a server that is the coordinator of one."""

from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import asyncpg

from emulation_saas.postgres.server import role_dsn

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    Connection = asyncpg.Connection[asyncpg.Record]

FIT_FOR_NODES: Final = Path(__file__).parents[1] / "deploy" / "citus.sql"
SHARDS: Final = 4
"""Of each table: few, as each is made anew for each test."""


@dataclass(frozen=True)
class Node:
    """A server of the cluster; the first one of a list is the coordinator."""

    host: str
    port: int

    def url(self, url: str, name: str) -> str:
        """Return the URL of a database on this node, the coordinator's being known."""
        parts = urlsplit(url)
        secret = f":{parts.password}@" if parts.password is not None else ""
        return parts._replace(netloc=f"{secret}{self.host}:{self.port}", path=f"/{name}").geturl()


async def nodes_of(connection: "Connection") -> list[Node]:
    """Return the nodes of the cluster that the maintenance database knows; none on a server that is alone."""
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"):
        return []
    rows = await connection.fetch("SELECT nodename, nodeport FROM pg_dist_node ORDER BY groupid")
    return [Node(row["nodename"], row["nodeport"]) for row in rows]


async def make_on_all(
    url: str, nodes: list[Node], name: str, set_up_roles: "Callable[[Connection], Awaitable[None]]"
) -> None:
    """Make a database on every node as `deploy/runbooks/hot-province.md` tells, and tell the coordinator of them."""
    await drop_on_all(url, nodes, name)
    for node in nodes:
        async with _connected(node.url(url, "postgres")) as connection:
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        async with _connected(node.url(url, name)) as connection:
            await set_up_roles(connection)
            await connection.execute(FIT_FOR_NODES.read_text(encoding="utf-8"))
    coordinator, *workers = nodes
    async with _connected(coordinator.url(url, name)) as connection:
        await connection.execute(f'ALTER DATABASE "{name}" SET citus.shard_count = {SHARDS}')
        await connection.execute("SELECT citus_set_coordinator_host($1, $2)", coordinator.host, coordinator.port)
        for worker in workers:
            await connection.execute("SELECT citus_add_node($1, $2)", worker.host, worker.port)


async def drop_on_all(url: str, nodes: list[Node], name: str) -> None:
    """Remove a database from every node, whoever is still connected to it."""
    for node in nodes:
        async with _connected(node.url(url, "postgres")) as connection:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@asynccontextmanager
async def _connected(url: str) -> "AsyncGenerator[Connection]":
    connection = await asyncpg.connect(role_dsn(url, "postgres"))
    try:
        yield connection
    finally:
        await connection.close()
