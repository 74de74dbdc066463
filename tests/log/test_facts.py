"""Views are what a fold over the whole history gives, however they came to be kept and whatever was in flight."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, ClassVar, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulation_saas.kernel.events import Event, Visibility
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.log import facts as facts_module
from emulation_saas.log.facts import DIRECTORY, Facts, key_of, match_of
from tests.log.courses import Joined, join
from tests.scenario import matches

Seen = tuple[Event, ...]
"""A view that is what it was folded from, in order: so nothing may be folded twice, out of order or not at all."""


class Left(Event, frozen=True, kw_only=True):
    """A student left a course."""

    type: ClassVar[str] = "test.left.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    course: str
    student: str

    def tags(self) -> list[str]:
        return [f"course:{self.course}", f"student:{self.student}"]


class Untagged(Event, frozen=True, kw_only=True):
    """Something that no tag finds."""

    type: ClassVar[str] = "test.untagged.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    number: int

    def tags(self) -> list[str]:
        return []


def seen(view: Seen, event: Event) -> Seen:
    return (*view, event)


def folded(selectors: Sequence[Selector], history: Sequence[Event]) -> Seen:
    return tuple(event for event in history if any(matches(selector, event) for selector in selectors))


def name_of(selectors: Sequence[Selector]) -> tuple[Any, ...]:
    return tuple((*selector.types, *selector.tags) for selector in selectors)


def keep(facts: Facts, selectors: Sequence[Selector], history: Sequence[Event], *, at: int) -> bool:
    """Keep the view that a reader folded when the log stood at a position."""
    matched = tuple(match_of(selector) for selector in selectors)
    return facts.keep(name_of(selectors), folded(selectors, history[:at]), seen, matched, at=at)


BY_COURSE: Final = [Selector(types=[Joined], tags=["course:a"])]
A_X: Final = Joined(course="a", student="x")
A_Y: Final = Joined(course="a", student="y")
B_X: Final = Joined(course="b", student="x")
X_LEFT_A: Final = Left(course="a", student="x")


# One at a time


def test_keeping_a_view_costs_what_came_since_it_was_read_and_not_all_that_is_remembered() -> None:
    def keep_s(remembered: int) -> float:
        facts = Facts()
        facts.fold([A_X] * remembered)
        spent: list[float] = []
        for number in range(100):
            began = perf_counter()
            assert facts.keep((number,), (), seen, (), at=remembered)
            spent.append(perf_counter() - began)
        return min(spent)

    assert keep_s(facts_module.RECENT_MAX) < 20 * keep_s(1)


@pytest.mark.parametrize(
    "selectors",
    [
        pytest.param([Selector(types=[Joined], tags=[])], id="without-tags"),
        pytest.param([Selector(types=[], tags=["course:a"])], id="without-types"),
        pytest.param([Selector(types=[], tags=[])], id="everything"),
        pytest.param([Selector(types=[Joined, Left], tags=["course:a", "student:x"])], id="types-and-tags"),
        pytest.param([Selector(types=[], tags=["student:x", "course:a"])], id="any-order-of-tags"),
        pytest.param([*BY_COURSE, Selector(types=[Joined], tags=["student:x"])], id="two-find-one-event"),
        pytest.param([*BY_COURSE, Selector(types=[], tags=[])], id="everything-and-some"),
        pytest.param([], id="nothing"),
    ],
)
def test_event_is_folded_once_into_each_view_that_selects_it(selectors: list[Selector]) -> None:
    facts = Facts()
    assert keep(facts, selectors, [], at=0)
    history: list[Event] = [A_X, B_X, Untagged(number=1), X_LEFT_A, A_Y]
    facts.fold(history)
    assert facts.view(name_of(selectors)) == folded(selectors, history)
    assert facts.position == len(history)


def test_view_read_at_an_earlier_position_is_brought_forward() -> None:
    facts = Facts()
    history = [A_X, B_X, A_Y]
    facts.fold(history)
    assert keep(facts, BY_COURSE, history, at=1)
    assert facts.view(name_of(BY_COURSE)) == (A_X, A_Y)


def test_view_read_before_what_is_remembered_must_be_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts_module, "RECENT_MAX", 2)
    facts = Facts()
    history = [A_X, B_X, A_Y]
    facts.fold(history)
    assert not keep(facts, BY_COURSE, history, at=0)
    assert name_of(BY_COURSE) not in facts
    assert keep(facts, BY_COURSE, history, at=1), "the two events after 1 are remembered"
    assert facts.view(name_of(BY_COURSE)) == (A_X, A_Y)


def test_view_read_before_the_beginning_must_be_read_again() -> None:
    facts = Facts()
    facts.start_at(5)
    assert not keep(facts, BY_COURSE, [], at=4)
    assert keep(facts, BY_COURSE, [A_X] * 5, at=5)


def test_view_kept_while_a_batch_is_in_flight_gets_its_events_when_it_lands() -> None:
    facts = Facts()
    facts.begin()
    overlay: dict[Any, Any] = {}
    facts.changed_by(A_X, overlay)
    keep(facts, BY_COURSE, [], at=0)
    assert facts.view(name_of(BY_COURSE)) == ()
    facts.advance([A_X], overlay)
    assert facts.view(name_of(BY_COURSE)) == (A_X,)


def test_view_kept_again_while_a_batch_is_in_flight_gets_its_events_once() -> None:
    facts = Facts()
    keep(facts, BY_COURSE, [], at=0)
    facts.begin()
    overlay: dict[Any, Any] = {}
    facts.changed_by(A_X, overlay)
    keep(facts, BY_COURSE, [], at=0)
    facts.advance([A_X], overlay)
    assert facts.view(name_of(BY_COURSE)) == (A_X,)


def test_batch_that_does_not_land_leaves_nothing() -> None:
    facts = Facts()
    keep(facts, BY_COURSE, [], at=0)
    facts.begin()
    overlay: dict[Any, Any] = {}
    facts.changed_by(A_X, overlay)
    facts.changed_by(A_Y, overlay)
    assert overlay == {name_of(BY_COURSE): (A_X, A_Y)}
    facts.fold([B_X, A_Y])  # dropped: another process's events came instead
    assert facts.view(name_of(BY_COURSE)) == (A_Y,)
    assert facts.position == 2


def test_least_recently_used_view_goes_first_and_what_is_pinned_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts_module, "VIEWS_MAX", 3)
    facts = Facts()
    facts.keep(DIRECTORY, (), seen, (match_of(Selector(types=[Left], tags=[])),), at=0, pin=True)
    first, second, third = ([Selector(types=[Joined], tags=[f"course:{course}"])] for course in "abc")
    keep(facts, first, [], at=0)
    keep(facts, second, [], at=0)
    facts.view(name_of(first))
    keep(facts, third, [], at=0)
    assert [name_of(each) in facts for each in (first, second, third)] == [True, False, True]
    facts.fold([A_X, B_X, X_LEFT_A])
    assert facts.view(name_of(first)) == (A_X,)
    assert facts.view(DIRECTORY) == (X_LEFT_A,)
    assert keep(facts, second, [A_X, B_X, X_LEFT_A], at=0)
    assert facts.view(name_of(second)) == (B_X,)


def test_views_are_told_apart_by_their_fold_and_their_selectors() -> None:
    here, there = join("x", "a"), join("x", "b")
    assert key_of(here, here.facts()) == key_of(join("y", "a"), join("y", "a").facts()), "shared by callers"
    assert key_of(here, here.facts()) != key_of(there, there.facts())
    two = [Selector(types=[Joined], tags=["a"]), Selector(types=[], tags=["b"])]
    one = [Selector(types=[Joined], tags=["a", "b"])]
    assert key_of(here, two) != key_of(here, one)


# All at once


@dataclass(frozen=True)
class Keep:
    """A reader, begun some events ago, keeps its view."""

    selectors: list[Selector]
    behind: int


@dataclass(frozen=True)
class Batch:
    """Events in flight, views kept meanwhile, and whether it lands; another process's events come if it does not."""

    events: list[Event]
    meanwhile: list[Keep]
    lands: bool
    instead: list[Event]


