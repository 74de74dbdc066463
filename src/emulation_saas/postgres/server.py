"""Which server and roles the service accepts: the same check for the embedded database and for an external one.

It runs at every start, before the first request, because each point has cost somebody data: a server that forgets
acknowledged commits, a role that sees other provinces, a version with a known hole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

import asyncpg

from emulation_saas.postgres.connecting import Route
from emulation_saas.postgres.statements import load_statements

if TYPE_CHECKING:
    from asyncpg import Record

OWNER_ROLE: Final = "emulation_owner"
MIGRATE_ROLE: Final = "emulation_migrate"
APP_ROLE: Final = "emulation_app"
KEYS_ROLE: Final = "emulation_keys"
HEADS_ROLE: Final = "emulation_heads"
BACKUP_ROLE: Final = "emulation_backup"
"""Copies the server and connects to no database; the service never logs in as it."""
LOGIN_ROLES: Final = (MIGRATE_ROLE, APP_ROLE, KEYS_ROLE, HEADS_ROLE)
CONNECTIONS_MAX: Final = {APP_ROLE: 8, KEYS_ROLE: 2, HEADS_ROLE: 1}
"""Connections of one worker, by role. A province's writes need one of the first, and so does each read."""
SERVING_ROLES: Final = tuple(CONNECTIONS_MAX)

# Oldest minor of each major without a known hole in row security. A newer major is unknown, so refused.
OLDEST_MINOR: Final = {17: 6, 18: 6}
VERSION_MAJOR_FACTOR: Final = 10_000
STATEMENTS: Final = load_statements("emulation_saas.postgres")


class ServerRefusedError(Exception):
    """The service does not run on this server or with these roles; the message says what to change."""


@dataclass(frozen=True)
class ServerFacts:
    """What one role sees of its server. Switches are as PostgreSQL writes them: `on`, `off` and so on."""

    version_number: int
    version_text: str
    encoding: str
    data_checksums: str
    fsync: str
    full_page_writes: str
    synchronous_commit: str
    connections_max: int
    """That roles without privileges may have together."""
    role_name: str
    is_superuser: bool
    bypasses_rls: bool
    may_administer: bool
    memberships: int
    owned_objects: int


def role_dsn(url: str, role: str) -> str:
    """Return `url` with `role` as its user, keeping hosts, password and parameters.

    Args:
        url: `postgresql://[:password@][host][:port][,…]/database[?…]`; without a user, as each connection has its own
            role.
        role: one of the login roles.

    Raises:
        ValueError: no PostgreSQL URL, or it names a user. The message never shows the URL, as it may hold a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        message = "the database URL must begin with postgresql://"
        raise ValueError(message)
    credentials, at, address = parts.netloc.rpartition("@")
    user, colon, password = credentials.partition(":")
    if user or any(name == "user" for name, _ in parse_qsl(parts.query)):
        message = "the database URL must not name a user: every connection logs in as its own role"
        raise ValueError(message)
    secret = f":{password}" if at and colon else ""
    netloc = f"{quote(role, safe='')}{secret}@{address}"
    return urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))


async def check_server(url: str, *, workers: int = 1) -> list[str]:
    """Judge the server as each role that serves requests sees it; return warnings.

    Args:
        url: the base URL, without a user.
        workers: how many processes are to serve requests.

    Raises:
        ServerRefusedError: the service must not run here.
        OSError: the server cannot be reached, so nothing can be said of it.
    """
    warnings: list[str] = []
    for role in SERVING_ROLES:
        facts = await facts_as(url, role)
        reason = refusal(facts, workers=workers)
        if reason is not None:
            raise ServerRefusedError(reason)
        warnings.extend(warning for warning in warnings_of(facts) if warning not in warnings)
    return warnings


def refusal(facts: ServerFacts, *, workers: int = 1) -> str | None:
    """Return why the service must not run with these facts and so many workers; None when it may."""
    return next(iter(faults_of(facts, workers=workers)), None)


def faults_of(facts: ServerFacts, *, workers: int = 1) -> list[str]:
    """Return everything that forbids to run with these facts and so many workers, each with what to do about it."""
    return [*_server_faults(facts), *_size_faults(facts, workers), *_role_faults(facts)]


def warnings_of(facts: ServerFacts) -> list[str]:
    """Return what is bearable but should be changed."""
    if facts.data_checksums != "on":
        return ["the server keeps no data checksums: silent disk damage will not be noticed (see pg_checksums)"]
    return []


def _server_faults(facts: ServerFacts) -> Iterator[str]:
    major, minor = divmod(facts.version_number, VERSION_MAJOR_FACTOR)
    oldest = OLDEST_MINOR.get(major)
    if oldest is None:
        yield f"PostgreSQL {facts.version_text} is not supported: use 17 or 18"
    elif minor < oldest:
        yield f"PostgreSQL {facts.version_text} has known holes: use {major}.{oldest} or later"
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if getattr(facts, name) == "off":
            yield f"{name} is off for {facts.role_name}: an acknowledged event could be lost; switch it on"
    if facts.encoding != "UTF8":
        yield f"the database's encoding is {facts.encoding}: create it with UTF8"


def _size_faults(facts: ServerFacts, workers: int) -> Iterator[str]:
    needed = workers * sum(CONNECTIONS_MAX.values())
    if needed > facts.connections_max:
        yield (
            f"{workers} workers need up to {needed} connections, and the server has {facts.connections_max} to lend: "
            "raise max_connections, or have fewer workers"
        )


def _role_faults(facts: ServerFacts) -> list[str]:
    faults = {
        "is a superuser: row security would not hold; run deploy/roles.sql": facts.is_superuser,
        "bypasses row security: run deploy/roles.sql": facts.bypasses_rls,
        "may create roles or databases, or replicate: run deploy/roles.sql": facts.may_administer,
        "is a member of another role: revoke that, it must have its own rights only": facts.memberships > 0,
        f"owns objects, whose row security it could switch off: give them to {OWNER_ROLE}": facts.owned_objects > 0,
    }
    return [f"{facts.role_name} {fault}" for fault, found in faults.items() if found]


async def facts_as(url: str, role: str) -> ServerFacts:
    """Return what a role sees of its server.

    Raises:
        ServerRefusedError: it cannot log in.
        OSError: the server cannot be reached.
    """
    try:
        connection = await Route(role_dsn(url, role)).connect()
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InsufficientPrivilegeError) as error:
        message = f"{role} cannot log in ({error}): run deploy/roles.sql and give it a password"
        raise ServerRefusedError(message) from error
    try:
        row: Record | None = await connection.fetchrow(STATEMENTS["server_facts"])
    finally:
        await connection.close()
    if row is None:
        message = "the server does not say what it is"
        raise ServerRefusedError(message)
    return ServerFacts(**dict(row))
