"""The directory of the backups and what lies in it.

```
BACKUPS/                          0700
  server                          whose backups these are
  20261126T021500Z-full/          a base backup, named by when it was whole and verified
  20261127T021500Z-incremental/   what has changed since the one before it
  wal/                            the server's log since the oldest of them, streamed; the newest file is `.partial`
  lock, stream.lock               held by who takes a backup, and by the stream
```
A full backup and the increments after it are a chain: they are restored together and removed together.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from emulation_saas.backups.faults import BackupError, OtherServerError
from emulation_saas.kernel.durable import sync_folder

PARTIAL: Final = ".partial"
STREAM_LOCK: Final = "stream.lock"
_NAME: Final = re.compile(r"(\d{8}T\d{6}Z)-(full|incremental)")
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_SEGMENT: Final = re.compile(r"[0-9A-F]{24}(\.partial)?")
_START: Final = re.compile(r"^START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)$", re.MULTILINE)
_TIMELINE_DIGITS: Final = 8
"""Of a segment's name; what follows is its place, whatever history it is of."""


@dataclass(frozen=True)
class Backup:
    """One base backup on the shelf, whole and verified when it was put there."""

    directory: Path
    taken_at: datetime
    is_incremental: bool

    @property
    def name(self) -> str:
        """Its directory's name."""
        return self.directory.name

    @property
    def major(self) -> int:
        """The version of the server that it is of."""
        return int((self.directory / "PG_VERSION").read_text(encoding="ascii"))

    @cached_property
    def first_segment(self) -> str:
        """The segment of WAL from which on it needs all."""
        label = (self.directory / "backup_label").read_text(encoding="utf-8")
        found = _START.search(label)
        if found is None:
            raise BackupError(f"{self.directory} is no backup: its backup_label does not say where it starts")
        return found[1]


Chain = tuple[Backup, ...]
"""A full backup and the increments after it, in order."""


