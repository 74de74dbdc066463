"""Tails: what is new in each province's log, read once in a process for all who follow it.

One task a province waits for the log, reads what is new and wakes everybody. It keeps the newest events, so whoever
has come so far is fed from memory, and what several of them need alike is made once (`Memo`). There is no queue:
each follower has a position, and whoever falls behind what is kept reads from the database, a few at a time.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from itertools import takewhile
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

from emulation_saas.http.refusals import Busy
from emulation_saas.http.shares import Places
from emulation_saas.kernel.cancelling import end, raise_if_cancelled
from emulation_saas.kernel.clock import day_of, utc_now
from emulation_saas.kernel.events import AnyRecorded, Visibility
from emulation_saas.log import Entry, LogGapError, ProvinceLog
from emulation_saas.log.reading import NO_LIMIT

if TYPE_CHECKING:
    from emulation_saas.kernel.ids import ProvinceId

Reading = Callable[[], AbstractAsyncContextManager[None]]
"""What is held while one province's log is read for somebody who is behind."""
PAGE: Final = 1_000
"""Events read, or handed to a follower, at a time."""
READ_BYTES_MAX: Final = 1024 * 1024
"""Of the events read at a time; the one that reaches it is the last."""
KEPT_BYTES_MAX: Final = 2 * 1024 * 1024
"""Of a province's newest events in memory."""
MADE_MAX: Final = 32
"""What is sent, made for all who are shown the same, of a province; how many are not is up to them."""
JUDGED_MAX: Final = 1_000
"""What is shown, found for all who may see the same."""
PAUSE_S: Final = 0.01
"""Between one reading and the next: under load all that came meanwhile is read, and told, at once."""
WAKES_PER_S: Final = 5_000
"""Followers of one tail woken in a second at most, or all of them once: many wait a little longer for each other."""
TURN_S: Final = 2.0
"""How long followers sleep at most: they have pings to send, tokens that expire, and a day that ends."""
LINGER_S: Final = 10.0
"""How long a tail goes on that nobody follows: who asks again and again need not start it each time."""
RETRY_S: Final = 1.0
READING_AT_ONCE: Final = 3
"""Followers of this process that read from the database at the same time."""

_logger: Final = logging.getLogger(__name__)
T = TypeVar("T")


class Memo:
    """What is made once for all who need it between two readings, as far as there is room for it."""

    def __init__(self, most: int) -> None:
        """Keep so many things at most."""
        self._most = most
        self._made: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made for a key, or is made now."""
        if key not in self._made:
            if len(self._made) >= self._most:
                del self._made[next(iter(self._made))]
            self._made[key] = make()
        made: T = self._made[key]
        return made

    def forget(self) -> None:
        """Forget everything."""
        self._made.clear()


class Tail:
    """One province's newest events, as this process has read them."""

    def __init__(self, log: ProvinceLog, reading: Reading) -> None:
        """Know nothing yet; `run` reads."""
        self.log = log
        self.reading = reading
        """Held while reading from the database what is no longer kept here."""
        self.position = 0
        """What has been read: followers have nothing to wait for before it."""
        self.powers = 0
        """Another number whenever somebody's powers may have become others: by an event, or by the day."""
        self.followers = 0
        self.is_stopping = self.is_outdated = False
        self._fault: LogGapError | None = None
        self._day = day_of(utc_now())
        self._kept: list[Entry] = []
        self._kept_bytes = 0
        self._closed: dict[int, AnyRecorded] = {}
        self.made = Memo(MADE_MAX)
        """What several followers are sent."""
        self.judged = Memo(JUDGED_MAX)
        """What several followers are shown: next to no memory each, as it is of events that are kept here."""
        self._turned = asyncio.Event()
        self._left_at = monotonic()

    async def start(self) -> None:
        """Begin at the log's head."""
        self.position = (await self.log.head()).position

    async def run(self) -> None:
        """Read what is new until nobody has followed for a while."""
        while self.followers or monotonic() < self._left_at + LINGER_S:
            try:
                await self._read()
            except LogGapError as error:
                self._fault = error
                self._turn()
                raise
            except Exception as error:
                raise_if_cancelled()
                self.is_outdated = isinstance(error, Busy)  # a process of a later release reads on
                _logger.warning("the tail of %s cannot be read; trying again", self.log.handle, exc_info=True)
                self._turn()  # followers have other things to do, too
                await asyncio.sleep(RETRY_S)

    async def turned(self) -> None:
        """Wait until something is new, or may be: at most `TURN_S`.

        Raises:
            LogGapError: a position is missing.
        """
        if self._fault is None:
            await self._turned.wait()
        if self._fault is not None:
            raise self._fault

    def stop(self) -> None:
        """Wake everybody and have them go."""
        self.is_stopping = True
        self._turn()

    def left(self) -> None:
        """Say that somebody follows no longer."""
        self.followers -= 1
        self._left_at = monotonic()

    def since(self, position: int) -> list[Entry] | None:
        """Return what follows a position, in order, at most a page; None when that is no longer kept."""
        begin = position - (self.position - len(self._kept))
        return None if begin < 0 else self._kept[begin : begin + PAGE]

    def visibility_of(self, name: str) -> Visibility:
        """Return how visible the events of a type are."""
        return self.log.visibility_of(name)

    def closed(self, entry: Entry) -> AnyRecorded:
        """Return the event of an entry with its personal fields left sealed; decoded once while it is kept."""
        recorded = self._closed.get(entry.position)
        if recorded is None:
            recorded = self.log.closed(entry)
            if self.position - len(self._kept) < entry.position <= self.position:
                self._closed[entry.position] = recorded
        return recorded

    async def _read(self) -> None:
        entries: list[Entry] = []
        if await self._is_behind():
            entries = await reached(self.log, after=self.position, through=NO_LIMIT, limit=PAGE)
            self._keep(entries)
        day = day_of(utc_now())
        if day != self._day or any(self.log.changes_powers(entry.type) for entry in entries):
            self._day = day
            self.powers += 1
        self._turn()
        if entries:
            await asyncio.sleep(max(PAUSE_S, self.followers / WAKES_PER_S))

    async def _is_behind(self) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(TURN_S):
                return await self.log.past(self.position) > self.position
        return False

    def _keep(self, entries: list[Entry]) -> None:
        self._kept += entries
        self._kept_bytes += sum(len(entry.body) for entry in entries)
        self.position = entries[-1].position
        dropped = 0
        while self._kept_bytes > KEPT_BYTES_MAX:
            self._kept_bytes -= len(self._kept[dropped].body)
            self._closed.pop(self._kept[dropped].position, None)
            dropped += 1
        del self._kept[:dropped]

    def _turn(self) -> None:
        self.made.forget()
        self.judged.forget()
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()


