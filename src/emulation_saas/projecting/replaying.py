"""Reading the log from the beginning in parts: the next window is read while one is folded, others get their turns."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import contextmanager
from typing import Final

from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.log import ProvinceLog

WINDOW: Final = 4_000
"""Positions read at a time."""
SLICE: Final = 500
"""Events folded before others in this process get their turn, the reading of the next window among them."""
DENSE: Final = 4
"""From every fourth event on, reading all of a window costs less than looking for those that are read."""

Part = tuple[Sequence[AnyRecorded], int]
"""Events in order, and the position that is reached with them: others up to there are of no wanted type."""


async def parts_of(log: ProvinceLog, types: Sequence[type[Event]], *, after: int, through: int) -> AsyncGenerator[Part]:
    """Give the events of some types that follow a position, up to and including another, part by part.

    Args:
        log: the province's log.
        types: those that are wanted.
        after: the position to begin after.
        through: the last position.
    """
    reading = _Reading(log, types, through)
    coming = reading.begin(after)
    position = after
    try:
        while position < through:
            recorded = await coming
            position = min(position + WINDOW, through)
            coming = reading.begin(position)
            for first in range(0, len(recorded), SLICE):
                part = recorded[first : first + SLICE]
                is_last = first + SLICE >= len(recorded)
                yield part, position if is_last else part[-1].position
                await asyncio.sleep(0)
            if not recorded:
                yield (), position
    finally:
        coming.cancel()


class _Reading:
    """Reads windows of a log, looking for its events by type or reading all, whichever costs less."""

    def __init__(self, log: ProvinceLog, types: Sequence[type[Event]], through: int) -> None:
        self._log = log
        self._types = list(types)
        self._through = through
        self._is_dense = False

    def begin(self, after: int) -> "asyncio.Task[list[AnyRecorded]]":
        return asyncio.create_task(self._read(after, min(after + WINDOW, self._through)))

    async def _read(self, after: int, through: int) -> list[AnyRecorded]:
        if after >= through:
            return []
        selectors = [] if self._is_dense else [Selector(types=self._types)]
        recorded = await self._log.recorded(selectors, after=after, through=through)
        if self._is_dense:
            wanted = frozenset(self._types)
            recorded = [each for each in recorded if type(each.event) in wanted]
        self._is_dense = len(recorded) * DENSE >= through - after
        return recorded


@contextmanager
def without_cycle_search() -> Generator[None]:
    """Let reference counts alone free what is folded: nothing in it is cyclic; looking takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
