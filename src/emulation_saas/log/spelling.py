"""An event spelled by somebody else, read as strictly as if it were to be written: nothing of it may be lost."""

from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec

from emulation_saas.kernel.events import Event, Visibility
from emulation_saas.kernel.rejections import Invalid
from emulation_saas.log.codec import (
    EVENT_BYTES_MAX,
    NOT_CONVERTED,
    Codec,
    EventTooLarge,
    demand_clean,
    demand_findable,
    spelled,
)
from emulation_saas.log.events import Unknown

_encode: Final = msgspec.json.Encoder().encode


class NoSuchEventType(Invalid):
    """No event of this type can be written."""

    code = "no-such-event-type"


class MalformedEvent(Invalid):
    """The data is not what an event of this type holds."""

    code = "malformed-event"


def event_of(codec: Codec, name: str, data: Mapping[str, Any]) -> Event:
    """Return the event that a type's name and JSON data spell.

    Args:
        codec: knows the types.
        name: of a type that is written today and is not sealed.
        data: every field as it would stand in the log, personal ones in clear.

    Raises:
        NoSuchEventType: there is none such.
        MalformedEvent: a field is missing, unknown or of another shape.
        BadText, BadNumber, EventTooLarge: it could not be written.
    """
    entry = codec.registry.find(name)
    if entry is None or entry.is_past or entry.event_type is Unknown:
        raise NoSuchEventType(name)
    if entry.event_type.visibility is Visibility.SEALED:
        raise NoSuchEventType(name)
    try:
        event: Event = msgspec.convert(data, entry.event_type)
        demand_findable(event)
    except (msgspec.ValidationError, ValueError) as error:
        raise MalformedEvent(str(error)[:300]) from None
    written = spelled(msgspec.to_builtins(event, builtin_types=NOT_CONVERTED))
    lost = _lost(data, written, "")
    if lost is not None:
        raise MalformedEvent(f"unknown field at {lost}")
    body = _encode(written)
    demand_clean(body)
    if len(body) > EVENT_BYTES_MAX:
        raise EventTooLarge(f"{name} would take {len(body)} bytes")
    return event


def _lost(given: Any, written: Any, at: str) -> str | None:  # noqa: ANN401 - any JSON
    """Return where something was given that the event does not hold."""
    if isinstance(given, Mapping) and isinstance(written, dict):
        fields, held = cast("Mapping[str, Any]", given), cast("dict[str, Any]", written)
        for name, inner in fields.items():
            found = f"{at}/{name}" if name not in held else _lost(inner, held[name], f"{at}/{name}")
            if found is not None:
                return found
    elif isinstance(given, list) and isinstance(written, list):
        entries: list[Any] = [*given]
        kept: list[Any] = [*written]
        for index, inner in enumerate(entries):
            found = _lost(inner, kept[index], f"{at}/{index}")
            if found is not None:
                return found
    return None
