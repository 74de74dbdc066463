"""Released event types never change: their fields, visibility, tags and subjects are sealed in `released_types.json`.

When a test here fails: a type that is new is added by `python -m tests.law.released`; a released one is put back as it
was, and the new shape becomes a new type (`becomes`, `upcast`).
"""

from typing import Annotated, Any, ClassVar, Final

import pytest
from msgspec import Meta

from emulation_saas.ballots.events import BallotOpened
from emulation_saas.kernel.events import Event, Personal, Visibility
from emulation_saas.scoring.events import SelfScoreSubmitted
from emulation_saas.wiring import EVENT_TYPES
from tests.builders import event_types
from tests.law.released import add_new, fields_of, released, seal_of, seals_of

HELD: Final = released()


@pytest.mark.parametrize("event_type", event_types(), ids=lambda each: each.type)
def test_type_is_as_it_was_released(event_type: type[Event]) -> None:
    assert event_type.type in HELD, "new? add it: python -m tests.law.released"
    assert seal_of(event_type) == HELD[event_type.type]


def test_no_released_type_is_gone() -> None:
    assert HELD.keys() - {event_type.type for event_type in event_types()} == set()


def test_every_type_is_wired() -> None:
    assert set(EVENT_TYPES) == set(event_types())


def test_adding_rewrites_nothing_that_is_held() -> None:
    changed = {**HELD, BallotOpened.type: {"visibility": "as it was"}}
    del changed[SelfScoreSubmitted.type]
    added = add_new(changed, seals_of(event_types()))
    assert added[BallotOpened.type] == {"visibility": "as it was"}
    assert added[SelfScoreSubmitted.type] == HELD[SelfScoreSubmitted.type]
    assert added.keys() == HELD.keys()


class _Told(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "test.told.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    person: str
    name: Annotated[str | None, Personal("person")]
    votes: list[Annotated[int, Meta(ge=0)]]


class _PersonalNoLonger(Event, frozen=True, kw_only=True):
    person: str
    name: Annotated[str | None, Meta()]
    votes: list[Annotated[int, Meta(ge=0)]]


class _Narrower(Event, frozen=True, kw_only=True):
    person: str
    name: Annotated[str | None, Personal("person")]
    votes: list[Annotated[int, Meta(ge=1)]]


class _Renamed(Event, frozen=True, kw_only=True, rename={"votes": "ballots"}):
    person: str
    name: Annotated[str | None, Personal("person")]
    votes: list[Annotated[int, Meta(ge=0)]]


class _OfAnotherPerson(Event, frozen=True, kw_only=True):
    person: str
    name: Annotated[str | None, Personal("votes")]
    votes: list[Annotated[int, Meta(ge=0)]]


@pytest.mark.parametrize("changed", [_PersonalNoLonger, _Narrower, _Renamed, _OfAnotherPerson])
def test_change_of_a_shape_is_seen(changed: type[Event]) -> None:
    shape: dict[str, Any] = fields_of(_Told)
    assert shape == {"person": "str", "name": ["str", {"personal": "person"}], "votes": {"list of": ["int", {"ge": 0}]}}
    assert fields_of(changed) != shape