class Tails:
    """The tails of this process, each from its first follower to a while after its last."""

    def __init__(self) -> None:
        """Follow nothing yet."""
        self._tails: dict[ProvinceId, Tail] = {}
        self._tasks: dict[ProvinceId, asyncio.Task[None]] = {}
        self._starting = asyncio.Lock()
        self._reading = Places(of_all=READING_AT_ONCE, of_province=READING_AT_ONCE - 1)
        self._is_stopping = False

    @asynccontextmanager
    async def following(self, log: ProvinceLog) -> AsyncGenerator[Tail]:
        """Lend the tail of a province; nothing that is recorded from now on is missed."""
        tail = await self.follow(log)
        try:
            yield tail
        finally:
            tail.left()

    async def follow(self, log: ProvinceLog) -> Tail:
        """Return the same, followed until `left`."""
        tail = await self._tail(log)
        tail.followers += 1
        return tail

    def reading(self, log: ProvinceLog) -> Reading:
        """Return what is held by who reads from a log what he is behind with."""
        return partial(self._reading.taken, log.province)

    async def after(self, log: ProvinceLog, position: int) -> list[Entry]:
        """Wait until the log lies past a position; return what follows it, in order: at least one event.

        Raises:
            LogGapError: a position is missing.
        """
        async with self.following(log) as tail:
            while tail.position <= position:
                await tail.turned()
            entries = tail.since(position)
            if entries is None:
                async with tail.reading():
                    entries = await reached(log, after=position, through=tail.position, limit=PAGE)
            return entries

    @property
    def reached(self) -> "dict[ProvinceId, int]":
        """How far the log of each province that is followed has been read, where it can be read here."""
        return {province: tail.position for province, tail in self._tails.items() if not tail.is_outdated}

    def stop(self) -> None:
        """Have all followers go; those who come later go at once."""
        self._is_stopping = True
        for tail in self._tails.values():
            tail.stop()

    async def close(self) -> None:
        """Stop, and wait for what is still being read."""
        self.stop()
        await end(self._tasks.values())

    async def _tail(self, log: ProvinceLog) -> Tail:
        tail = self._tails.get(log.province)
        if tail is not None:
            return tail
        async with self._starting:
            if log.province not in self._tails:
                tail = Tail(log, self.reading(log))
                await tail.start()
                tail.is_stopping = self._is_stopping
                self._tails[log.province] = tail
                self._tasks[log.province] = asyncio.create_task(self._run(tail))
            return self._tails[log.province]

    async def _run(self, tail: Tail) -> None:
        try:
            await tail.run()
        except LogGapError:
            _logger.exception("the tail of %s is broken", tail.log.handle)
        finally:
            if self._tails.get(tail.log.province) is tail:
                del self._tails[tail.log.province], self._tasks[tail.log.province]


async def reached(log: ProvinceLog, *, after: int, through: int, limit: int) -> list[Entry]:
    """Return what follows a position that lies before the log's head, in order: at least one event.

    Nothing from an event on whose type a later release brought: who may see it is not known here, and whoever passed
    it over would never come back to it.

    Raises:
        LogGapError: a position is missing, if only the last.
        Busy: the next event is of such a type; a process of that release tells it.
    """
    entries = await log.entries(after=after, through=through, limit=limit, bytes_max=READ_BYTES_MAX)
    if not entries:
        raise LogGapError(f"province {log.province}: the head lies past {after}, where nothing is")
    known = list(takewhile(lambda entry: log.knows(entry.type), entries))
    if not known:
        raise Busy(f"a later release recorded {entries[0].type} at {after + 1}")
    return known
