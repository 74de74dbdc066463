"""Files that hold keys: written whole and once, readable by their owner only."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from emulation_saas.kernel.durable import sync_folder

_OTHERS: Final = 0o077


class KeyExposedError(Exception):
    """Others than the owner may read a key; it can no longer be trusted."""


def write_once(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write a whole file that is not there yet; if another process was faster, its file stands.

    On return it is on the disk, under its name: what it wraps must not outlive it.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
    sync_folder(path.parent)


def demand_private(path: Path) -> None:
    """Refuse a file that others may read.

    Raises:
        KeyExposedError: they may.
        OSError: there is no such file.
    """
    if path.stat().st_mode & _OTHERS:
        detail = f"{path} must be readable by its owner only (chmod 600), and be made anew if it was not"
        raise KeyExposedError(detail)
