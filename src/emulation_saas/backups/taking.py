"""Taking a backup: full or incremental, verified before it counts; then what is too old is removed."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from emulation_saas.backups.faults import BackupError
from emulation_saas.backups.shelf import Backup, Shelf
from emulation_saas.backups.source import Source
from emulation_saas.backups.tools import run

DAYS_MAX: Final = 30
"""Backups hold the keys of personal data: an erasure is final when the last one from before it is gone."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """When a backup is full, and how long backups are kept."""

    full_every: timedelta = timedelta(days=7)
    keep: int = 4
    """Full backups, each with its increments."""
    older_than: timedelta = timedelta(days=DAYS_MAX)
    """What began earlier goes, however few remain; the newest stays."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A backup that was taken, and which others are gone."""

    name: str
    kind: str
    size_bytes: int
    removed: list[str]


def take(
    shelf: Shelf,
    source: Source,
    policy: Policy,
    *,
    clock: Callable[[], datetime],
    report: Callable[[str], None],
    is_full: bool = False,
) -> Taken:
    """Take a backup: incremental where the newest full one is young enough and the server knows what has changed.

    Raises:
        BackupError: it failed (disk full, no connection, damaged as read back); nothing on the shelf has changed.
    """
    shelf.of(source.system)
    with shelf.held("lock", "is taking a backup into"):
        backup = _incremental(shelf, source, policy, clock, report) if not is_full else None
        if backup is None:
            backup = _taken(shelf, source, clock, None)
        if not shelf.is_streamed():
            report(
                f"nothing is streamed into {shelf.wal}: what is recorded from now on is in no copy until the next one"
            )
        removed = shelf.prune(keep=policy.keep, older_than=policy.older_than, now=clock())
    size = sum(path.stat().st_size for path in backup.directory.rglob("*") if path.is_file())
    kind = "incremental" if backup.is_incremental else "full"
    return Taken(name=backup.name, kind=kind, size_bytes=size, removed=removed)


def verify(backup: Backup | Path, tools: Path) -> None:
    """Read a backup and compare it with its manifest.

    Raises:
        BackupError: something is missing, changed or added.
    """
    directory = backup if isinstance(backup, Path) else backup.directory
    run(tools / "pg_verifybackup", "--quiet", str(directory), failing=f"{directory} is damaged")


def _incremental(
    shelf: Shelf, source: Source, policy: Policy, clock: Callable[[], datetime], report: Callable[[str], None]
) -> Backup | None:
    """Take an incremental backup; None when a full one is due."""
    chains = shelf.chains()
    if not chains or clock() - chains[-1][0].taken_at >= policy.full_every:
        return None
    try:
        return _taken(shelf, source, clock, chains[-1][-1])
    except BackupError as error:
        report(f"{error}; taking a full one")
        return None


def _taken(shelf: Shelf, source: Source, clock: Callable[[], datetime], since: Backup | None) -> Backup:
    draft = shelf.draft()
    arguments = [f"--pgdata={draft}", f"--dbname={source.dsn}", "--no-password", "--checkpoint=fast"]
    if since is not None:
        arguments.append(f"--incremental={since.directory / 'backup_manifest'}")
    failing = f"no {'full' if since is None else 'incremental'} backup could be taken"
    try:
        run(source.tools / "pg_basebackup", *arguments, failing=failing, environment=source.environment)
        verify(draft, source.tools)
        return shelf.put(draft, now=clock(), is_incremental=since is not None)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
