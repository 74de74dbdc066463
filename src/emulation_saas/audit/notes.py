"""Checkpoints as signed notes (C2SP tlog-checkpoint and signed-note, Ed25519): three lines, a blank one, signatures."""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from emulation_saas.log.opening import LogKey

OVERLAP: Final = timedelta(days=30)
"""For so long after a rotation, in recorded time, checkpoints carry a line of the key that it replaced."""


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """Return what is signed: origin, size, root; no extension."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def size_of(note: str) -> int:
    """Return how many events a checkpoint of ours is about.

    Raises:
        ValueError, IndexError: it is none.
    """
    return int(note.split("\n")[1])


def signed_note(text: str, keys: Sequence[LogKey]) -> str:
    """Return the note of a text, with a signature line of each key.

    Args:
        text: ends in a line feed.
        keys: whose private halves are given; their names and ids stand in their vkeys.
    """
    return "".join([text, "\n", *(_signature_line(text, key) for key in keys)])


def _signature_line(text: str, key: LogKey) -> str:
    name, key_id, _ = key.vkey.split("+", 2)  # the key itself is base64, where a plus may stand
    signature = Ed25519PrivateKey.from_private_bytes(key.seed).sign(text.encode())
    return f"\N{EM DASH} {name} {base64.b64encode(bytes.fromhex(key_id) + signature).decode()}\n"


def vkeys_at(history: Sequence[tuple[str, datetime]], instant: datetime) -> list[str]:
    """Return the keys that sign what was recorded at an instant, the newest first.

    Args:
        history: every key with the instant from which it signs, in the log's order.
        instant: when the checkpoint's last event was recorded.
    """
    overlapping = [vkey for (vkey, _), (_, replaced_at) in pairwise(history) if instant - replaced_at < OVERLAP]
    return [history[-1][0], *reversed(overlapping)]