class Shelf:
    """The backups of one server."""

    def __init__(self, root: Path) -> None:
        """Remember where."""
        self.root = root.absolute()

    @property
    def wal(self) -> Path:
        """Where the stream of WAL ends."""
        return self.root / "wal"

    def of(self, system: str) -> None:
        """Make the directory for this server, or demand that it is this server's.

        Raises:
            OtherServerError: another server's backups lie here.
            BackupError: the directory cannot be made.
        """
        owner = self.root / "server"
        try:
            self.wal.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.root.chmod(0o700)
            if not owner.exists():
                draft = owner.with_suffix(f".{os.getpid()}")
                draft.write_text(f"{system}\n", encoding="ascii")
                draft.rename(owner)
        except OSError as error:
            raise BackupError(f"the directory of backups {self.root} cannot be made: {error.strerror}") from error
        named = owner.read_text(encoding="ascii").strip()
        if named != system:
            raise OtherServerError(f"{self.root} holds the backups of server {named}, this is {system}: choose another")

    @contextmanager
    def held(self, lock: str, doing: str) -> Generator[None]:
        """Hold a lock while inside.

        Raises:
            BackupError: another process holds it.
        """
        descriptor = os.open(self.root / lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupError(f"another process {doing} {self.root}") from None
            yield
        finally:
            os.close(descriptor)

    def is_streamed(self) -> bool:
        """Tell whether a stream runs into it."""
        try:
            with self.held(STREAM_LOCK, ""):
                return False
        except BackupError:
            return True

    def chains(self) -> list[Chain]:
        """Return what can be restored, the oldest first.

        Raises:
            BackupError: there is no such directory.
        """
        if not self.root.is_dir():
            raise BackupError(f"there is no directory {self.root}")
        chains: list[list[Backup]] = []
        for directory in sorted(self.root.glob("*Z-*")):
            name = _NAME.fullmatch(directory.name)
            if name is None:
                continue
            taken_at = datetime.strptime(name[1], _STAMP).replace(tzinfo=UTC)
            backup = Backup(directory, taken_at, is_incremental=name[2] == "incremental")
            if not backup.is_incremental:
                chains.append([backup])
            elif chains:
                chains[-1].append(backup)
        return [tuple(chain) for chain in chains]

    def chain_before(self, until: datetime | None) -> Chain:
        """Return the chain to restore from: it ends with the newest backup that was whole by then.

        Raises:
            BackupError: there is none.
        """
        for chain in reversed(self.chains()):
            usable = tuple(backup for backup in chain if until is None or backup.taken_at <= until)
            if usable:
                return usable
        raise BackupError(f"there is no backup in {self.root}" + ("" if until is None else f" from before {until}"))

    def put(self, draft: Path, *, now: datetime, is_incremental: bool) -> Backup:
        """Give a backup its name, now that it is whole."""
        kind = "incremental" if is_incremental else "full"
        backup = Backup(self.root / f"{now.strftime(_STAMP)}-{kind}", now, is_incremental)
        draft.rename(backup.directory)
        sync_folder(self.root)
        return backup

    def draft(self) -> Path:
        """Return a place for a backup that is not whole yet; what an earlier attempt left there is gone."""
        draft = self.root / PARTIAL
        shutil.rmtree(draft, ignore_errors=True)
        return draft

    def prune(self, *, keep: int, older_than: timedelta, now: datetime) -> list[str]:
        """Remove what is no longer to be kept and the WAL before what stays; return the names of removed backups.

        The newest chain stays, whatever its age. WAL goes last: killed half-way, no chain lacks its own.
        """
        chains = self.chains()
        gone = [
            chain
            for number, chain in enumerate(reversed(chains))
            if number > 0 and (number >= keep or now - chain[0].taken_at > older_than)
        ]
        for chain in gone:
            for backup in reversed(chain):  # a full one last: without it its increments are rubbish
                shutil.rmtree(backup.directory)
        kept = self.chains()
        if kept:
            first = kept[0][0].first_segment[_TIMELINE_DIGITS:]
            for segment in self.segments():
                if segment.name[_TIMELINE_DIGITS:] < first:
                    segment.unlink()
        return [backup.name for chain in reversed(gone) for backup in chain]

    def segments(self) -> list[Path]:
        """Return the streamed segments of WAL, in order; a name may be there whole and `.partial`."""
        return sorted(path for path in self.wal.glob("*") if _SEGMENT.fullmatch(path.name))

    def enter(self, timeline: int, ends: Mapping[int, int]) -> None:
        """Begin the first file of a history that began exactly where the one before ended with a file.

        `pg_receivewal` would ask the one before for what follows, of which that has nothing, again and again.

        Args:
            timeline: the history that the server writes now.
            ends: where each history ended that led to it, a byte of the log.
        """
        newest = next(reversed(self.segments()), None)
        if newest is None or newest.suffix == PARTIAL:
            return
        size = newest.stat().st_size
        ours, high, number = (int(newest.name[at : at + 8], 16) for at in range(0, 24, 8))
        end = (high << 32) + (number + 1) * size
        if ends.get(ours) == end:
            entered = min(each for each in (*ends, timeline) if each > ours)
            name = f"{entered:08X}{end >> 32:08X}{end % 2**32 // size:08X}{PARTIAL}"
            (self.wal / name).touch(mode=0o600)

    def replayable(self, chain: Chain) -> dict[str, Path]:
        """Return name -> file of all WAL that may be replayed over a chain, and of the histories that it is of.

        Of a segment that is there twice the whole one counts: it was completed after a crash of the server.
        """
        first = chain[-1].first_segment[_TIMELINE_DIGITS:]
        files = {path.name: path for path in self.wal.glob("*.history")}
        for path in reversed(self.segments()):  # `X.partial` before `X`, which then stands
            if path.name[_TIMELINE_DIGITS:] >= first:
                files[path.name.removesuffix(PARTIAL)] = path
        return files
