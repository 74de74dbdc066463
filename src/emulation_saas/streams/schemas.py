"""The JSON Schema of each event type, as it stands on the wire: made from the struct that the codec writes.

An event names its schema by `dataschema`, a URN that needs no host and never changes; where the schema is served is
its `$id`, relative to the service. Both end in the type's name: `urn:emulation:schema:{type}` is had at
`/schemas/{type}`. Data is closed, as a released type never changes; around it attributes may be added.
"""

from datetime import datetime
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from emulation_saas.kernel.events import Event, Personal
from emulation_saas.log.sealing import ALGORITHM

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MEDIA_TYPE: Final = "application/schema+json"
_Json = dict[str, Any]
_INSTANT: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
_RECORDED: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$"
_POSITION: Final = r"^[1-9][0-9]{0,15}$"
_BASE64URL: Final = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}
_DECIMAL: Final = {
    "type": "string",
    "description": "A decimal number: exact, no exponent, no trailing zero",
    "pattern": r"^(0|-?[1-9][0-9]{0,14}|-?(0|[1-9][0-9]{0,14})\.[0-9]{0,5}[1-9])$",
}
_SEALED: Final[_Json] = {
    "title": "Sealed",
    "description": "A personal value, encrypted; destroying its key erases it",
    "type": "object",
    "required": ["$enc", "c", "kid", "n"],
    "properties": {
        "$enc": {"const": ALGORITHM},
        "c": {**_BASE64URL, "description": "The ciphertext with its tag"},
        "kid": {**_BASE64URL, "description": "The id of the key; an erasure names it"},
        "n": {**_BASE64URL, "description": "The nonce"},
    },
    "additionalProperties": False,
}


def path_of(name: str) -> str:
    """Return where the schema of a type is served."""
    return f"/schemas/{name}"


def urn_of(name: str) -> str:
    """Return how events name the schema of their type."""
    return f"urn:emulation:schema:{name}"


def title_of(event_type: type[Event]) -> str:
    """Return what happened, in a sentence."""
    return (event_type.__doc__ or event_type.type).strip().splitlines()[0]


def schema_of(event_type: type[Event]) -> _Json:
    """Return the schema of a type's events."""
    return {
        "$schema": DIALECT,
        "$id": path_of(event_type.type),
        "title": event_type.type,
        "description": f"{title_of(event_type)} Events name this schema by their `dataschema`.",
        "type": "object",
        "required": [
            *("actor", "commandid", "data", "dataschema", "id", "recordedtime", "salt", "sequence", "source"),
            *("specversion", "time", "type"),
        ],
        "properties": {
            **_ENVELOPE,
            "data": {"$ref": f"#/$defs/{event_type.__name__}"},
            "dataschema": {"const": urn_of(event_type.type)},
            "type": {"const": event_type.type},
        },
        "$defs": _structs(event_type),
    }


_ENVELOPE: Final[_Json] = {
    "specversion": {"const": "1.0", "description": "A CloudEvent"},
    "id": {"type": "string", "pattern": _POSITION, "description": "The position in the province's log, gapless"},
    "sequence": {"type": "string", "pattern": "^[0-9]{19}$", "description": "The same, for sorting as text"},
    "source": {
        "type": "string",
        "pattern": "^urn:emulation:province:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        "description": "The province. With the id it names the event for ever",
    },
    "subject": {"type": "string", "description": "The path of what it is about; absent for the province itself"},
    "time": {
        "type": "string",
        "format": "date-time",
        "pattern": _INSTANT,
        "description": "When it happened, as stated by who entered it",
    },
    "recordedtime": {
        "type": "string",
        "format": "date-time",
        "pattern": _RECORDED,
        "description": "When it was recorded",
    },
    "actor": {"type": "string", "pattern": "^(p-[a-z2-7]{10}|operator)$", "description": "Who did it: an opaque id"},
    "commandid": {"type": "string", "format": "uuid", "description": "The command that led to it"},
    "causationid": {
        "type": "string",
        "pattern": _POSITION,
        "description": "The position of the event that led to it, where the command named one",
    },
    "salt": {**_BASE64URL, "description": "Random: without it nobody guesses an event from its hash"},
}


def _structs(event_type: type[Event]) -> _Json:
    """Return the schemas of a type's struct and of those inside it, by name, as they are written."""
    _, told = msgspec.json.schema_components([event_type], ref_template="#/$defs/{name}")
    structs: _Json = {name: {**schema, "additionalProperties": False} for name, schema in told.items()}
    if _spell(event_type, structs):
        structs["Sealed"] = _SEALED
    return dict(sorted(structs.items()))


def _spell(struct: type[msgspec.Struct], structs: _Json) -> bool:
    """Put in a struct's schema what the codec writes in place of the value; tell whether anything is sealed."""
    properties: _Json = structs[struct.__name__]["properties"]
    hints = get_type_hints(struct, include_extras=True)
    seals = False
    for field in msgspec.structs.fields(struct):
        hint, name = hints[field.name], field.encode_name
        if any(isinstance(mark, Personal) for mark in getattr(hint, "__metadata__", ())):
            properties[name] = {"$ref": "#/$defs/Sealed"}
            seals = True
            continue
        if properties[name].get("format") == "decimal":
            properties[name] = _DECIMAL
        for leaf in _leaves(hint):
            if leaf is datetime:
                properties[name] = {"type": "string", "format": "date-time", "pattern": _INSTANT}
            elif isinstance(leaf, type) and issubclass(leaf, msgspec.Struct):
                seals |= _spell(leaf, structs)
    return seals


def _leaves(hint: Any) -> list[Any]:  # noqa: ANN401 - any annotation may stand on a field
    """Return the types that a field may hold, inside lists, unions and annotations."""
    if get_origin(hint) is Annotated:
        return _leaves(get_args(hint)[0])
    if get_origin(hint) in {list, tuple, Union, UnionType}:
        return [leaf for argument in get_args(hint) for leaf in _leaves(argument)]
    return [hint]
