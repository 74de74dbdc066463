"""The event's bytes: a CloudEvents 1.0 object in canonical JSON (RFC 8785), made once. Nobody encodes an event again.

Sorted keys, no spaces, UTF-8, NFC; decimals and instants spelled one way; absent optionals omitted, all else written.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

import msgspec

from emulation_saas.kernel.clock import spell_instant, spell_recorded
from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.kernel.ids import PersonId, ProvinceId
from emulation_saas.kernel.numbers import spell_points
from emulation_saas.kernel.rejections import Invalid
from emulation_saas.log.events import Unknown
from emulation_saas.log.registry import Entry, Registry, in_newest_shape
from emulation_saas.log.sealing import Opener, kids_in, persons_in, spell_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EVENT_BYTES_MAX: Final = 65_535
"""What the length prefix of a tile entry holds (C2SP tlog-tiles)."""

_encode: Final = msgspec.json.Encoder(order="sorted").encode
TAG: Final = re.compile(r"[a-z0-9:/._-]{1,200}")
"""Tags and subjects are made of handles, opaque ids and what joins them; no other can be found or need be escaped."""
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
NOT_CONVERTED: Final = (datetime, Decimal)


class EventTooLarge(Invalid):
    """The fact is larger than an event may be (65 535 bytes)."""

    code = "event-too-large"


class BadText(Invalid):
    """A text is not in Unicode NFC, or holds a control character other than a line feed."""

    code = "bad-text"


class BadNumber(Invalid):
    """A number is not spelled exactly by at most 15 digits before and 6 after the point."""

    code = "bad-number"


@dataclass(frozen=True, slots=True)
class Place:
    """Where and by whom an event is about to be recorded."""

    province: ProvinceId
    position: int
    recorded_at: datetime
    time: datetime | None
    """As entered from paper; None: the recorded time, cut to the second."""
    actor: PersonId
    command_id: UUID
    salt: bytes
    causation: int | None = None
    """The position of the event that led to it, where the command named one."""


class Codec:
    """Writes and reads the events of a registry."""

    def __init__(self, registry: Registry) -> None:
        """Take the closed registry of types."""
        self.registry = registry

    def persons_of(self, event: Event) -> set[str]:
        """Return the persons for whom a key must be there before the event can be written."""
        entry = self.registry.find(event.type)
        if entry is None or not entry.shape.is_personal:
            return set()  # of no registered type: `encode` says so
        return persons_in(msgspec.to_builtins(event), entry.shape)

    def encode(self, event: Event, place: Place, opener: Opener | None) -> bytes:
        """Return the event's bytes.

        Args:
            event: the fact.
            place: where it goes.
            opener: the province's keys; may be None where `persons_of` names nobody.

        Raises:
            UnknownTypeError: the type is not registered for writing.
            BadText, BadNumber, EventTooLarge: the fact cannot be written.
            ValueError: a tag or the subject is not made of handles.
        """
        entry = self.registry.entry_of(event)
        data = _encode(_plain(event, entry, place, opener))
        demand_clean(data)
        subject = event.subject()
        demand_findable(event)
        about = "" if subject is None else f'"subject":"{subject}",'
        cause = "" if place.causation is None else f'"causationid":"{place.causation}",'
        time = spell_instant(place.recorded_at if place.time is None else place.time)
        body = b"".join(
            (
                f'{{"actor":"{place.actor}",{cause}"commandid":"{place.command_id}","data":'.encode(),
                data,
                f',"dataschema":"urn:emulation:schema:{event.type}","id":"{place.position}",'
                f'"recordedtime":"{spell_recorded(place.recorded_at)}","salt":"{spell_bytes(place.salt)}",'
                f'"sequence":"{place.position:019d}","source":"urn:emulation:province:{place.province}",'
                f'"specversion":"1.0",{about}'
                f'"time":"{time}","type":"{event.type}"}}'.encode(),
            )
        )
        if len(body) > EVENT_BYTES_MAX:
            raise EventTooLarge(f"{event.type} would take {len(body)} bytes")
        return body

    def kids_of(self, name: str, body: bytes) -> set[str]:
        """Return the ids of the keys needed to read stored bytes."""
        entry = self.registry.find(name)
        if entry is None or not entry.shape.is_personal:
            return set()
        return kids_in(msgspec.json.decode(body)["data"], entry.shape)

    def decode(self, name: str, body: bytes, opener: Opener | None) -> AnyRecorded:
        """Return the recorded event of stored bytes, in its newest shape; `Unknown` for a later release's type.

        Args:
            name: the type as stored beside the bytes.
            body: the stored bytes.
            opener: the province's keys; may be None where `kids_of` names none.
        """
        entry = self.registry.find(name)
        if entry is None:
            document = msgspec.json.decode(body)
            unknown: AnyRecorded = msgspec.convert({**document, "data": {}}, self._unknown.envelope)
            return unknown
        if entry.shape.is_personal and opener is not None:
            document = msgspec.json.decode(body)
            opener.open(document["data"], entry.shape, position=int(document["id"]))
            return in_newest_shape(msgspec.convert(document, entry.envelope))
        recorded: AnyRecorded = entry.decoder.decode(body)
        return in_newest_shape(recorded) if entry.is_past else recorded

    @property
    def _unknown(self) -> Entry[Any]:
        entry = self.registry.find(Unknown.type)
        if entry is None:  # pragma: no cover - the registry always holds it
            raise KeyError(Unknown.type)
        return entry


def _plain(event: Event, entry: Entry[Any], place: Place, opener: Opener | None) -> object:
    """Return what the JSON encoder writes as it must stand: numbers and instants spelled, personal fields sealed."""
    if not entry.shape.needs_spelling and not entry.shape.is_personal:
        return event
    data = spelled(msgspec.to_builtins(event, builtin_types=NOT_CONVERTED))
    if entry.shape.is_personal:
        if opener is None:
            msg = f"{event.type} holds personal fields and there are no keys"
            raise ValueError(msg)
        demand_clean(_encode(data))
        opener.seal(data, entry.shape, position=place.position)
    return data


def spelled(value: Any) -> Any:  # noqa: ANN401 - builtins of any shape
    """Return builtins with their decimals and instants spelled as the log spells them.

    Raises:
        BadNumber: a decimal cannot be.
    """
    match value:
        case dict():
            return {name: spelled(inner) for name, inner in cast("Mapping[str, Any]", value).items()}
        case list():
            return [spelled(inner) for inner in cast("Sequence[Any]", value)]
        case Decimal():
            try:
                return spell_points(value)
            except ValueError as error:
                raise BadNumber(str(error)) from error
        case datetime():
            return spell_instant(value)
        case _:
            return value


def demand_findable(event: Event) -> None:
    """Return if the log could find the event again by its tags and subject.

    Raises:
        ValueError: one is not made of handles.
    """
    for made in (*event.tags(), event.subject() or "-"):
        if not TAG.fullmatch(made):
            msg = f"{event.type} makes a tag or subject that the log could not find again: {made!r}"
            raise ValueError(msg)


def demand_clean(data: bytes) -> None:
    """Return if every text in an event's data may be written.

    Raises:
        BadText: one may not.
    """
    if b"\\" not in data and data.isascii() and b"\x7f" not in data:
        return
    text = data.decode()
    if not unicodedata.is_normalized("NFC", text):
        raise BadText
    if b"\\" in data:
        text = _all_text(msgspec.json.decode(data))
    if _CONTROL.search(text):
        raise BadText


def _all_text(value: Any) -> str:  # noqa: ANN401 - builtins of any shape
    match value:
        case str():
            return value
        case dict():
            return "".join(_all_text(inner) for inner in cast("Mapping[str, Any]", value).values())
        case list():
            return "".join(_all_text(inner) for inner in cast("Sequence[Any]", value))
        case _:
            return ""
