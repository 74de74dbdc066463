"""How long to wait before asking again: longer each time, never all clients at once, never less than they are told."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

PAUSE_S: Final = 1.0
"""Before the first time, unless the service says otherwise."""
PAUSE_MAX_S: Final = 60.0
TOLD_MAX_S: Final = 3_600.0
"""Longer than this nobody is sent away: a number beyond it is some mistake."""
_DIGITS_MAX: Final = 9


class Pauses:
    """The pauses of one who follows."""

    def __init__(self) -> None:
        """Begin with the shortest."""
        self.least_s = PAUSE_S
        """What the service asks for between two connections (`retry:`)."""
        self._failures = 0

    def begin_again(self) -> None:
        """Go back to the shortest: something had come."""
        self._failures = 0

    def next_s(self, told_s: float | None = None) -> float:
        """Return the next pause, in seconds; after at least `told_s`, where `Retry-After` said so."""
        least_s = self.least_s
        pause_s = max(least_s, min(least_s * 2**self._failures, PAUSE_MAX_S))
        self._failures = min(self._failures + 1, 10)
        if told_s is not None:
            return min(told_s, TOLD_MAX_S) + random.uniform(0, least_s)  # noqa: S311 - spreads clients, hides nothing
        return random.uniform(pause_s / 2, pause_s)  # noqa: S311 - as above


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return what `Retry-After` says, in seconds from now; None when it says nothing that can be understood."""
    told = headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit() and len(told) <= _DIGITS_MAX:
        return float(told)
    try:
        until = parsedate_to_datetime(told)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
