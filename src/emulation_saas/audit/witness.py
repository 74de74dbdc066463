"""The witness: what this machine has seen signed, in files outside the database, so that a restore of it is noticed.

The heads that the signer remembers lie in the database and go back with it. A file per province does not: it holds the
newest checkpoint of it, as it was handed out. Keep the directory on another disk, beside the stream of WAL.
"""

import fcntl
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from emulation_saas.audit.notes import size_of
from emulation_saas.audit.refusals import NotWitnessed
from emulation_saas.kernel.durable import sync_folder
from emulation_saas.log.reading import STATEMENTS
from emulation_saas.postgres.database import Database

_SUFFIX: Final = ".checkpoint"
_log: Final = structlog.stdlib.get_logger("emulation_saas.audit")


class BehindWitnessError(Exception):
    """The database is from before what was signed; the message names the provinces and says what to do."""


class Witness:
    """The newest checkpoint of every province that was seen here."""

    def __init__(self, directory: Path) -> None:
        """Remember where."""
        self._directory = directory

    def seen(self, handle: str) -> str | None:
        """Return the newest note of a province; None when none was seen.

        Raises:
            NotWitnessed: it cannot be read.
        """
        try:
            note = self._file(handle).read_text(encoding="utf-8")
            size_of(note)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, IndexError) as error:
            raise _not_witnessed(handle, error) from error
        return note

    def remember(self, handle: str, note: str) -> None:
        """Keep a note unless a larger one is there, on the disk before this returns. Takes milliseconds.

        Raises:
            NotWitnessed: it cannot be kept.
        """
        draft = self._directory / f".{handle}.{os.getpid()}"
        try:
            with (self._directory / ".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # another process may see a larger one at the same time
                kept = self.seen(handle)
                if kept is not None and size_of(kept) >= size_of(note):
                    return
                with draft.open("w", encoding="utf-8") as file:
                    file.write(note)
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(self._file(handle))
                sync_folder(self._directory)
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise _not_witnessed(handle, error) from error

    def sizes(self) -> Mapping[str, int]:
        """Return handle -> size of all that was seen.

        Raises:
            OSError: there is no such directory, or a file of it cannot be read.
            ValueError: a file holds no checkpoint.
        """
        sizes: dict[str, int] = {}
        for file in sorted(each for each in self._directory.iterdir() if each.suffix == _SUFFIX):
            try:
                sizes[file.stem] = size_of(file.read_text(encoding="utf-8"))
            except (ValueError, IndexError) as error:
                raise ValueError(f"{file} holds no checkpoint") from error
        return sizes

    def _file(self, handle: str) -> Path:
        return self._directory / f"{handle}{_SUFFIX}"


async def behind(database: Database, witness: Witness) -> list[str]:
    """Return a line for each province whose log stands behind what was seen signed of it."""
    provinces = await database.app.fetch(STATEMENTS["all_provinces"])
    heads = dict(tuple(row) for row in await database.heads.fetch(STATEMENTS["heads"]))
    positions = {row["handle"]: heads.get(row["province_id"], 0) for row in provinces}
    return [
        f"{handle}: the log stands at {positions.get(handle, 0)}, behind {size}, which was signed"
        for handle, size in witness.sizes().items()
        if positions.get(handle, 0) < size
    ]


def _not_witnessed(handle: str, error: Exception) -> NotWitnessed:
    """Return what a caller is told, once the operator has been told more."""
    _log.error("not-witnessed", province=handle, reason=str(error))
    return NotWitnessed()
