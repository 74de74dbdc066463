"""The migrations' runner: plain SQL files in the order of their names, each in a transaction of its own.

Names are `NNNN_pre_what.sql` or `NNNN_post_what.sql`: pre is applied before the new code runs, post after the old code
has gone. A file that has been applied is never edited: its hash is kept and compared. All of it runs as the owner of
the objects, under a lock, so two starting workers do not meet.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

import asyncpg

from emulation_saas.postgres.server import MIGRATE_ROLE, role_dsn
from emulation_saas.postgres.statements import load_statements

NAME: Final = re.compile(r"\d{4}_(pre|post)_[a-z0-9_]+\.sql")
LOCK_TRIES_MAX: Final = 10
LOCK_PAUSE_S: Final = 0.5
CONNECT_TIMEOUT_S: Final = 10.0
STATEMENTS: Final = load_statements("emulation_saas.postgres")


class MigrationError(Exception):
    """The schema was left as it was; the message names the file and why."""


async def migrate(url: str, report: Callable[[str], None], *, directory: Path | None = None) -> list[str]:
    """Apply what has not been applied yet and return its names.

    Args:
        url: the base URL, without a user.
        report: told each file that is applied and each wait for a lock.
        directory: where the files lie; the released ones by default.

    Raises:
        MigrationError: an applied file has changed or is missing, a name is malformed, or a lock stayed taken.
        asyncpg.PostgresError: a file's SQL failed; its transaction is rolled back, earlier files stay applied.
    """
    if directory is None:
        with as_file(files("emulation_saas.postgres") / "migrations") as released:
            return await migrate(url, report, directory=released)
    scripts = _scripts_of(directory)
    connection = await asyncpg.connect(role_dsn(url, MIGRATE_ROLE), timeout=CONNECT_TIMEOUT_S)
    try:
        await connection.execute(STATEMENTS["begin_migrating"])
        applied = {row["name"]: row["sha256"] for row in await connection.fetch(STATEMENTS["migrations_applied"])}
        _refuse_rewritten_history(applied, scripts)
        done: list[str] = []
        for name, script in scripts.items():
            if name not in applied:
                report(f"migrating: {name}")
                await _apply(connection, name, script, report)
                done.append(name)
        return done
    finally:
        await connection.close()  # the advisory lock goes with the session


async def unapplied(url: str) -> list[str]:
    """Return the names of the released migrations that a database has not had yet; nothing is changed.

    Raises:
        MigrationError: the schema is of a later release, or a file has changed since it was applied.
    """
    with as_file(files("emulation_saas.postgres") / "migrations") as released:
        scripts = _scripts_of(released)
    connection = await asyncpg.connect(role_dsn(url, MIGRATE_ROLE), timeout=CONNECT_TIMEOUT_S)
    try:
        await connection.execute(STATEMENTS["become_owner"])
        rows = await connection.fetch(STATEMENTS["migrations_applied"])
    except asyncpg.UndefinedTableError:
        rows = []
    finally:
        await connection.close()
    applied = {row["name"]: row["sha256"] for row in rows}
    _refuse_rewritten_history(applied, scripts)
    return [name for name in scripts if name not in applied]


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


def _refuse_rewritten_history(applied: dict[str, str], scripts: dict[str, str]) -> None:
    for name, sha256 in applied.items():
        if name not in scripts:
            message = f"{name} was applied to this database but is unknown here: this release is older than the schema"
            raise MigrationError(message)
        if _digest(scripts[name]) != sha256:
            message = f"{name} has changed since it was applied: put it back and write a new migration"
            raise MigrationError(message)
    newest = max(applied, default="")
    for name in scripts:
        if name not in applied and name < newest:
            message = f"{name} comes before {newest}, which is applied: number it after"
            raise MigrationError(message)


async def _apply(
    connection: "asyncpg.Connection[asyncpg.Record]", name: str, script: str, report: Callable[[str], None]
) -> None:
    for _ in range(LOCK_TRIES_MAX):
        try:
            async with connection.transaction():
                await connection.execute(script)
                await connection.execute(STATEMENTS["record_migration"], name, _digest(script))
        except asyncpg.LockNotAvailableError:
            report(f"migrating: {name} waits for a lock")
            await asyncio.sleep(LOCK_PAUSE_S)
        else:
            return
    message = f"{name} did not get its lock in {LOCK_TRIES_MAX} tries; nothing of it was applied"
    raise MigrationError(message)


def _digest(script: str) -> str:
    return hashlib.sha256(script.encode()).hexdigest()
