"""Real databases for tests: one embedded server a session, a fresh migrated database a test.

The schema is migrated once into a template; a test's database is a copy of it, made in some 50 ms. The server keeps its
real settings (fsync on), as what is tested here is what happens to commits.
"""

import secrets
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import asyncpg

from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.postgres.migrating import migrate
from emulation_saas.postgres.server import role_dsn

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    Connection = asyncpg.Connection[asyncpg.Record]

SUPERUSER: Final = "postgres"
TEMPLATE: Final = "emulation_template"


def start_database(tmp: Path) -> EmbeddedPostgres:
    """Start an embedded server under `tmp`. The caller stops it."""
    server = EmbeddedPostgres(tmp / "data", report=lambda _: None)
    server.start()
    return server


async def fresh_database(server: EmbeddedPostgres, name: str | None = None) -> str:
    """Make a database with roles and all migrations, and nothing in it; return its base URL."""
    name = name or f"test_{secrets.token_hex(6)}"
    async with superuser(server) as connection:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", TEMPLATE):
            partial = await empty_database(server, f"{TEMPLATE}_partial")
            await migrate(partial, lambda _: None)
            await connection.execute(f"ALTER DATABASE {TEMPLATE}_partial RENAME TO {TEMPLATE}")
    return await empty_database(server, name, template=TEMPLATE)


async def empty_database(server: EmbeddedPostgres, name: str, *, template: str = "template0") -> str:
    """Make a database with the roles set up and no schema of ours; return its base URL."""
    async with superuser(server) as connection:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    async with superuser(server, name) as connection:  # rights on the database itself are not copied from a template
        await connection.execute((files("emulation_saas.postgres") / "roles.sql").read_text(encoding="utf-8"))
    return named(server.url, name)


async def drop_database(server: EmbeddedPostgres, url: str) -> None:
    """Remove a database, whoever is still connected to it."""
    name = urlsplit(url).path.removeprefix("/")
    async with superuser(server) as connection:
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@asynccontextmanager
async def superuser(server: EmbeddedPostgres, name: str = "postgres") -> "AsyncGenerator[Connection]":
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
    address, _, parameters = url.partition("?")
    return f"{address.rpartition('/')[0]}/{name}?{parameters}"
