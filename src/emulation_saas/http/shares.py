"""Fair shares: how much of a worker one person and one province may take, so that there is something left for others.

Two buckets fill at the rates that the settings name, one a person and one a province, and each request takes from both.
Who finds one empty waits for his turn; who would wait too long is refused. So who calls one after another is slowed
down and never refused. Requests in flight are bounded besides, as the rate says nothing of how long each takes.

Each worker counts by itself: with n workers a person may have up to n times the rate, by as many connections.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import asynccontextmanager
from functools import partial
from math import ceil
from time import monotonic
from typing import Final

from emulation_saas.http.exchange import Exchange
from emulation_saas.http.limits import (
    BURST_S,
    QUESTION_WAIT_MAX_S,
    QUESTIONS_MAX,
    REQUESTS_PER_PERSON_MAX,
    REQUESTS_PER_PROVINCE_MAX,
    TURN_MAX_S,
)
from emulation_saas.http.refusals import ProvinceOverShare, TooManyRequests
from emulation_saas.kernel.ids import ProvinceId

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
        self._in_flight: Counter[Hashable] = Counter()

    async def take(self, exchange: Exchange) -> None:
        """Let a request of a known person in a known province in, when it is its turn.

        Raises:
            TooManyRequests: the person asks too fast to wait for his turn.
            ProvinceOverShare: all in the province together do, or too many of their requests are in flight.
        """
        province, whose = exchange.province or "", (exchange.province, exchange.person)
        if self._in_flight[whose] >= REQUESTS_PER_PERSON_MAX:
            raise TooManyRequests
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
        for each in (whose, province):
            self._in_flight[each] += 1
            exchange.leavings.append(partial(self._leave, each))
        if (wait_s := max(of_person, of_province)) > 0:
            await asyncio.sleep(wait_s)

    def _leave(self, whose: Hashable) -> None:
        self._in_flight[whose] -= 1
        if not self._in_flight[whose]:
            del self._in_flight[whose]


class Places:
    """So many places at something that takes long, of which one province has fewer: what is left is for the others."""

    def __init__(self, *, of_all: int, of_province: int, wait_max_s: float | None = None) -> None:
        """Have all of them free.

        Args:
            of_all: how many there are.
            of_province: how many one province may take.
            wait_max_s: how long to wait for others of one's province; None: as long as it takes.
        """
        self._all = asyncio.Semaphore(of_all)
        self._of_province = of_province
        self._provinces: dict[ProvinceId, asyncio.Semaphore] = {}
        self._wait_max_s = wait_max_s

    @asynccontextmanager
    async def taken(self, province: ProvinceId) -> AsyncGenerator[None]:
        """Have a place inside; first one of the province's, as who waits for that is in no other province's way.

        Raises:
            ProvinceOverShare: the province's own were taken for too long.
        """
        own = self._provinces.setdefault(province, asyncio.Semaphore(self._of_province))
        try:
            async with asyncio.timeout(self._wait_max_s):
                await own.acquire()
        except TimeoutError:
            raise ProvinceOverShare from None
        try:
            async with self._all:
                yield
        finally:
            own.release()


def places_for_questions() -> Places:
    """Return those of one worker for questions that fold a log anew."""
    return Places(of_all=QUESTIONS_MAX, of_province=1, wait_max_s=QUESTION_WAIT_MAX_S)
