"""What is sealed of each released event type and projection, and the command that adds those that are new.

    python -m tests.law.released

Only a type that is not there yet is added. What is there was released: it is read for ever, so it never changes; a new
shape is a new type. Of a projection only a version that is not there yet is added: what it reads never changes, as the
release before passes over what it does not know. (Until the first release the files may be removed and made again.)
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NewType, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.kernel.events import Event, Personal
from emulation_saas.log import Registry
from emulation_saas.projecting.projection import AnyProjection
from tests.builders import FULL_SAMPLES, SAMPLES

FILE: Final = Path(__file__).with_name("released_types.json")
FILE_OF_PROJECTIONS: Final = Path(__file__).with_name("released_projections.json")
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


def reads_of(projections: Iterable[AnyProjection], registry: Registry) -> dict[str, list[str]]:
    """Return by name and version what projections read: the stored names of all shapes of their types."""
    return {
        f"{projection.name}.v{projection.version}": sorted(
            name for event_type in projection.reads for name in registry.names_of(event_type)
        )
        for projection in projections
    }


def released(file: Path = FILE) -> dict[str, Any]:
    """Return what a file holds."""
    held: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return held


def add_new(held: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is held and, besides, what is new."""
    return dict(sorted({**found, **held}.items()))


def seals_of(event_types: Iterable[type[Event]]) -> dict[str, Any]:
    """Return the seals of types by their names."""
    return {event_type.type: seal_of(event_type) for event_type in event_types}


if __name__ == "__main__":
    from emulation_saas.wiring import EVENT_TYPES
    from projections import PROJECTIONS

    for file, found in (
        (FILE, seals_of(EVENT_TYPES)),
        (FILE_OF_PROJECTIONS, reads_of(PROJECTIONS, Registry(EVENT_TYPES))),
    ):
        document = json.dumps(add_new(released(file), found), ensure_ascii=False, indent=1)
        file.write_text(f"{document}\n", encoding="utf-8")
