"""The migrations' runner: plain SQL files in the order of their names, each in a transaction of its own.

Names are `NNNN_pre_what.sql` or `NNNN_post_what.sql`. `pre` only adds, so the release before runs beside it; `post`
takes away what nobody needs once that release has ended, and waits until somebody says that it has. A file that has
been applied is never edited: its hash is kept and compared. All of it runs as the owner of the objects, one migrator at
a time.

A migration that queues for a lock makes everybody queue behind it. So each try waits for `LOCK_TIMEOUT_MS` at most, and
then lets everybody pass before the next one. What a file may do is held by `tests/law/test_migrations.py`.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from importlib.resources import as_file, files
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

import asyncpg
import msgspec

from emulation_saas.postgres.connecting import Route
from emulation_saas.postgres.distributing import distribute, is_distributed
from emulation_saas.postgres.server import MIGRATE_ROLE, role_dsn
from emulation_saas.postgres.statements import load_statements

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

NAME: Final = re.compile(r"\d{4}_(pre|post)_[a-z0-9_]+\.sql")
LOCK_TIMEOUT_MS: Final = 50
HUNG_S: Final = 3
"""A migrator that says nothing for so long, frozen or cut off, gives its locks back."""
"""How long a try may queue for a lock: so long do appends stand still behind it, again and again."""
PAUSE_FIRST_S: Final = 0.1
PAUSE_MAX_S: Final = 5.0
"""Between tries, doubled each time: appends flow meanwhile."""
PATIENCE_S: Final = 300.0
"""How long a file is tried; a reader that holds its lock for longer has to be ended by somebody who knows it."""
TURN_PAUSE_S: Final = 0.2
STATEMENTS: Final = load_statements("emulation_saas.postgres")


class MigrationError(Exception):
    """The schema was left as it was; the message names the file and why."""


class Standing(msgspec.Struct, frozen=True):
    """How a database's schema stands to this release: names of files, in order."""

    pending: list[str]
    """To be applied before this release serves."""
    waiting: list[str]
    """To be applied once the release before has ended."""
    unknown: list[str]
    """Applied by a newer release."""


async def migrate(
    url: str, report: Callable[[str], None], *, directory: Path | None = None, alone: bool = False, citus: bool = False
) -> list[str]:
    """Apply what has not been applied yet and return its names.

    Args:
        url: the base URL, without a user.
        report: told each file that is applied, each wait for a lock, and what is left for later.
        directory: where the files lie; the released ones by default.
        alone: no process of the release before runs any more, so what it needed may go.
        citus: spread the tables over the nodes of a Citus cluster; once done, it is done for every later table too.

    Raises:
        MigrationError: an applied file has changed or is missing, a name is malformed, a newer release has taken away
            what this one needs, or a lock stayed taken.
        asyncpg.PostgresError: a file's SQL failed; its transaction is rolled back, earlier files stay applied.
    """
    if directory is None:
        with as_file(files("emulation_saas.postgres") / "migrations") as released:
            return await migrate(url, report, directory=released, alone=alone, citus=citus)
    scripts = _scripts_of(directory)
    async with _as_owner(url) as connection:
        await _take_turn(connection, report)
        await connection.execute(STATEMENTS["begin_migrating"])
        standing = await _standing(connection, scripts)
        _refuse_to_go_back(standing, report)
        done = standing.pending + (standing.waiting if alone else [])
        for name in done:
            report(f"migrating: {name}")
            await _apply(connection, name, scripts[name], report)
        if standing.waiting and not alone:
            report(f"left until the release before has ended (migrate --post): {', '.join(standing.waiting)}")
        if citus or await is_distributed(connection):
            await distribute(connection, report)
        return done


async def standing_of(url: str, *, directory: Path | None = None) -> Standing:
    """Return what `migrate` would do; nothing is changed, and nobody is waited for.

    Raises:
        MigrationError: an applied file has changed, or a name is malformed.
    """
    if directory is None:
        with as_file(files("emulation_saas.postgres") / "migrations") as released:
            return await standing_of(url, directory=released)
    async with _as_owner(url) as connection:
        return await _standing(connection, _scripts_of(directory))


