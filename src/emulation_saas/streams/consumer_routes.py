"""Consumers over HTTP: made, read, acknowledged, moved, removed. Commands are POSTs as everywhere else.

None of them records an event, so none has a receipt or needs a key: each may be sent again as it is.
"""

from typing import Annotated, Any, Final, TypeVar, cast

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, UnsetType

from emulation_saas.http.answers import ANSWERS, JSON, Answer
from emulation_saas.http.bodies import moment
from emulation_saas.http.exchange import exchange_of
from emulation_saas.http.limits import PAGE_DEFAULT, PAGE_MAX, WAIT_MAX_S
from emulation_saas.http.paging import Page, cursor
from emulation_saas.http.problems import Problem
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.rejections import TimeInFuture
from emulation_saas.log import ProvinceLog
from emulation_saas.streams.consumer_shapes import (
    AcknowledgementBody,
    ConsumerBody,
    ConsumerDocument,
    ConsumersPage,
    RemovalBody,
    SeekBody,
    document,
)
from emulation_saas.streams.consumers import Consumer, Consumers
from emulation_saas.streams.feed import BATCH, NDJSON, VARY, Asked, Reader, page_body
from emulation_saas.streams.refusals import CursorBeyondHead
from emulation_saas.streams.sights import Selection
from emulation_saas.streams.subscribers import Subscribers
from emulation_saas.streams.tails import Tails
from emulation_saas.streams.waiting import Waiting

NOW: Final = "now"

_HEADERS: Final = [
    ResponseHeader(name="Log-Head", description="The log's last position", documentation_only=True),
    ResponseHeader(
        name="Log-Scanned-To", description="What to acknowledge once the page is taken", documentation_only=True
    ),
    ResponseHeader(
        name="Consumer-Position", description="Where the consumer stands: `expected` then", documentation_only=True
    ),
]

D = TypeVar("D")
_CONFLICT: Final = {409: ResponseSpec(Problem, description="It contradicts the present state.")}
_LISTED: Final = "consumers"


@post("/consumers", summary="Make a consumer", status_code=200, responses=_CONFLICT)
async def open_consumer(
    request: Request[Any, Any, Any],
    data: JSONBody[ConsumerBody],
    authority: NamedDependency[Authority],
    log: NamedDependency[ProvinceLog],
    consumers: NamedDependency[Consumers],
) -> ConsumerDocument:
    """Have the service keep a reader's place; asked again, the consumer is answered as it is."""
    consumer = await consumers.open(
        log.province,
        data.consumer,
        may=authority,
        selection=Selection(types=data.types, tags=data.tags),
        position=await _position_of(log, data.start),
    )
    return await _told(request, log, consumer)


@get("/consumers", summary="My consumers")
async def read_consumers(
    request: Request[Any, Any, Any],
    authority: NamedDependency[Authority],
    log: NamedDependency[ProvinceLog],
    consumers: NamedDependency[Consumers],
    page: NamedDependency[Page],
) -> ConsumersPage:
    """Return the caller's consumers; an administrator's answer lists everybody's."""
    _, after = page.start(_LISTED)
    found = await consumers.after(log.province, after or "", may=authority, limit=page.limit + 1)
    head = (await log.head()).position
    following: str | UnsetType = UNSET
    if len(found) > page.limit:
        following = cursor(of=_LISTED, position=head, after=found[page.limit - 1].name)
    listed = [document(each, head) for each in found[: page.limit]]
    return _answered(request, ConsumersPage(position=head, consumers=listed, next=following), head)


@get("/consumers/{consumer:str}", summary="A consumer and its lag")
async def read_consumer(
    request: Request[Any, Any, Any],
    consumer: FromPath[str],
    authority: NamedDependency[Authority],
    log: NamedDependency[ProvinceLog],
    consumers: NamedDependency[Consumers],
) -> ConsumerDocument:
    """Return where a consumer stands, and how far that is behind the log."""
    return await _told(request, log, await consumers.find(log.province, consumer, may=authority))


