"""Consumers on the wire: what is asked of them, and what is told."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.kernel.ids import Handle
from emulation_saas.streams.consumers import Consumer
from emulation_saas.streams.sights import TAGS_MAX, TYPES_MAX, Tag, TypePattern

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


def document(consumer: Consumer, head: int) -> ConsumerDocument:
    """Return what is told of a consumer when the log stands at a head."""
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
