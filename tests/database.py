"""Real databases for tests: one server a session, a fresh migrated database a test.

The server is an embedded one with its real settings (fsync on), as what is tested here is what happens to commits.
Or it is the one that `TESTS_DATABASE_URL` names, which may be the coordinator of a Citus cluster (`tests.cluster`).
On one node the schema is migrated once into a template; a test's database is a copy of it, made in some 50 ms.
"""

import os
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import urlsplit

import asyncpg

from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.postgres.migrating import migrate
from emulation_saas.postgres.server import LOGIN_ROLES, role_dsn
from tests.cluster import drop_on_all, make_on_all, nodes_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    Connection = asyncpg.Connection[asyncpg.Record]

SUPERUSER: Final = "postgres"
TEMPLATE: Final = "emulation_template"
VARIABLE: Final = "TESTS_DATABASE_URL"


@dataclass(frozen=True)
class GivenServer:
    """A server that was there before. Its roles of the service's names are set up anew, and databases made there."""

    url: str
    """Without a user: `postgres` and the service's roles log in with the same password, if there is one."""

    @property
    def superuser_url(self) -> str:
        """The same."""
        return self.url


Server: TypeAlias = EmbeddedPostgres | GivenServer
"""Where tests have their databases."""


def given_server() -> GivenServer | None:
    """Return the server that the tests are to run on, if one is named."""
    url = os.environ.get(VARIABLE)
    return GivenServer(url) if url else None


def start_database(tmp: Path) -> EmbeddedPostgres:
    """Start an embedded server under `tmp`. The caller stops it."""
    server = EmbeddedPostgres(tmp / "data", report=lambda _: None)
    server.start()
    return server


async def forget_template(server: Server) -> None:
    """Remove the template that an earlier session may have left on a given server."""
    async with superuser(server) as connection:
        for name in (TEMPLATE, f"{TEMPLATE}_partial"):
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def fresh_database(server: Server, name: str | None = None) -> str:
    """Make a database with roles and all migrations, and nothing in it; return its base URL."""
    name = name or f"test_{secrets.token_hex(6)}"
    async with superuser(server) as connection:
        if await nodes_of(connection):
            url = await empty_database(server, name)
            await migrate(url, lambda _: None, citus=True)
            return url
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", TEMPLATE):
            partial = await empty_database(server, f"{TEMPLATE}_partial")
            await migrate(partial, lambda _: None)
            await connection.execute(f"ALTER DATABASE {TEMPLATE}_partial RENAME TO {TEMPLATE}")
    return await empty_database(server, name, template=TEMPLATE)


async def empty_database(server: Server, name: str, *, template: str = "template0") -> str:
    """Make a database with the roles set up and no schema of ours; return its base URL."""
    password = urlsplit(server.url).password

    async def set_up_roles(connection: "Connection") -> None:
        await connection.execute((files("emulation_saas.postgres") / "roles.sql").read_text(encoding="utf-8"))
        if password is not None:
            for role in LOGIN_ROLES:
                await connection.execute(f"ALTER ROLE {role} PASSWORD '{password}'")

    async with superuser(server) as connection:
        nodes = await nodes_of(connection)
        if nodes:
            await make_on_all(server.url, nodes, name, set_up_roles)
            return named(server.url, name)
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    async with superuser(server, name) as connection:  # rights on the database itself are not copied from a template
        await set_up_roles(connection)
    return named(server.url, name)


async def drop_database(server: Server, url: str) -> None:
    """Remove a database, whoever is still connected to it."""
    name = urlsplit(url).path.removeprefix("/")
    async with superuser(server) as connection:
        nodes = await nodes_of(connection)
        if nodes:
            await drop_on_all(server.url, nodes, name)
        else:
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@asynccontextmanager
async def superuser(server: Server, name: str = "postgres") -> "AsyncGenerator[Connection]":
    """Lend a connection that may do anything, to a database of the server."""
    connection = await asyncpg.connect(role_dsn(named(server.superuser_url, name), SUPERUSER))
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def connected(url: str, role: str) -> "AsyncGenerator[Connection]":
    """Lend a connection of one role."""
    connection = await asyncpg.connect(role_dsn(url, role))
    try:
        yield connection
    finally:
        await connection.close()


def named(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()
