"""Loops: what a worker does besides answering requests, for as long as it lives.

A loop that ended, or does not move while something waits for it, is a fault of this worker: it says that it is not
ready, so that whoever runs it looks, or sends requests elsewhere. A single province that does not move is no such
fault: its lag tells of it, and all others go on.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, Final

import structlog

from emulation_saas.kernel.ids import ProvinceId

STALLED_S: Final = 60.0
"""A follower that has come no further for so long, though events wait, does not move."""
DEAF_S: Final = 15.0
"""A process that has not read the heads of the logs for so long does not know what is new; it reads them each 0.5 s."""

_log: Final = structlog.stdlib.get_logger("emulation_saas.operating")


class Loops:
    """The loops of one worker, and the watches over whether they move."""

    def __init__(self) -> None:
        """Run nothing yet."""
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._watches: dict[str, Callable[[], bool]] = {}

    def watch(self, name: str, is_stalled: Callable[[], bool]) -> None:
        """Have a watch over something that is to move."""
        self._watches[name] = is_stalled

    @asynccontextmanager
    async def running(self, **loops: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
        """Run loops by name while inside; at the end cancel them and wait until they have ended."""
        for name, loop in loops.items():
            task = self._tasks[name] = asyncio.create_task(loop, name=name)
            task.add_done_callback(_tell_end)
        try:
            yield
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def faults(self) -> list[str]:
        """Return what is wrong, a few words each; nothing when all is well."""
        ended = [f"{name} ended" for name, task in self._tasks.items() if task.done()]
        return ended + [f"{name} stalled" for name, is_stalled in self._watches.items() if is_stalled()]


def _tell_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        _log.error("loop-ended", loop=task.get_name(), exc_info=task.exception())


class Patience:
    """Tells when what is followed has stood still for too long. It may be looked at as seldom as one likes."""

    def __init__(self, *, seconds: float = STALLED_S, clock: Callable[[], float] = monotonic) -> None:
        """Have seen nothing yet."""
        self._seconds = seconds
        self._clock = clock
        self._seen: dict[ProvinceId, tuple[int, float]] = {}
        """The position at which each one's events wait, and since when they were seen to."""

    def is_at_end(self, waiting: Mapping[ProvinceId, int], *, followed: int) -> bool:
        """Tell whether more than half of the provinces have not moved for so long.

        Args:
            waiting: those whose events wait, each with the position that was come to.
            followed: how many provinces there are, those of which nothing waits included.
        """
        now = self._clock()
        seen = self._seen
        self._seen = {
            province: seen[province] if province in seen and seen[province][0] == position else (position, now)
            for province, position in waiting.items()
        }
        still = sum(now - since > self._seconds for _, since in self._seen.values())
        return still * 2 > followed
