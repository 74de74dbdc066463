"""What commands are told: whatever is wrong is refused by a line that says what is wanted."""

import argparse
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from emulation_saas.http.tokens import SUBJECT_CHARS_MAX
from emulation_saas.kernel.numbers import INTEGER_MAX


def whole(least: int, most: int = INTEGER_MAX) -> Callable[[str], int]:
    """Return what reads a whole number that lies between two."""
    wanted = f"of {least} or more" if most == INTEGER_MAX else f"from {least} to {most}"

    def read(text: str) -> int:
        with suppress(ValueError):
            if least <= (number := int(text)) <= most:
                return number
        raise argparse.ArgumentTypeError(f"a whole number {wanted}, not {text!r}")

    return read


def instant(text: str) -> datetime:
    """Read an instant with its offset."""
    with suppress(ValueError):
        if (read := datetime.fromisoformat(text)).tzinfo is not None:
            return read
    raise argparse.ArgumentTypeError(f"an instant with its offset, as 2026-11-26T02:15:00+07:00, not {text!r}")


def subject(text: str) -> str:
    """Read the subject of a token, as the service accepts it."""
    if not text.strip() or not text.isprintable() or len(text) > SUBJECT_CHARS_MAX:
        raise argparse.ArgumentTypeError(f"1 to {SUBJECT_CHARS_MAX} printable characters, not {text!r}")
    return text
