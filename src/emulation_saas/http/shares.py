"""Fair shares: how much of a worker one person and one province may take, so that there is something left for others.

Two buckets fill at the rates that the settings name, one a person and one a province, and each request takes from both.
Who finds one empty waits for his turn; who would wait too long is refused. So who calls one after another is slowed
down and never refused. Requests in flight are bounded besides, as the rate says nothing of how long each takes.

Each worker counts by itself: with n workers a person may have up to n times the rate, by as many connections.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable
from functools import partial
from math import ceil
from time import monotonic
from typing import Final

from emulation_saas.http.exchange import Exchange
from emulation_saas.http.limits import BURST_S, REQUESTS_PER_PROVINCE_MAX, TURN_MAX_S
from emulation_saas.http.refusals import ProvinceOverShare, TooManyRequests

REMEMBERED_MAX: Final = 10_000
"""Buckets that are remembered before the full ones, which are like new, are forgotten."""


class Buckets:
    """One bucket for each key, all of one rate. A bucket is the moment at which what was taken will have come in."""

    def __init__(self, per_s: int) -> None:
        """Fill at so many a second."""
        self._each_s = 1 / per_s
        self._burst_s = max(BURST_S, self._each_s)
        self._due: dict[Hashable, float] = {}

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._due)

    def due(self, key: Hashable, now: float) -> float:
        """Return when the next may be taken, on the clock of `now`; it may be past."""
        return max(self._due.get(key, 0.0), now - self._burst_s) + self._each_s

    def take(self, key: Hashable, now: float) -> None:
        """Take one."""
        if len(self._due) >= REMEMBERED_MAX:
            self._due = {each: due for each, due in self._due.items() if due > now - self._burst_s}
        self._due[key] = self.due(key, now)


class Shares:
    """What each may take of this worker."""

    def __init__(self, *, per_person: int, per_province: int, clock: Callable[[], float] = monotonic) -> None:
        """Let so many requests in, a second."""
        self._persons = Buckets(per_person)
        self._provinces = Buckets(per_province)
        self._clock = clock
        self._in_flight: Counter[str] = Counter()

    async def take(self, exchange: Exchange) -> None:
        """Let a request of a known person in a known province in, when it is its turn.

        Raises:
            TooManyRequests: the person asks too fast to wait for his turn.
            ProvinceOverShare: all in the province together do, or too many of their requests are in flight.
        """
        province, whose = exchange.province or "", (exchange.province, exchange.person)
        if self._in_flight[province] >= REQUESTS_PER_PROVINCE_MAX:
            raise ProvinceOverShare
        now = self._clock()
        of_person, of_province = self._persons.due(whose, now) - now, self._provinces.due(province, now) - now
        if of_person > TURN_MAX_S:
            raise TooManyRequests(retry_after_s=ceil(of_person - TURN_MAX_S))
        if of_province > TURN_MAX_S:
            raise ProvinceOverShare(retry_after_s=ceil(of_province - TURN_MAX_S))
        self._persons.take(whose, now)
        self._provinces.take(province, now)
        self._in_flight[province] += 1
        exchange.leavings.append(partial(self._leave, province))
        if (wait_s := max(of_person, of_province)) > 0:
            await asyncio.sleep(wait_s)

    def _leave(self, province: str) -> None:
        self._in_flight[province] -= 1
        if not self._in_flight[province]:
            del self._in_flight[province]
