"""What the fields of event types may hold: nothing with two spellings, nothing that is null without being personal."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NewType, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from emulation_saas.ballots.events import BallotOpened
from emulation_saas.kernel.events import Event, Official, Personal
from emulation_saas.log.shapes import Shape, shape_of
from emulation_saas.meetings.events import MeetingHeld
from emulation_saas.pledges.events import PledgeSigned
from emulation_saas.scoring.events import SelfScoreSubmitted
from emulation_saas.wiring import EVENT_TYPES
from emulation_saas.years.events import YearLaunched

ALLOWED: Final = {str, int, bool, Decimal, date, datetime, NoneType, UnsetType}


def fields_of(struct: type[msgspec.Struct]) -> Iterator[tuple[str, Any, msgspec.structs.FieldInfo]]:
    """Give every field of a struct and of the structs in it, with its annotation."""
    hints = get_type_hints(struct, include_extras=True)
    for field in msgspec.structs.fields(struct):
        hint = hints[field.name]
        yield f"{struct.__name__}.{field.name}", hint, field
        for leaf in leaves_of(hint):
            if isinstance(leaf, type) and issubclass(leaf, msgspec.Struct):
                yield from fields_of(leaf)


def leaves_of(hint: Any) -> list[Any]:  # noqa: ANN401 - any annotation may stand on a field
    """Return the plain types that a field may hold."""
    if isinstance(hint, NewType):
        return leaves_of(hint.__supertype__)
    if get_origin(hint) is Annotated:
        return leaves_of(get_args(hint)[0])
    if get_origin(hint) is Literal:
        return [type(value) for value in get_args(hint)]
    if get_origin(hint) in {list, Union, UnionType}:
        return [leaf for argument in get_args(hint) for leaf in leaves_of(argument)]
    return [hint]


def marks_of(hint: Any) -> list[Personal]:  # noqa: ANN401 - as above
    return [extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Personal)]


FIELDS: Final = {
    (event_type.type, name): (hint, field) for event_type in EVENT_TYPES for name, hint, field in fields_of(event_type)
}
EACH: Final = [pytest.param(hint, field, id=f"{type_}-{name}") for (type_, name), (hint, field) in FIELDS.items()]


@pytest.mark.parametrize(("hint", "field"), EACH)
def test_field_holds_only_what_has_one_spelling(hint: Any, field: msgspec.structs.FieldInfo) -> None:  # noqa: ANN401 - as above
    leaves: set[Any] = {
        leaf for leaf in leaves_of(hint) if not (isinstance(leaf, type) and issubclass(leaf, msgspec.Struct))
    }
    assert leaves <= ALLOWED, "no float, no object keyed by text, nothing that is not JSON"
    assert field.encode_name.isascii()


@pytest.mark.parametrize(("hint", "field"), EACH)
def test_field_may_be_none_only_if_it_is_personal(hint: Any, field: msgspec.structs.FieldInfo) -> None:  # noqa: ANN401 - as above
    marks = marks_of(hint)
    assert (NoneType in leaves_of(hint)) is bool(marks)
    assert field.default is not None


@pytest.mark.parametrize(("hint", "field"), EACH)
def test_field_is_required_or_absent_when_unset(hint: Any, field: msgspec.structs.FieldInfo) -> None:  # noqa: ANN401 - as above
    if UnsetType in leaves_of(hint):
        assert field.default is UNSET
    else:
        assert field.required


def test_subject_of_a_personal_field_is_a_sibling_that_is_always_there() -> None:
    found: list[str] = []
    for (type_, name), (hint, _) in FIELDS.items():
        for mark in marks_of(hint):
            sibling = FIELDS[type_, f"{name.partition('.')[0]}.{mark.subject}"]
            assert leaves_of(sibling[0]) == [str]
            found.append(name)
    assert {"PersonRegistered.name", "PersonRegistered.sub", "Official.name"} <= set(found)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_no_default_is_left_out_when_written(event_type: type[Event]) -> None:
    assert not event_type.__struct_config__.omit_defaults
    assert not event_type.__struct_config__.tag


def test_shape_finds_what_is_personal_inside_lists_and_structs() -> None:
    assert shape_of(Official).personal == {"name": "person"}
    assert shape_of(MeetingHeld).nested == {"chairs": shape_of(Official)}
    assert shape_of(PledgeSigned).nested == {"signed_by": shape_of(Official)}
    assert shape_of(MeetingHeld).is_personal


def test_shape_finds_numbers_and_instants_however_deep() -> None:
    assert shape_of(SelfScoreSubmitted).needs_spelling
    assert shape_of(BallotOpened).needs_spelling
    assert shape_of(YearLaunched) == Shape()
