"""The feed over HTTP: JSON batches, lines and Server-Sent Events of what the caller may see of a province's log."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from emulation_saas.http.answers import ANSWERS, Streamed
from emulation_saas.http.exchange import Exchange, exchange_of, when_ended
from emulation_saas.http.limits import PAGE_DEFAULT, PAGE_MAX, WAIT_MAX_S
from emulation_saas.http.tokens import LEEWAY_S, expires_at, token_in
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.numbers import INTEGER_MAX
from emulation_saas.log import ProvinceLog
from emulation_saas.streams.feed import (
    BATCH,
    NDJSON,
    SSE,
    Asked,
    Reader,
    last_event_of,
    page_answer,
    selection_of,
)
from emulation_saas.streams.lines import Lines
from emulation_saas.streams.pages import demand_reached
from emulation_saas.streams.refusals import TwoNamesForOne
from emulation_saas.streams.sse import EventStream
from emulation_saas.streams.subscribers import Subscriber, Subscribers
from emulation_saas.streams.tails import Tails
from emulation_saas.streams.waiting import Waiting

_MS: Final = 1_000
_EVENTS: Final = {"type": "array", "items": {"$ref": "#/components/schemas/Event"}}
_TEXT: Final = {"type": "string"}
_HEADERS: Final = [
    ResponseHeader(name="Log-Head", description="The log's last position", documentation_only=True),
    ResponseHeader(
        name="Log-Scanned-To",
        description="Everything up to this position was looked at: the next `after`",
        documentation_only=True,
    ),
    ResponseHeader(name="Link", description='`rel="next"`: where to go on', documentation_only=True),
]

After = Annotated[
    int | None,
    QueryParameter(description="The position to begin after; 0 by default", ge=0, le=INTEGER_MAX),
]
LastEventId = Annotated[
    int | None,
    QueryParameter(name="lastEventId", description="The same, as HTTP Feeds calls it", ge=0, le=INTEGER_MAX),
]
Limit = Annotated[
    int | None,
    QueryParameter(
        description=f"At most so many events; {PAGE_DEFAULT} by default in a page. Lines without it and without `wait` "
        "are no page: all of them up to the head",
        ge=1,
        le=PAGE_MAX,
    ),
]
Wait = Annotated[
    int | None,
    QueryParameter(description="Seconds to wait for an event, where there is none; for pages", ge=0, le=WAIT_MAX_S),
]
Timeout = Annotated[
    int | None,
    QueryParameter(
        name="timeout", description="The same in milliseconds, as HTTP Feeds calls it", ge=0, le=WAIT_MAX_S * _MS
    ),
]
Types = Annotated[
    str | None,
    QueryParameter(
        description="Only events of these types, with commas between; `*` stands for any part",
        pattern=r"^[a-z0-9.*,-]{1,5000}$",
    ),
]
Tags = Annotated[
    str | None,
    QueryParameter(
        description="Only events that bear all of these tags, with commas between",
        pattern=r"^[a-z0-9:/,-]{1,2000}$",
    ),
]
Through = Annotated[int | None, QueryParameter(description="The last position wanted", ge=1, le=INTEGER_MAX)]


@get(
    "/events",
    summary="The log, event by event",
    media_type=BATCH,
    opt={ANSWERS: {BATCH: _EVENTS, NDJSON: _TEXT, SSE: _TEXT}},
    response_headers=_HEADERS,
)
async def read_events(  # noqa: PLR0913, PLR0917 - all that may be asked for
    request: Request[Any, Any, Any],
    log: NamedDependency[ProvinceLog],
    authority: NamedDependency[Authority],
    tails: NamedDependency[Tails],
    subscribers: NamedDependency[Subscribers],
    after: After = None,
    last_event_id: LastEventId = None,
    limit: Limit = None,
    wait: Wait = None,
    timeout_ms: Timeout = None,
    types: Types = None,
    tags: Tags = None,
    through: Through = None,
) -> Response[Any]:
    """Return what follows a position, in order, as it is stored: a JSON batch, lines, or a stream that goes on.

    What the caller may not see is passed over; `Log-Scanned-To` tells how far.
    """
    exchange = exchange_of(request.scope)
    media_type = exchange.media_type or BATCH
    begin = _one_of(after, last_event_id) or 0
    wait_ms = _one_of(None if wait is None else wait * _MS, timeout_ms) or 0
    if media_type == SSE:
        resumed = last_event_of(exchange)
        begin = begin if resumed is None else resumed
    asked = Asked(after=begin, through=through, limit=limit, selection=selection_of(types, tags))
    exchange.asked["after"] = str(begin)
    feed = _Feed(exchange, log, Reader(log, authority, asked.selection), tails, subscribers)
    if media_type == SSE:
        return await feed.stream(asked)
    if media_type == NDJSON and limit is None and not wait_ms:
        return await feed.lines(asked)
    return await feed.page(asked, media_type, wait_s=wait_ms / _MS)


class _Feed:
    """One request's answers."""

    def __init__(
        self, exchange: Exchange, log: ProvinceLog, reader: Reader, tails: Tails, subscribers: Subscribers
    ) -> None:
        self._exchange = exchange
        self._log = log
        self._reader = reader
        self._tails = tails
        self._subscribers = subscribers

    async def page(self, asked: Asked, media_type: str, *, wait_s: float = 0) -> Response[Any]:
        """Answer with a page; where it is empty, wait for a while until it is not."""
        page, has_waited = await Waiting(self._tails, self._subscribers).read(self._reader, asked, wait_s=wait_s)
        return page_answer(self._exchange, asked, page, media_type=media_type, has_waited=has_waited)

    async def lines(self, asked: Asked) -> Response[Any]:
        """Answer with a line an event up to the log's head, or to the position that is wanted."""
        head, subscriber = await self._admitted(asked)
        last = max(asked.after, head if asked.through is None else min(head, asked.through))
        self._exchange.asked["through"] = str(last)
        until = self._token_expires_at + LEEWAY_S
        lines = Lines(self._reader, subscriber, self._tails.reading(self._log), through=last, token_expires_at=until)
        return _streamed(NDJSON, lines.parts(), {"log-head": str(head), "log-scanned-to": str(last)})

    async def stream(self, asked: Asked) -> Response[Any]:
        """Answer with a stream that goes on."""
        head, subscriber = await self._admitted(asked)
        tail = await self._tails.follow(self._log)
        when_ended(tail.left)
        stream = EventStream(tail, self._reader, subscriber, asked, token_expires_at=self._token_expires_at)
        return _streamed(SSE, stream.blocks(), {"log-head": str(head), "x-accel-buffering": "no"})

    @property
    def _token_expires_at(self) -> float:
        return expires_at(token_in(self._exchange.authorization))

    async def _admitted(self, asked: Asked) -> tuple[int, Subscriber]:
        """Return the log's head and the caller as a subscriber: what is refused is refused before an answer begins."""
        head = await demand_reached(self._log, asked.after)
        return head, self._subscribers.admit(self._log.province, self._reader.person, asked.after)


def _streamed(media_type: str, pieces: AsyncGenerator[bytes], headers: dict[str, str]) -> Streamed:
    return Streamed(pieces, media_type=media_type, headers={"vary": "authorization, accept", **headers})


def _one_of(value: int | None, alias: int | None) -> int | None:
    """Return what was given under one of two names.

    Raises:
        TwoNamesForOne: it was given under both.
    """
    if value is not None and alias is not None:
        raise TwoNamesForOne
    return alias if value is None else value


ROUTES = (read_events,)