@asynccontextmanager
async def _as_owner(url: str) -> "AsyncGenerator[Connection]":
    connection = await Route(role_dsn(url, MIGRATE_ROLE)).connect()
    try:
        await connection.execute("SET ROLE emulation_owner")
        yield connection
    finally:
        await connection.close()  # the advisory lock goes with the session


async def _take_turn(connection: "Connection", report: Callable[[str], None]) -> None:
    """Wait until no other migrator works, without holding a snapshot: building an index waits for all that are held."""
    is_told = False
    while not await connection.fetchval(STATEMENTS["take_turn"]):
        if not is_told:
            report("migrating: another migrator is at work")
            is_told = True
        await asyncio.sleep(TURN_PAUSE_S)


def _scripts_of(directory: Path) -> dict[str, str]:
    """Return name -> SQL, in order.

    Raises:
        MigrationError: a name does not say its number and whether it is pre or post.
    """
    paths = sorted(directory.glob("*.sql"))
    for path in paths:
        if not NAME.fullmatch(path.name):
            message = f"{path.name}: a migration is named NNNN_pre_what.sql or NNNN_post_what.sql"
            raise MigrationError(message)
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


async def _standing(connection: "Connection", scripts: dict[str, str]) -> Standing:
    applied: dict[str, str] = {}
    if await connection.fetchval(STATEMENTS["has_migrations"]):
        applied = {row["name"]: row["sha256"] for row in await connection.fetch(STATEMENTS["migrations_applied"])}
    for name, sha256 in applied.items():
        if name in scripts and _digest(scripts[name]) != sha256:
            message = f"{name} has changed since it was applied: put it back and write a new migration"
            raise MigrationError(message)
    newest = max(applied, default="")
    missing = [name for name in scripts if name not in applied]
    if missing and missing[0] < newest:
        message = f"{missing[0]} comes before {newest}, which is applied: number it after"
        raise MigrationError(message)
    # What comes after a `post` belongs to a later release, whose predecessor knew that `post` already.
    pending = missing[:]
    while pending and not _is_pre(pending[-1]):
        pending.pop()
    return Standing(pending, missing[len(pending) :], [name for name in applied if name not in scripts])


def _refuse_to_go_back(standing: Standing, report: Callable[[str], None]) -> None:
    for name in standing.unknown:
        if not _is_pre(name):
            message = f"{name} was applied to this database but is unknown here: this release is older than the schema"
            raise MigrationError(message)
        report(f"{name} is of a newer release, which this one runs beside")


def _is_pre(name: str) -> bool:
    return name[5:].startswith("pre_")


async def _apply(connection: "Connection", name: str, script: str, report: Callable[[str], None]) -> None:
    began, pause_s = monotonic(), PAUSE_FIRST_S
    while True:
        try:
            if "CONCURRENTLY" in script:
                await _build_aside(connection, name, script)
            else:
                await _change(connection, name, script)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            if monotonic() - began > PATIENCE_S:
                message = f"{name} did not get its lock in {PATIENCE_S:.0f} s; nothing of it was applied"
                raise MigrationError(message) from None
            report(f"migrating: {name} waits for a lock")
        else:
            return
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, PAUSE_MAX_S)


async def _change(connection: "Connection", name: str, script: str) -> None:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_MS}ms'")
        await connection.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{HUNG_S}s'")
        await connection.execute(script)
        await connection.execute(STATEMENTS["record_migration"], name, _digest(script))


async def _build_aside(connection: "Connection", name: str, script: str) -> None:
    """Build or drop an index while everybody works: no transaction, and it waits as long as it has to, in nobody's way.

    An interrupted build leaves an index that is not valid, which `IF NOT EXISTS` would take for a good one.
    """
    for row in await connection.fetch(STATEMENTS["unfinished_indexes"]):
        await connection.execute(row["removal"])
    await connection.execute("SET lock_timeout = 0")
    await connection.execute(script)
    await connection.execute("RESET lock_timeout")
    await connection.execute(STATEMENTS["record_migration"], name, _digest(script))


def _digest(script: str) -> str:
    return hashlib.sha256(script.encode()).hexdigest()
