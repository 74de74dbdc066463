"""Waking readers: told after a commit, and polling as well, so that a lost message costs a moment and never an event.

NOTIFY inside the append would make all commits of the server wait for each other; so one task sends it afterwards, at
most 20 times a second, and it carries nothing. One statement reads the heads of all provinces.
"""

import asyncio
import logging
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from emulation_saas.kernel.cancelling import end, raise_if_cancelled
from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.log.reading import STATEMENTS
from emulation_saas.postgres.database import Database

if TYPE_CHECKING:
    from emulation_saas.postgres.database import Connection

CHANNEL: Final = "emulation_heads"
POLL_S: Final = 0.5
NOTIFY_EVERY_S: Final = 0.05
RETRY_S: Final = 1.0
HEADS_TIMEOUT_S: Final = 3.0
"""For the heads to be read: a server that takes longer is gone. Connections are acquired with it, too, as giving one
back waits so long for a server that says nothing."""

_logger: Final = logging.getLogger(__name__)


class Waker:
    """Knows the heads of all provinces and wakes who waits for one of them to move."""

    def __init__(self, database: Database) -> None:
        """Wake the readers of this process."""
        self._database = database
        self._heads: dict[ProvinceId, int] = {}
        self._moved = asyncio.Condition()
        self._hint = asyncio.Event()
        self._to_tell = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.polled_at = monotonic()
        """When the heads were last read, on the monotonic clock, in seconds."""
        self.losses = 0
        """How often the server was lost, or seemed to be: what it was not waited for may be gone with it."""

    async def start(self) -> None:
        """Begin to listen, to poll and to tell others."""
        self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._tell())]

    async def stop(self) -> None:
        """Stop; whoever still waits is cancelled by its own owner."""
        await end(self._tasks)

    def moved(self, province: ProvinceId, position: int) -> None:
        """Say that this process moved a head: its own readers wake now, other processes soon."""
        if position > self._heads.get(province, 0):
            self._heads[province] = position
            self._hint.set()
            self._to_tell.set()

    async def past(self, province: ProvinceId, position: int) -> int:
        """Wait until the province's head lies past a position; return the head."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._heads.get(province, 0) > position)
            return self._heads[province]

    def known_head(self, province: ProvinceId) -> int:
        """Return the last head seen; 0 when none was."""
        return self._heads.get(province, 0)

    async def _watch(self) -> None:
        while True:
            try:
                async with self._database.app.acquire(timeout=HEADS_TIMEOUT_S) as listening:
                    await listening.add_listener(CHANNEL, self._on_notice)
                    try:
                        await self._poll(listening)
                    except Exception:
                        listening.terminate()  # it may be as dead as what failed: nothing more is asked of it
                        raise
                    finally:
                        with suppress(Exception):
                            await listening.remove_listener(CHANNEL, self._on_notice)
            except Exception:
                raise_if_cancelled()
                self.losses += 1
                _logger.warning("heads cannot be read; trying again", exc_info=True)
                await self._database.renew()
                await asyncio.sleep(RETRY_S)

    def _on_notice(self, *_: object) -> None:
        self._hint.set()

    async def _poll(self, listening: "Connection") -> None:
        while True:
            if listening.is_closed():  # it may die alone, and nothing else would tell
                raise ConnectionResetError
            self._hint.clear()
            async with self._database.heads.acquire(timeout=HEADS_TIMEOUT_S) as reading:
                rows = await reading.fetch(STATEMENTS["heads"], timeout=HEADS_TIMEOUT_S)
            for row in rows:
                province = ProvinceId(row["province_id"])
                self._heads[province] = max(row["position"], self._heads.get(province, 0))
            self.polled_at = monotonic()
            async with self._moved:
                self._moved.notify_all()
            # Not wait_for(): in Python 3.11 it swallows a cancellation that meets the hint, and nobody could stop us.
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._hint.wait()

    async def _tell(self) -> None:
        while True:
            await self._to_tell.wait()
            self._to_tell.clear()
            try:
                async with self._database.app.acquire(timeout=HEADS_TIMEOUT_S) as telling:
                    await telling.execute(STATEMENTS["notify_heads"], timeout=HEADS_TIMEOUT_S)
            except Exception:
                raise_if_cancelled()
                _logger.debug("others could not be told", exc_info=True)
            await asyncio.sleep(NOTIFY_EVERY_S)
