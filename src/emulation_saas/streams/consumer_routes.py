"""Consumers over HTTP: made, read, acknowledged, moved, removed. Commands are POSTs as everywhere else.

None of them records an event, so none has a receipt or needs a key: each may be sent again as it is.
"""

from datetime import datetime
from typing import Annotated, Any, Final, TypeVar, cast

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.http.answers import JSON, Answer
from emulation_saas.http.bodies import moment
from emulation_saas.http.exchange import exchange_of
from emulation_saas.http.paging import Page, cursor
from emulation_saas.http.problems import Problem
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.ids import Handle
from emulation_saas.kernel.rejections import TimeInFuture
from emulation_saas.log import ProvinceLog
from emulation_saas.streams.consumers import Consumer, Consumers
from emulation_saas.streams.refusals import CursorBeyondHead
from emulation_saas.streams.sights import TAGS_MAX, TYPES_MAX, Selection, Tag, TypePattern

NOW: Final = "now"

D = TypeVar("D")
_CONFLICT: Final = {409: ResponseSpec(Problem, description="It contradicts the present state.")}
_LISTED: Final = "consumers"

Place = (
    Annotated[int, Meta(ge=0, description="A position: what follows it is read next")]
    | Annotated[
        str,
        Meta(
            max_length=40,
            description="`now`, or a day or RFC 3339 instant up to now: what was recorded after it is read next",
            examples=["2024-01-30T09:00:00+07:00"],
        ),
    ]
)


class ConsumerBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new consumer."""

    consumer: Handle
    types: Annotated[list[TypePattern], Meta(max_length=TYPES_MAX, description="One of these types; none: all")] = []
    tags: Annotated[list[Tag], Meta(max_length=TAGS_MAX, description="All of these tags")] = []
    start: Place = 0


class AcknowledgementBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far its reader has come."""

    position: Annotated[int, Meta(ge=0, description="Everything up to it has been taken: `Log-Scanned-To` of the page")]
    expected: Annotated[int, Meta(ge=0, description="Where the consumer stands: `Consumer-Position` of the page")]


class SeekBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it is to go on."""

    to: Place


class RemovalBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing more has to be said."""


class ConsumerDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer and how far it has come."""

    consumer: str
    person: Annotated[str, Meta(description="Whose it is")]
    types: list[str]
    tags: list[str]
    position: Annotated[int, Meta(ge=0, description="Everything up to it has been acknowledged")]
    head: Annotated[int, Meta(ge=0, description="Of the log")]
    lag: Annotated[int, Meta(ge=0, description="Positions between the two, whether or not it is shown their events")]
    moved_at: datetime
    last_seen_at: datetime | UnsetType = UNSET
    """When it last read or acknowledged; absent: never."""


class ConsumersPage(msgspec.Struct, frozen=True, kw_only=True):
    """Consumers, by name."""

    position: Annotated[int, Meta(ge=1, description="Of the log when this was read")]
    consumers: list[ConsumerDocument]
    next: Annotated[str, Meta(description="The cursor of the next page")] | UnsetType = UNSET


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
    listed = [_document(each, head) for each in found[: page.limit]]
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
    return _answered(request, _document(consumer, head), head)


def _document(consumer: Consumer, head: int) -> ConsumerDocument:
    return ConsumerDocument(
        consumer=consumer.name,
        person=consumer.person,
        types=consumer.selection.types,
        tags=consumer.selection.tags,
        position=consumer.position,
        head=head,
        lag=max(0, head - consumer.position),
        moved_at=consumer.moved_at,
        last_seen_at=consumer.last_seen_at or UNSET,
    )


def _answered(request: Request[Any, Any, Any], document: D, head: int) -> D:
    """Return the finished answer; it is declared as the document that it spells, for the description."""
    exchange_of(request.scope).position = head
    headers = [JSON, (b"log-position", b"%d" % head)]
    return cast("D", Answer(msgspec.json.encode(document), status=200, headers=headers))


ROUTES: Final = (open_consumer, read_consumers, read_consumer, acknowledge, seek, remove_consumer)
