"""Lines: a long span of the log in one answer, an event a line, for who catches up."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from emulation_saas.http.refusals import UnknownCaller
from emulation_saas.streams.feed import Reader, line_of
from emulation_saas.streams.pages import read_page
from emulation_saas.streams.sights import Sight
from emulation_saas.streams.subscribers import Subscriber
from emulation_saas.streams.tails import Reading

AHEAD_BYTES_MAX: Final = 2 * 1024 * 1024
"""Read before it is sent; the part that reaches it is the last."""
TURN_MAX_S: Final = 0.03
"""How long a turn of reading lasts, though its reader takes his time. Then it gives back its connection, others have
theirs, and what the reader may see is judged anew."""
PAGE_EVENTS_MAX: Final = 5_000
PAGE_BYTES_MAX: Final = 256 * 1024
"""Of a part, for who may not see all events of the span."""


class Lines:
    """What one reader is sent of a span of positions."""

    def __init__(
        self,
        reader: Reader,
        subscriber: Subscriber,
        reading: Reading,
        *,
        through: int,
        token_expires_at: float,
    ) -> None:
        """Begin where the reader stands.

        Args:
            reader: who reads.
            subscriber: keeps his position.
            reading: held for a turn of reading, so that who catches up leaves room for others.
            through: the last one wanted; the log has come so far.
            token_expires_at: seconds since the epoch; who takes his time may not have until then.
        """
        self._reader = reader
        self._reading = reading
        self._subscriber = subscriber
        self._through = through
        self._token_expires_at = token_expires_at
        self._types: set[str] = set()
        self._read = asyncio.Queue[bytes]()
        self._ahead_bytes = 0
        self._room = asyncio.Event()
        self._room.set()

    async def parts(self) -> AsyncGenerator[bytes]:
        """Yield all lines, many at a time; some are read ahead.

        Raises:
            NoSuchProvince: the reader lost his last role meanwhile; the answer breaks off.
            UnknownCaller: his token expired meanwhile; likewise.
            LogGapError: a position is missing; likewise.
            Busy: a later release recorded the next event; likewise.
        """
        at = self._subscriber
        if at.position < self._through:
            self._types = await self._reader.log.types_between(at.position + 1, self._through)
        reading = asyncio.create_task(self._read_all())
        reading.add_done_callback(lambda _: self._read.put_nowait(b""))
        try:
            while part := await self._read.get():
                self._ahead_bytes -= len(part)
                if self._ahead_bytes < AHEAD_BYTES_MAX:
                    self._room.set()
                yield part
            await reading
        finally:
            reading.cancel()

    async def _read_all(self) -> None:
        while self._subscriber.position < self._through:
            async with self._reading():
                part = await self._turn()
            if part:
                await self._room.wait()
                self._put(part)

    def _put(self, part: bytes) -> None:
        self._read.put_nowait(part)
        self._ahead_bytes += len(part)
        if self._ahead_bytes >= AHEAD_BYTES_MAX:
            self._room.clear()

    async def _turn(self) -> bytes:
        """Read on; return the part that there was no room for, if any."""
        if time.time() >= self._token_expires_at:
            raise UnknownCaller
        sight = await self._reader.judge()
        if not sight.shows_all(self._types):
            return await self._page(sight)
        at, clock = self._subscriber, asyncio.get_running_loop().time
        until = clock() + TURN_MAX_S
        async with aclosing(self._reader.log.lines(after=at.position, through=self._through)) as parts:
            async for at.position, part in parts:
                try:
                    async with asyncio.timeout_at(until):
                        await self._room.wait()
                except TimeoutError:
                    return part
                self._put(part)
                if clock() >= until:
                    break
        return b""

    async def _page(self, sight: Sight) -> bytes:
        at = self._subscriber
        page = await read_page(
            self._reader.log,
            sight,
            after=at.position,
            through=self._through,
            limit=PAGE_EVENTS_MAX,
            bytes_max=PAGE_BYTES_MAX,
        )
        at.position = page.scanned_to
        return b"".join([line_of(entry) for entry in page.entries])
