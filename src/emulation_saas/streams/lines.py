"""Lines: a long span of the log in one answer, an event a line, for who catches up."""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Final

from emulation_saas.http.refusals import UnknownCaller
from emulation_saas.streams.feed import Reader, line_of
from emulation_saas.streams.pages import read_page
from emulation_saas.streams.subscribers import Subscriber

PIECE_BYTES_MIN: Final = 128 * 1024
PIECE_BYTES_MAX: Final = 3 * 1024 * 1024
"""About how much is read at once: more for who waits for it, less for who takes his time. One piece is read while the
one before is being sent."""
PART_BYTES_MAX: Final = 768 * 1024
"""About how much of it the database joins at once: beyond a megabyte it costs it several times as much."""
PIECE_EVENTS_MAX: Final = 5_000
_EVENT_BYTES: Final = 1_024
"""What an event is taken to have before any was seen."""


class Lines:
    """What one reader is sent of a span of positions."""

    def __init__(
        self,
        reader: Reader,
        subscriber: Subscriber,
        reading: asyncio.Semaphore,
        *,
        through: int,
        token_expires_at: float,
    ) -> None:
        """Begin where the reader stands.

        Args:
            reader: who reads.
            subscriber: keeps his position.
            reading: held while the database is asked, so that who catches up leaves room for others.
            through: the last one wanted; the log has come so far.
            token_expires_at: seconds since the epoch; who takes his time may not have until then.
        """
        self._reader = reader
        self._reading = reading
        self._subscriber = subscriber
        self._through = through
        self._token_expires_at = token_expires_at
        self._types: set[str] = set()
        self._event_bytes = _EVENT_BYTES
        self._piece_bytes = PIECE_BYTES_MIN

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Yield all lines, many at a time.

        Raises:
            NoSuchProvince: the reader lost his last role meanwhile; the answer breaks off.
            UnknownCaller: his token expired meanwhile; likewise.
            LogGapError: a position is missing; likewise.
            Busy: a later release recorded the next event; likewise.
        """
        at = self._subscriber
        if at.position >= self._through:
            return
        self._types = await self._reader.log.types_between(at.position + 1, self._through)
        ahead = asyncio.create_task(self._read())
        try:
            while True:
                wanted = self._piece_bytes // 2 if ahead.done() else self._piece_bytes * 2
                self._piece_bytes = min(max(wanted, PIECE_BYTES_MIN), PIECE_BYTES_MAX)
                parts = await ahead
                is_last = at.position >= self._through
                if not is_last:
                    ahead = asyncio.create_task(self._read())
                for part in filter(None, parts):
                    yield part
                if is_last:
                    return
        finally:
            ahead.cancel()

    async def _read(self) -> list[bytes]:
        log, at = self._reader.log, self._subscriber
        async with self._reading:
            if time.time() >= self._token_expires_at:
                raise UnknownCaller
            sight = await self._reader.judge()
            if sight.shows_all(self._types):
                part_bytes = min(self._piece_bytes, PART_BYTES_MAX)
                last, lines = await log.lines(
                    after=at.position,
                    through=self._through,
                    limit=max(1, min(PIECE_EVENTS_MAX, part_bytes // self._event_bytes)),
                    bytes_max=2 * PART_BYTES_MAX,
                    parts=self._piece_bytes // part_bytes,
                )
                self._event_bytes = sum(map(len, lines)) // (last - at.position)
            else:
                page = await read_page(
                    log,
                    sight,
                    after=at.position,
                    through=self._through,
                    limit=PIECE_EVENTS_MAX,
                    bytes_max=self._piece_bytes,
                )
                last, lines = page.scanned_to, [b"".join([line_of(entry) for entry in page.entries])]
        at.position = last
        return lines
