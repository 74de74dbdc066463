"""A province's log as an endless sequence of events, whatever happens to connections, tokens and servers meanwhile."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from math import inf
from time import monotonic
from types import TracebackType
from typing import Final, Literal, Self

import httpx
import msgspec

from emulation_saas.client.answers import Asking, Later, Token
from emulation_saas.client.blocks import Block, Blocks
from emulation_saas.client.faults import LogGapError, MalformedError, UnreachableError
from emulation_saas.client.pauses import Pauses
from emulation_saas.client.received import Event, read_event
from emulation_saas.client.track import Track

WAIT_S: Final = 20
"""How long the service may hold a question to which there is no answer yet."""
SILENCE_S: Final = 45.0
"""A stream is pinged each 15 s; one that is silent for so long is dead."""
PAGE: Final = 500
"""Events of one page at most. One that breaks off is asked for again in half: so a bad line brings something, too."""
STREAM: Final = "text/event-stream"
BATCH: Final = "application/cloudevents-batch+json"
_log: Final = logging.getLogger(__name__)
_batch: Final = msgspec.json.Decoder(list[msgspec.Raw])


class _Notice(msgspec.Struct, frozen=True):
    """What a stream says of itself: that nothing is left to catch up with, or why it ends."""

    head: int | None = None
    reason: str | None = None


_decode_notice: Final = msgspec.json.Decoder(_Notice).decode


class Feed:
    """Follows one province's log. One iteration at a time."""

    def __init__(
        self,
        url: str,
        province: str,
        *,
        token: Token,
        by: Literal["stream", "poll"] = "stream",
        patience_s: float = inf,
        http: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            url: of the service, such as `https://thidua.example.vn`.
            province: its handle.
            token: see `Token`.
            by: `stream` for Server-Sent Events; `poll` where something on the way does not let streams through.
            patience_s: for how long nothing may be had before `UnreachableError`; by default one waits for ever.
            http: with your own TLS, proxies and timeouts; it stays yours to close.
            sleep: how pauses are waited out.
        """
        self._url = f"{url.rstrip('/')}/v1/provinces/{province}/events"
        self._asking = Asking(http or httpx.AsyncClient(), token)
        self._is_own = http is None
        self._by = by
        self._patience_s = patience_s
        self._sleep = sleep
        self._track = Track(0, gapless=False)
        self._pauses = Pauses()
        self._had_at = monotonic()
        self._is_renewed = False
        self._limit = PAGE
        self._following: AsyncGenerator[Event] | None = None
        self.head: int | None = None
        """Where the log stood when the service was last asked."""

    async def __aenter__(self) -> Self:
        """Lend the feed."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of every connection."""
        if self._following is not None:
            await self._following.aclose()
        if self._is_own:
            await self._asking.http.aclose()

    @property
    def position(self) -> int:
        """Up to where everything has come, or was looked through: what to keep, and to begin `after` the next time."""
        return self._track.position

    def events(
        self,
        *,
        after: int = 0,
        through: int | None = None,
        types: Sequence[str] = (),
        tags: Sequence[str] = (),
        gapless: bool = False,
    ) -> AsyncGenerator[Event]:
        """Give the events that follow a position, in order; then wait for more, for ever.

        Args:
            after: the last position that was dealt with; 0 for none.
            through: where to end; None: nowhere.
            types: only of these types; `*` stands for any part of a name.
            tags: only with all of these tags.
            gapless: that every position must come, for whom every event is public (as for auditors).

        Raises:
            ValueError: every position is to come, and only some events are selected.
            ClientError: following on would not mend it; see `faults`.
        """
        if gapless and (types or tags):
            raise ValueError("of a selection not every position comes")
        self._track = Track(after, gapless=gapless)
        query = {"types": ",".join(types), "tags": ",".join(tags), "through": "" if through is None else str(through)}
        asked = {name: value for name, value in query.items() if value}
        self._following = self._followed(asked, through, before=self._following)
        return self._following

    async def _followed(
        self, query: dict[str, str], through: int | None, *, before: AsyncGenerator[Event] | None
    ) -> AsyncGenerator[Event]:
        if before is not None:
            await before.aclose()
        read = self._streamed if self._by == "stream" else self._paged
        self._had_at = monotonic()
        while through is None or self.position < through:
            began_at, self._is_renewed = self.position, False
            later: Later | None = None
            try:
                async with aclosing(read(query)) as events:
                    async for event in events:
                        yield event
                        if event.position == through:
                            return
            except Later as error:
                later = error
            if self.position > began_at:
                self._pauses.begin_again()
            if later is not None or not (self._is_renewed or (self._by == "poll" and self.position > began_at)):
                await self._pause(later)

    async def _pause(self, later: Later | None) -> None:
        pause_s = self._pauses.next_s(None if later is None else later.told_s)
        if later is not None:
            without_s = monotonic() - self._had_at
            if without_s + pause_s > self._patience_s:
                raise UnreachableError(f"nothing came for {without_s:.0f} s: {later}") from later
            _log.warning("%s: %s; asked again in %.1f s", self._url, later, pause_s)
        await self._sleep(pause_s)

    async def _streamed(self, query: dict[str, str]) -> AsyncGenerator[Event]:
        """Give what one connection brings. A stream that ends was ended: for its token's end, or its server's."""
        blocks = Blocks()
        asked = {**query, "after": str(self.position)}
        async with self._asking.stream(self._url, asked, accept=STREAM, silence_s=SILENCE_S) as answer:
            self._note(answer)
            async for piece in answer.aiter_bytes():
                self._had_at = monotonic()
                for block in blocks.take(piece):
                    event = self._told(block)
                    if event is not None:
                        yield event
                if blocks.retry_s is not None:
                    self._pauses.least_s = blocks.retry_s

    def _told(self, block: Block) -> Event | None:
        """Return the event of a block; None when it tells something else."""
        if block.data is None:
            self._track.pass_over(_position(block.id))
            return None
        if block.type in {"head", "end"}:
            notice = _notice(block.data)
            self.head = notice.head or self.head
            self._is_renewed = notice.reason == "time"
            if notice.reason == "gap":
                raise LogGapError(f"the log itself has nothing at {self.position + 1}")
            return None
        event = read_event(block.data)
        if (str(event.position), event.type) != (block.id, block.type):
            raise MalformedError(f"block {block.id} holds event {event.position}")
        self._track.take(event.position)
        return event

    async def _paged(self, query: dict[str, str]) -> AsyncGenerator[Event]:
        """Give one page. The next one begins where this one was looked through to."""
        asked = {**query, "after": str(self.position), "limit": str(self._limit), "wait": str(WAIT_S)}
        limit, self._limit = self._limit, max(1, self._limit // 2)
        async with self._asking.stream(self._url, asked, accept=BATCH, silence_s=WAIT_S + SILENCE_S) as answer:
            self._note(answer)
            scanned_to = _position(answer.headers.get("log-scanned-to", ""))
            page = await answer.aread()
        self._limit = min(PAGE, 2 * limit)
        try:
            raws = _batch.decode(page)
        except msgspec.MsgspecError as error:
            raise MalformedError(f"no page of events: {error}") from error
        for raw in raws:
            event = read_event(bytes(raw))
            self._track.take(event.position)
            yield event
        self._track.pass_over(scanned_to)

    def _note(self, answer: httpx.Response) -> None:
        self._had_at = monotonic()
        if "log-head" in answer.headers:
            self.head = _position(answer.headers["log-head"])


def _notice(data: bytes) -> _Notice:
    try:
        return _decode_notice(data)
    except msgspec.MsgspecError as error:
        raise MalformedError(f"no notice: {error}") from error


def _position(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise MalformedError(f"no position: {text[:40]!r}")
    return int(text)
