"""When a delivery that failed is tried again: the schedule of Standard Webhooks, some 75 hours in all."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

TRIES_AFTER_S: Final = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each try of one event: at once, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h."""
RETRY_AFTER_MAX_S: Final = 86_400
"""As long as a receiver may ask to be left alone by `retry-after`: a day."""
JITTER: Final = 0.1
"""Up to so much longer, so that receivers that failed together are not tried together."""


def _chance() -> float:
    return secrets.randbelow(1_000_000) / 1_000_000


@dataclass(frozen=True)
class Schedule:
    """Says when to try again."""

    tries_after_s: Sequence[float] = TRIES_AFTER_S
    chance: Callable[[], float] = _chance
    """Gives a number from 0 to 1."""

    def next_try(self, tries: int, *, retry_after_s: float = 0) -> timedelta | None:
        """Return how long to wait after so many tries that failed; None when that was the last one.

        Args:
            tries: how many there were, at least one.
            retry_after_s: what the receiver asked for.
        """
        if tries >= len(self.tries_after_s):
            return None
        wait_s = self.tries_after_s[tries] * (1 + JITTER * self.chance())
        return timedelta(seconds=max(wait_s, min(retry_after_s, RETRY_AFTER_MAX_S)))
