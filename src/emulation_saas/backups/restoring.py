"""Restoring: backups and streamed WAL become a new data directory, whole or not at all, never over an old one.

chain verified ─▶ combined ─▶ WAL laid beside ─▶ the server replays it and ends its history ─▶ new passwords ─▶ named

A backup may be of another machine's server, of Debian's or with TLS: its configuration stays behind (`_configuration`).
"""

import os
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from emulation_saas.backups.faults import BackupError
from emulation_saas.backups.shelf import Chain, Shelf
from emulation_saas.backups.taking import verify
from emulation_saas.backups.tools import run, tools_of
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.postgres.embedded.binaries import programs_for
from emulation_saas.postgres.embedded.cluster import MAJOR, initialise
from emulation_saas.postgres.embedded.directories import DataDirectory
from emulation_saas.postgres.embedded.identity import DatabaseUser, database_user

CONFIGURATION: Final = ("postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf")
NOTHING_TO_FETCH: Final = "/bin/false"
"""As `restore_command`: all WAL there is lies in the server's own directory."""


@dataclass(frozen=True)
class Restored:
    """A server that has come back, running for the while: where it lies, its address, and from what it was restored."""

    data: Path
    url: str
    chain: Chain


@contextmanager
def restored(
    shelf: Shelf, target: Path, *, until: datetime | None, report: Callable[[str], None]
) -> Generator[Restored]:
    """Restore into a new data directory and lend the server that runs there; it stops, and is named, at the end.

    Args:
        shelf: the backups.
        target: the data directory to be; it must not exist.
        until: commits after this instant are left out; None: all that was streamed is in.
        report: told what is being done.

    Raises:
        BackupError: there is no backup from before, it is damaged, the disk is full, or the target exists.
        EmbeddedPostgresError: the server cannot replay it; the message ends with what it said.
    """
    target = target.absolute()
    chain = shelf.chain_before(until)
    if target.exists() or target.is_symlink():
        raise BackupError(f"{target} exists: a restore makes a new directory and changes no old one")
    newest = chain[-1]
    if newest.major != int(MAJOR):
        raise BackupError(f"{newest.directory} is of PostgreSQL {newest.major}, and the server here is {MAJOR}")
    draft = target.with_name(f".{target.name}.restoring")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        data = DataDirectory(draft)
        data.create()
        _lay_out(shelf, chain, data, report)
        report("replaying the log" + ("" if until is None else f" until {until.isoformat()}"))
        server = EmbeddedPostgres(draft, settings=_recovery(until), is_restored=True, report=report)
        server.start()  # it is ready once its recovery has ended
        server.stop()
        server = EmbeddedPostgres(draft, report=report)
        server.start()
        try:
            yield Restored(draft, server.url, chain)
        finally:
            server.stop()
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _lay_out(shelf: Shelf, chain: Chain, data: DataDirectory, report: Callable[[str], None]) -> None:
    """Make PGDATA: the chain, combined, the WAL to replay, and the word that it is to be replayed."""
    tools, newest = tools_of(int(MAJOR)), chain[-1]
    for backup in chain:
        report(f"verifying {backup.name}")
        verify(backup, tools)
    report(f"combining {len(chain)} backups" if len(chain) > 1 else "copying the backup")
    user = database_user(data.cluster, wanted=None, report=report)
    configuration = _configuration(data, user, report)
    run(
        tools / "pg_combinebackup",
        f"--output={data.cluster}",
        *(str(backup.directory) for backup in chain),
        failing=f"{newest.name} could not be laid out in {data.cluster}",
    )
    replayable = shelf.replayable(chain)
    try:
        lay_streamed(replayable, data.cluster / "pg_wal")
        for name, content in configuration.items():
            (data.cluster / name).write_bytes(content)
            (data.cluster / name).chmod(0o600)
        (data.cluster / "standby.signal").unlink(missing_ok=True)  # of a standby's backup: it replays for ever
        (data.cluster / "recovery.signal").touch(mode=0o600)
        _give(data.cluster, user)
    except OSError as error:
        raise BackupError(f"log and configuration could not be laid out in {data.cluster}: {error.strerror}") from error
    report(f"{len(replayable)} files of streamed log")


def _configuration(data: DataDirectory, user: DatabaseUser, report: Callable[[str], None]) -> dict[str, bytes]:
    """Return the configuration of a server that is made here, by file; nothing is left of it.

    What a backup brings may lie elsewhere (Debian has it in /etc), ask for what this build has not (`ssl = on`), or let
    commits wait for a standby that is gone.
    """
    data.create_secrets()
    initialise(data, programs_for(user, report=report), user, data.socket_directory(user))
    configuration = {name: (data.cluster / name).read_bytes() for name in CONFIGURATION}
    shutil.rmtree(data.cluster)
    return configuration


def lay_streamed(replayable: Mapping[str, Path], wal: Path) -> None:
    """Copy the streamed WAL, by name, to where a backup's own lies; of a segment that both have, what reaches further.

    A backup's last segments end wherever it was when it ended, though others wrote on in them; and a stream that had
    broken off ends before the backup. Replaying ends where what is laid out ends.
    """
    for name, file in replayable.items():
        if not (wal / name).exists() or _written(file) > _written(wal / name):
            shutil.copyfile(file, wal / name)


def _written(segment: Path) -> int:
    """Return how many bytes of a segment were written: what follows them are zeros."""
    return len(segment.read_bytes().rstrip(b"\0"))


def _give(cluster: Path, user: DatabaseUser) -> None:
    for folder, _, files in os.walk(cluster):
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            user.give(path)
    cluster.chmod(0o700)


def _recovery(until: datetime | None) -> dict[str, str]:
    """Return the server's settings for replaying; afterwards it goes on in a history of its own (a new timeline)."""
    target = {} if until is None else {"recovery_target_time": until.isoformat()}
    return {
        "restore_command": NOTHING_TO_FETCH,
        "recovery_target_action": "promote",
        "hot_standby": "off",  # nobody is let in before the end
        **target,
    }