COURSES: Final = st.sampled_from("ab")
STUDENTS: Final = st.sampled_from("xy")
EVENTS: Final = st.lists(
    st.one_of(
        st.builds(Joined, course=COURSES, student=STUDENTS),
        st.builds(Left, course=COURSES, student=STUDENTS),
        st.builds(Untagged, number=st.integers(0, 1)),
    ),
    max_size=4,
)
SELECTORS: Final = st.lists(
    st.builds(
        Selector,
        types=st.lists(st.sampled_from([Joined, Left, Untagged]), max_size=2, unique=True),
        tags=st.lists(st.sampled_from(["course:a", "course:b", "student:x"]), max_size=2, unique=True),
    ),
    min_size=1,
    max_size=2,
)
KEEPS: Final = st.builds(Keep, SELECTORS, st.integers(0, 6))
BATCHES: Final = st.builds(Batch, EVENTS, st.lists(KEEPS, max_size=2), st.booleans(), EVENTS)


@settings(max_examples=300, deadline=None)
@given(st.lists(KEEPS | BATCHES, max_size=12))
def test_every_kept_view_is_the_fold_of_the_whole_history(operations: list[Keep | Batch]) -> None:
    facts, history = Facts(), list[Event]()
    kept: dict[tuple[Any, ...], list[Selector]] = {}

    def take(each: Keep) -> None:
        assert keep(facts, each.selectors, history, at=max(0, len(history) - each.behind))
        kept[name_of(each.selectors)] = each.selectors

    for operation in operations:
        match operation:
            case Keep():
                take(operation)
            case Batch(events=events, meanwhile=meanwhile, lands=lands, instead=instead):
                facts.begin()
                overlay: dict[Any, Any] = {}
                for event in events:
                    facts.changed_by(event, overlay)
                assert overlay == {
                    name: folded(selectors, [*history, *events])
                    for name, selectors in kept.items()
                    if folded(selectors, events)
                }
                for each in meanwhile:
                    take(each)
                if lands:
                    facts.advance(events, overlay)
                    history += events
                else:
                    facts.fold(instead)
                    history += instead
        assert facts.position == len(history)
        assert {name: facts.view(name) for name in kept} == {
            name: folded(selectors, history) for name, selectors in kept.items()
        }
