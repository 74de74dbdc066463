"""What is sealed of each released event type, and the command that adds the types that are new.

    python -m tests.law.released

Only a type that is not there yet is added. What is there was released: it is read for ever, so it never changes; a new
shape is a new type. (Until the first release the file may be removed and made again.)
"""

import json
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NewType, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.kernel.events import Event, Personal
from tests.builders import FULL_SAMPLES, SAMPLES

FILE: Final = Path(__file__).with_name("released_types.json")
_LIMITS: Final = ("pattern", "ge", "gt", "le", "lt", "min_length", "max_length")


def seal_of(event_type: type[Event]) -> dict[str, Any]:
    """Return what must never change of a type, in plain JSON."""
    samples = [samples[event_type] for samples in (SAMPLES, FULL_SAMPLES) if event_type in samples]
    return {
        "visibility": event_type.visibility.value,
        "fields": fields_of(event_type),
        "samples": [{"tags": sample.tags(), "subject": sample.subject()} for sample in samples],
    }


def fields_of(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Return each field as it is written, with what it may hold."""
    hints = get_type_hints(struct, include_extras=True)
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        optional = "" if field.required else "?"
        assert field.required or field.default is UNSET, "a default could change under a released type"
        found[f"{field.encode_name}{optional}"] = spelled(hints[field.name])
    return found


def spelled(hint: Any) -> Any:  # noqa: ANN401, PLR0911 - any annotation may stand on a field
    """Return an annotation as plain JSON."""
    arguments = get_args(hint)
    if isinstance(hint, NewType):
        return spelled(hint.__supertype__)
    if get_origin(hint) is Annotated:
        return [spelled(arguments[0]), *(marked(extra) for extra in arguments[1:])]
    if get_origin(hint) is Literal:
        return {"one of": sorted(arguments)}
    if get_origin(hint) is list:
        return {"list of": spelled(arguments[0])}
    if get_origin(hint) in {Union, UnionType}:
        # Absence is told by the field's name; null can stand only for a personal value that is gone.
        inner = [spelled(argument) for argument in arguments if argument not in {NoneType, UnsetType}]
        return inner[0] if len(inner) == 1 else {"any of": inner}
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return fields_of(hint)
    assert isinstance(hint, type), hint
    return hint.__name__


def marked(extra: object) -> dict[str, Any]:
    """Return what an annotation says beyond the type."""
    match extra:
        case Personal(subject=subject):
            return {"personal": subject}
        case Meta():
            return {name: getattr(extra, name) for name in _LIMITS if getattr(extra, name) is not None}
        case _:
            raise AssertionError(extra)


def released() -> dict[str, Any]:
    """Return what the file holds."""
    held: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return held


def add_new(held: dict[str, Any], event_types: list[type[Event]]) -> dict[str, Any]:
    """Return what is held and, besides, what is new."""
    new = {event_type.type: seal_of(event_type) for event_type in event_types if event_type.type not in held}
    return dict(sorted({**held, **new}.items()))


if __name__ == "__main__":
    from tests.builders import event_types

    document = json.dumps(add_new(released(), event_types()), ensure_ascii=False, indent=1)
    FILE.write_text(f"{document}\n", encoding="utf-8")
