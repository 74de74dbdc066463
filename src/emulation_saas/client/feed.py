"""A province's log as an endless sequence of events. Who reads keeps the position."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import partial
from math import inf
from time import monotonic
from typing import Final, Literal

import httpx
import msgspec

from emulation_saas.client.answers import Token
from emulation_saas.client.blocks import Block, Blocks
from emulation_saas.client.faults import LogGapError, MalformedError
from emulation_saas.client.following import SILENCE_S, Follower, position_in
from emulation_saas.client.pauses import PAUSE_MAX_S
from emulation_saas.client.received import Event, read_event
from emulation_saas.client.track import Track

STREAM: Final = "text/event-stream"
RETRY_MIN_S: Final = 0.1
"""Whatever a stream says of how soon it may be asked for again."""


class _Notice(msgspec.Struct, frozen=True):
    """What a stream says of itself: that nothing is left to catch up with, or why it ends."""

    head: int | None = None
    reason: str | None = None


_decode_notice: Final = msgspec.json.Decoder(_Notice).decode


class Feed(Follower):
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
            token: a bearer token, or what gives one: it is asked before every request.
            by: `stream` for Server-Sent Events; `poll` where something on the way does not let streams through.
            patience_s: for how long nothing may be had before `UnreachableError`; by default one waits for ever.
            http: with your own TLS, proxies and timeouts; it stays yours to close.
            sleep: how pauses are waited out.
        """
        log = f"{url.rstrip('/')}/v1/provinces/{province}/events"
        super().__init__(log, token=token, patience_s=patience_s, http=http, sleep=sleep)
        self._by = by

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
            gapless: that every position must come: for who may see every event, as auditors may.

        Raises:
            ValueError: every position is to come, and only some events are selected.
            ClientError: following on would not mend it; see `faults`.
        """
        if gapless and (types or tags):
            raise ValueError("of a selection not every position comes")
        self._track = Track(after, gapless=gapless)
        query = {"types": ",".join(types), "tags": ",".join(tags), "through": "" if through is None else str(through)}
        asked = {name: value for name, value in query.items() if value}
        read = self._streamed if self._by == "stream" else self._paged
        return self._follow(partial(read, asked), through=through)

    async def _streamed(self, query: dict[str, str]) -> AsyncGenerator[Event]:
        """Give what one connection brings. A stream that ends was ended: for its token's end, or its server's."""
        blocks = Blocks()
        asked = {**query, "after": str(self.position)}
        async with self._asking.stream(self._url, asked, accept=STREAM, silence_s=SILENCE_S) as answer:
            self._note(answer)
            async for piece in answer.aiter_bytes():
                self._had_at = monotonic()
                for block in blocks.take(piece):
                    event = self._in(block)
                    if event is not None:
                        yield event
                if blocks.retry_s is not None:
                    self._pauses.least_s = min(max(blocks.retry_s, RETRY_MIN_S), PAUSE_MAX_S)

    def _in(self, block: Block) -> Event | None:
        """Return the event of a block; None when it tells something else."""
        if block.data is None:
            self._track.pass_over(position_in(block.id))
            return None
        if block.type in {"head", "end"}:
            notice = _notice(block.data)
            self.head = notice.head or self.head
            self._goes_on_at_once = notice.reason == "time"
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
        for event in self._told(await self._page({**query, "after": str(self.position)})):
            yield event


def _notice(data: bytes) -> _Notice:
    try:
        return _decode_notice(data)
    except msgspec.MsgspecError as error:
        raise MalformedError(f"no notice: {error}") from error
