"""Reading a log again and again, whatever happens to connections, tokens and servers meanwhile."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Final, Self

import httpx
import msgspec

from emulation_saas.client.answers import Asking, Later, Token
from emulation_saas.client.faults import MalformedError, UnreachableError
from emulation_saas.client.pauses import Pauses
from emulation_saas.client.received import Event, read_event
from emulation_saas.client.track import Track

WAIT_S: Final = 20
"""How long the service may hold a question to which there is no answer yet."""
SILENCE_S: Final = 45.0
"""A stream is pinged each 15 s; what is silent for so long is dead."""
HELD_S: Final = 5.0
"""What went on for so long was an answer, though nothing may have happened meanwhile: it is no reason to stay away."""
PAGE: Final = 500
"""Events of one page at most. One that breaks off is asked for again in half: so a bad line brings something, too."""
BATCH: Final = "application/cloudevents-batch+json"
DIGITS_MAX: Final = 16
"""Of a position."""
_log: Final = logging.getLogger("emulation_saas.client")
_batch: Final = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, and how far was looked for them."""

    events: list[Event]
    scanned_to: int
    headers: Mapping[str, str]


class Follower:
    """Follows one province's log. One iteration at a time."""

    def __init__(
        self,
        url: str,
        *,
        token: Token,
        patience_s: float,
        http: httpx.AsyncClient | None,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Prepare to read at a URL; nothing is asked yet. The rest is told in `Feed`."""
        self._url = url
        self._asking = Asking(http or httpx.AsyncClient(), token)
        self._is_own = http is None
        self._patience_s = patience_s
        self._sleep = sleep
        self._track = Track(0, gapless=False)
        self._pauses = Pauses()
        self._had_at = monotonic()
        self._goes_on_at_once = False
        self._limit = PAGE
        self._following: AsyncGenerator[Event] | None = None
        self.head: int | None = None
        """Where the log stood when the service was last asked."""

    async def __aenter__(self) -> Self:
        """Lend it."""
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

    def _follow(
        self, read: Callable[[], AsyncGenerator[Event]], *, through: int | None = None
    ) -> AsyncGenerator[Event]:
        """Return what reading brings, again and again. An iteration before this one is over."""
        self._following = self._followed(read, through, self._following)
        return self._following

    async def _followed(
        self, read: Callable[[], AsyncGenerator[Event]], through: int | None, former: AsyncGenerator[Event] | None
    ) -> AsyncGenerator[Event]:
        if former is not None:
            await former.aclose()
        self._had_at = monotonic()
        while through is None or self.position < through:
            asked_at, began_at, self._goes_on_at_once = monotonic(), self.position, False
            later: Later | None = None
            try:
                async with aclosing(read()) as events:
                    async for event in events:
                        yield event
                        if event.position == through:
                            return
            except Later as error:
                later = error
            if self.position > began_at or self._had_at - asked_at >= HELD_S:
                self._pauses.begin_again()
            else:
                self._goes_on_at_once = False  # such as for a token that has expired: it would be the same again
            if later is not None or not self._goes_on_at_once:
                await self._pause(later)

    async def _pause(self, later: Later | None) -> None:
        pause_s = self._pauses.next_s(None if later is None else later.told_s)
        if later is not None:
            without_s = monotonic() - self._had_at
            if without_s + pause_s > self._patience_s:
                raise UnreachableError(f"nothing came for {without_s:.0f} s: {later}") from later
            _log.warning("%s: %s; asked again in %.1f s", self._url, later, pause_s)
        await self._sleep(pause_s)

    async def _page(self, query: Mapping[str, str]) -> Page:
        """Ask for a page; wait for it where there is nothing yet."""
        limit, self._limit = self._limit, max(1, self._limit // 2)
        asked = {**query, "limit": str(limit), "wait": str(WAIT_S)}
        async with self._asking.stream(self._url, asked, accept=BATCH, silence_s=WAIT_S + SILENCE_S) as answer:
            self._note(answer)
            scanned_to = position_in(answer.headers.get("log-scanned-to", ""))
            body = await answer.aread()
        self._limit = min(PAGE, 2 * limit)
        try:
            raws = _batch.decode(body)
        except msgspec.MsgspecError as error:
            raise MalformedError(f"no page of events: {error}") from error
        return Page([read_event(bytes(raw)) for raw in raws], scanned_to, answer.headers)

    def _told(self, page: Page) -> Iterator[Event]:
        """Give the events of a page, watching positions."""
        began_at = self.position
        for event in page.events:
            self._track.take(event.position)
            yield event
        self._track.pass_over(page.scanned_to)
        self._goes_on_at_once = self.position > began_at

    def _note(self, answer: httpx.Response) -> None:
        self._had_at = monotonic()
        if "log-head" in answer.headers:
            self.head = position_in(answer.headers["log-head"])


def position_in(text: str) -> int:
    """Return the position that a text is.

    Raises:
        MalformedError: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX):
        raise MalformedError(f"no position: {text[:40]!r}")
    return int(text)