@get(
    "/consumers/{consumer:str}/events",
    summary="What a consumer reads next",
    media_type=BATCH,
    opt={
        ANSWERS: {BATCH: {"type": "array", "items": {"$ref": "#/components/schemas/Event"}}, NDJSON: {"type": "string"}}
    },
    response_headers=_HEADERS,
)
async def read_next(  # noqa: PLR0913, PLR0917 - what is asked for, and all that answers it
    request: Request[Any, Any, Any],
    consumer: FromPath[str],
    authority: NamedDependency[Authority],
    log: NamedDependency[ProvinceLog],
    consumers: NamedDependency[Consumers],
    tails: NamedDependency[Tails],
    subscribers: NamedDependency[Subscribers],
    limit: Annotated[int, QueryParameter(description="At most so many events", ge=1, le=PAGE_MAX)] = PAGE_DEFAULT,
    wait: Annotated[
        int, QueryParameter(description="Seconds to wait for an event, where there is none", ge=0, le=WAIT_MAX_S)
    ] = 0,
) -> Response[Any]:
    """Return what follows the consumer's place, as the feed does; it is moved by acknowledging what was read."""
    found = await consumers.find(log.province, consumer, may=authority)
    await consumers.seen(log.province, consumer)
    reader = Reader(log, authority, found.selection)
    asked = Asked(after=found.position, through=None, limit=limit, selection=found.selection)
    page, _ = await Waiting(tails, subscribers).read(reader, asked, wait_s=wait)
    exchange = exchange_of(request.scope)
    exchange.asked |= {"after": str(found.position), "through": str(page.scanned_to)}
    media_type = exchange.media_type or BATCH
    headers = [
        (b"content-type", media_type.encode()),
        (b"log-head", b"%d" % page.head),
        (b"log-scanned-to", b"%d" % page.scanned_to),
        (b"consumer-position", b"%d" % found.position),
        VARY,
    ]
    return Answer(page_body(page, media_type), status=200, headers=headers)


@post("/consumers/{consumer:str}/ack", summary="Acknowledge what was read", status_code=200, responses=_CONFLICT)
async def acknowledge(
    request: Request[Any, Any, Any],
    data: JSONBody[AcknowledgementBody],
    consumer: FromPath[str],
    authority: NamedDependency[Authority],
    log: NamedDependency[ProvinceLog],
    consumers: NamedDependency[Consumers],
) -> ConsumerDocument:
    """Move a consumer forward, if it stands where the caller thinks; the next page begins after its new position."""
    head = (await log.head()).position
    found = await consumers.acknowledge(
        log.province, consumer, may=authority, expected=data.expected, position=data.position, head=head
    )
    return await _told(request, log, found)


@post("/consumers/{consumer:str}/seek", summary="Go on somewhere else", status_code=200)
async def seek(
    request: Request[Any, Any, Any],
    data: JSONBody[SeekBody],
    consumer: FromPath[str],
    authority: NamedDependency[Authority],
    log: NamedDependency[ProvinceLog],
    consumers: NamedDependency[Consumers],
) -> ConsumerDocument:
    """Put a consumer to a position or to a time, forward or back."""
    position = await _position_of(log, data.to)
    return await _told(request, log, await consumers.seek(log.province, consumer, may=authority, position=position))


@post("/consumers/{consumer:str}/remove", summary="Remove a consumer", status_code=200)
async def remove_consumer(
    request: Request[Any, Any, Any],
    data: JSONBody[RemovalBody],  # noqa: ARG001 - said for the framework, which reads the body by it
    consumer: FromPath[str],
    authority: NamedDependency[Authority],
    log: NamedDependency[ProvinceLog],
    consumers: NamedDependency[Consumers],
) -> ConsumerDocument:
    """Forget a consumer and its place; return what it was."""
    return await _told(request, log, await consumers.close(log.province, consumer, may=authority))


async def _position_of(log: ProvinceLog, place: int | str) -> int:
    """Return the position after which a place lies.

    Raises:
        CursorBeyondHead: the log has not come so far.
        NoSuchMoment, TimeInFuture: it is no moment, or none yet.
    """
    if place == NOW:
        return (await log.head()).position
    if isinstance(place, str):
        if (instant := moment(place)) > utc_now():
            raise TimeInFuture
        return await log.position_at(instant)
    head = (await log.head()).position
    if place > head:
        raise CursorBeyondHead(f"the log stands at {head}")
    return place


async def _told(request: Request[Any, Any, Any], log: ProvinceLog, consumer: Consumer) -> ConsumerDocument:
    head = (await log.head()).position
    return _answered(request, document(consumer, head), head)


def _answered(request: Request[Any, Any, Any], document: D, head: int) -> D:
    """Return the finished answer; it is declared as the document that it spells, for the description."""
    exchange_of(request.scope).position = head
    headers = [JSON, (b"log-position", b"%d" % head)]
    return cast("D", Answer(msgspec.json.encode(document), status=200, headers=headers))


ROUTES: Final = (open_consumer, read_consumers, read_consumer, read_next, acknowledge, seek, remove_consumer)
