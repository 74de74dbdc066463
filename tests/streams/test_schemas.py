"""The JSON Schema of each event type is that of its bytes: it takes what the codec writes, and nothing spoiled."""
# ruff: noqa: ANN401 - documents are read as anybody reads JSON

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final, cast

import jsonschema_rs
import msgspec
import pytest

from emulation_saas.kernel.events import Event
from emulation_saas.streams.schemas import DIALECT, path_of, schema_of
from emulation_saas.wiring import EVENT_TYPES
from tests.builders import FULL_SAMPLES, SAMPLES
from tests.log import golden
from tests.log.test_codec import CODEC, EVERY, OPENER, PLACE

GOLDEN: Final = [golden.VOTE, golden.SCORES, golden.PERSON_SEALED, golden.YEAR_OPENED_AT_FIRST]
validator: Any = jsonschema_rs.Draft202012Validator
META: Final[Any] = jsonschema_rs.meta


def written(event: Event) -> Any:
    """Return an event as it stands in the log, read by a plain JSON reader."""
    return msgspec.json.decode(CODEC.encode(event, PLACE, OPENER))


def schema_for(name: str) -> Any:
    """Return a type's schema as it is served."""
    event_type = next(each for each in EVENT_TYPES if each.type == name)
    return msgspec.json.decode(msgspec.json.encode(schema_of(event_type)))


def taken(documents: dict[str, Any], name: str) -> list[str]:
    """Return which documents the schema of a type takes."""
    told = validator(schema_for(name), validate_formats=True)
    return [what for what, document in documents.items() if told.is_valid(document)]


def takes(document: Any) -> bool:
    """Tell whether the schema of a document's own type takes it."""
    return taken({"it": document}, document["type"]) == ["it"]


def spoiled(document: Any) -> Iterator[tuple[str, Any]]:
    """Give documents that are wrong in one place each, and what is wrong."""
    for name in document:
        if name not in {"subject", "causationid"}:
            yield f"{name} is missing", {key: value for key, value in document.items() if key != name}
        yield f"{name} is null", {**document, name: None}
    yield "a type of another name", {**document, "dataschema": "urn:emulation:schema:other.v1"}
    yield "more in data", {**document, "data": {**document["data"], "more": 1}}
    for pointer, value in leaves(document["data"], ()):
        if isinstance(value, bool):
            yield f"{pointer} is text", replaced(document, pointer, "true")
        elif isinstance(value, int):
            yield f"{pointer} is a fraction", replaced(document, pointer, value + 0.5)
        else:
            yield f"{pointer} is a number", replaced(document, pointer, 1)


def leaves(value: Any, pointer: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Give every value that holds no other."""
    match value:
        case dict():
            keys: list[Any] = [*cast("dict[str, Any]", value)]
        case list():
            keys = [*range(len(value))]  # pyright: ignore[reportUnknownArgumentType] - its length is known
        case _:
            yield pointer, value
            return
    for key in keys:
        yield from leaves(value[key], (*pointer, key))


def replaced(document: Any, pointer: tuple[Any, ...], value: Any) -> Any:
    """Return the document with another value in one place of its data."""
    copy = deepcopy(document)
    place = copy["data"]
    for key in pointer[:-1]:
        place = place[key]
    place[pointer[-1]] = value
    return copy


@pytest.mark.parametrize("event", EVERY)
def test_schema_takes_what_is_written(event: Event) -> None:
    assert takes(written(event))


@pytest.mark.parametrize("event", EVERY)
def test_schema_takes_nothing_spoiled(event: Event) -> None:
    wrong = dict(spoiled(written(event)))
    assert len(wrong) > 20
    assert taken(wrong, event.type) == []


@pytest.mark.parametrize("text", GOLDEN)
def test_schema_takes_the_golden_events(text: str) -> None:
    document = msgspec.json.decode(text)
    assert takes(document)
    assert taken(dict(spoiled(document)), document["type"]) == []


@pytest.mark.parametrize("points", ["18.50", "1e2", "-0", "+1", "01", ".5", "5.", "1.0000001", "1000000000000000", ""])
def test_decimal_has_one_spelling(points: str) -> None:
    document = msgspec.json.decode(golden.SCORES)
    assert not takes(replaced(document, ("points", 0, "points"), points))


@pytest.mark.parametrize("points", ["0", "-0.5", "18.5", "-3", "999999999999999.999999", "0.000001", "10"])
def test_decimal_is_taken_as_the_log_spells_it(points: str) -> None:
    document = msgspec.json.decode(golden.SCORES)
    assert takes(replaced(document, ("points", 0, "points"), points))


@pytest.mark.parametrize("value", ["Đặng Văn Đào", None, {"$enc": "none", "c": "", "kid": "a", "n": "b"}])
def test_personal_value_is_sealed_and_nothing_else(value: Any) -> None:
    document = msgspec.json.decode(golden.PERSON_SEALED)
    assert not takes(replaced(document, ("name",), value))


@pytest.mark.parametrize("event_type", EVENT_TYPES, ids=lambda event_type: event_type.type)
def test_schema_is_a_schema_and_says_where_it_is_and_what_of(event_type: type[Event]) -> None:
    told = schema_for(event_type.type)
    META.validate(told)
    assert (told["$schema"], told["$id"]) == (DIALECT, path_of(event_type.type))
    sample = SAMPLES[event_type]
    assert told["properties"]["dataschema"]["const"] == f"urn:emulation:schema:{sample.type}"


def test_every_optional_field_is_seen_present_and_absent() -> None:
    for event_type, full in FULL_SAMPLES.items():
        optional = {field.encode_name for field in msgspec.structs.fields(event_type) if not field.required}
        assert optional <= set(msgspec.to_builtins(full))
        assert not optional & set(msgspec.to_builtins(SAMPLES[event_type]))
