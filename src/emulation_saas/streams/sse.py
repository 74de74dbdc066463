"""Server-Sent Events: one reader's stream, from where he stands to the log's head and on.

A block is an event: its position as `id`, its type as `event`, its stored bytes as `data`. Beside these there are
blocks with an id alone (nothing to show for a while), `event: head` once there is nothing more to catch up with,
comments that keep the connection alive, and `event: end` with the reason before the stream ends by itself.
"""

import random
import time
from collections.abc import AsyncGenerator, Sequence
from time import monotonic
from typing import Final, Literal, NamedTuple

import structlog

from emulation_saas.http.limits import STREAM_MAX_S
from emulation_saas.http.refusals import NoSuchProvince
from emulation_saas.log import Entry, LogGapError
from emulation_saas.streams.feed import Asked, Reader
from emulation_saas.streams.pages import Page, filled
from emulation_saas.streams.sights import Sight
from emulation_saas.streams.subscribers import Subscriber
from emulation_saas.streams.tails import PAGE, TURN_S, Tail, reached

PING_S: Final = 15.0
"""Within which something is sent, if only a comment."""
PASSED_MAX: Final = 100
"""Positions passed over without an id."""
PIECE_BYTES_MAX: Final = 256 * 1024
"""Of what is sent at once: all that is held for a reader who does not read."""
STREAM_MIN_S: Final = STREAM_MAX_S * 2 // 3

RETRY: Final = b"retry: 3000\n\n"
_PING: Final = b": ping\n\n"
_log: Final = structlog.get_logger()

Reason = Literal["complete", "failed", "gap", "revoked", "stopping", "time"]
"""Why a stream ended: all that was asked for was told; the database did not answer; a position is missing, which is a
fault of the log and not of the reader; he has no role any more; the service stops; the stream is old or its token
expires. But for `complete`, `gap` and `revoked` it is to be taken up again."""


class Told(NamedTuple):
    """What is sent of a span of positions."""

    blocks: bytes
    shown: int
    """Events in it."""
    last: int
    """The position of the last of them; 0 when there is none."""
    scanned_to: int


class EventStream:
    """One reader's stream. All it holds is where he stands."""

    def __init__(
        self, tail: Tail, reader: Reader, subscriber: Subscriber, asked: Asked, *, token_expires_at: float
    ) -> None:
        """Begin after the position that is asked for.

        Args:
            tail: of the province, followed for as long as the stream lasts.
            reader: who reads.
            subscriber: keeps his position.
            asked: what is asked for.
            token_expires_at: seconds since the epoch.
        """
        self._tail = tail
        self._reader = reader
        self._subscriber = subscriber
        self._asked = asked
        self._left = asked.limit
        self._told_id = asked.after
        self._told_head = False
        self._sent_at = monotonic()
        lasts_s = random.uniform(STREAM_MIN_S, STREAM_MAX_S)  # noqa: S311 - so that not all come back at once
        self._ends_at = self._sent_at + min(lasts_s, token_expires_at - time.time())

    async def blocks(self) -> AsyncGenerator[bytes]:
        """Yield all that is sent."""
        yield RETRY
        while (reason := self._over()) is None:
            try:
                piece = await self._next()
            except NoSuchProvince:
                reason = "revoked"
                break
            except Exception as error:  # noqa: BLE001 - whatever it is, the reader is to know that it is over
                reason = "gap" if isinstance(error, LogGapError) else "failed"
                _log.exception(f"stream-{reason}", province=self._tail.log.handle, position=self._subscriber.position)
                break
            if piece:
                self._sent_at = monotonic()
                yield piece
        yield self._passed() + b'event: end\ndata: {"reason":"%s"}\n\n' % reason.encode()

    def _over(self) -> Reason | None:
        if self._left == 0 or self._asked.ends_at(self._subscriber.position):
            return "complete"
        if self._tail.is_stopping:
            return "stopping"
        return "time" if monotonic() + TURN_S >= self._ends_at else None

    async def _next(self) -> bytes:
        """Return what is to be sent next; nothing after a wait, or where all that was looked at is hidden."""
        told = await self._told()
        self._subscriber.position = told.scanned_to
        piece = told.blocks
        if told.shown:
            self._told_id = told.last
            self._left = None if self._left is None else self._left - told.shown
        if told.scanned_to - self._told_id >= PASSED_MAX:
            piece += self._passed()
        if told.scanned_to < self._tail.position:
            return piece
        if not self._told_head:
            self._told_head = True
            piece += self._passed() + b'event: head\ndata: {"head":%d}\n\n' % told.scanned_to
        if not piece:
            if monotonic() - self._sent_at >= PING_S - TURN_S:
                return self._passed() + _PING
            await self._tail.turned()
        return piece

    def _passed(self) -> bytes:
        """Return a block with an id alone, where the reader has come further than he knows."""
        position = self._subscriber.position
        if position == self._told_id:
            return b""
        self._told_id = position
        return b"id: %d\n\n" % position

    async def _told(self) -> Told:
        tail, after = self._tail, self._subscriber.position
        sight = await self._reader.follow(tail)
        if after >= tail.position:
            return Told(b"", 0, 0, after)
        kept = tail.since(after)
        if kept is None:
            async with tail.reading():
                kept = await reached(tail.log, after=after, through=tail.position, limit=PAGE // 2)
            sight = await self._reader.follow(tail)  # he may have waited for his turn to read
        elif self._left is None and self._asked.through is None:
            return _shared(tail, kept, sight)
        through = self._asked.through
        wanted = kept if through is None else [entry for entry in kept if entry.position <= through]
        return _told_of(_shown(wanted, sight, limit=self._left))


def _shared(tail: Tail, entries: Sequence[Entry], sight: Sight) -> Told:
    """Return what is sent of entries that the tail keeps.

    What is shown is found once for all who may see the same; what is sent is made once for all who are shown the same.
    """
    first = entries[0].position
    actors = tail.made.once(first, lambda: {tail.closed(entry).actor for entry in entries})
    page = tail.judged.once((first, sight.alike(actors)), lambda: _shown(entries, sight))
    shown = (first, page.scanned_to, *[entry.position for entry in page.entries])
    return tail.made.once(shown, lambda: _told_of(page))


def _shown(entries: Sequence[Entry], sight: Sight, *, limit: int | None = None) -> Page:
    before = Page([], entries[0].position - 1, 0)
    return filled(before, entries, sight, limit=limit or len(entries), bytes_max=PIECE_BYTES_MAX)


def _told_of(page: Page) -> Told:
    blocks = b"".join(
        [
            b"id: %d\nevent: %s\ndata: %s\n\n" % (shown.position, shown.type.encode(), shown.body)
            for shown in page.entries
        ]
    )
    return Told(blocks, len(page.entries), page.entries[-1].position if page.entries else 0, page.scanned_to)
