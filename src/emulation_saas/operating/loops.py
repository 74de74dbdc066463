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

from emulation_saas.kernel.cancelling import end
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
            await end(self._tasks.values())

    def faults(self) -> list[str]:
        """Return what is wrong, a few words each; nothing when all is well."""
        ended = [f"{name} ended" for name, task in self._tasks.items() if task.done()]
        return ended + [f"{name} stalled" for name, is_stalled in self._watches.items() if is_stalled()]


def _tell_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        _log.error("loop-ended", loop=task.get_name(), exc_info=task.exception())


class Patience:
    """Tells when those who follow the logs have stood still for too long. It may look as seldom as one likes."""

    def __init__(
        self,
        reached: Callable[[], Mapping[ProvinceId, int]],
        head: Callable[[ProvinceId], int],
        *,
        seconds: float = STALLED_S,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Have seen nothing yet.

        Args:
            reached: how far whoever is watched has come, by province.
            head: how far a province's log is known to go.
            seconds: how long events may wait without any of them being taken.
            clock: tells the time, in seconds.
        """
        self._reached = reached
        self._head = head
        self._seconds = seconds
        self._clock = clock
        self._waiting: dict[ProvinceId, tuple[int, float]] = {}
        """The position after which each province's events wait, and since when they were seen to."""

    def is_at_end(self) -> bool:
        """Tell whether in more than half of the provinces events wait and nothing has moved for so long."""
        now, before, reached = self._clock(), self._waiting, self._reached()
        self._waiting = {
            province: before[province] if before.get(province, (-1, 0))[0] == position else (position, now)
            for province, position in reached.items()
            if self._head(province) > position
        }
        still = sum(now - since > self._seconds for _, since in self._waiting.values())
        return still * 2 > len(reached)
