"""The judge itself on trial: whatever a log and what callers were told of it differ in, it says so."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from emulation_saas.log import Accepted
from emulation_saas.log.frontier import leaf_hash
from tests.faults.ledger import Event, Found, Ledger, Stored
from tests.log.test_frontier import root_of

AT = datetime(2024, 1, 30, tzinfo=UTC)
LAST = 5


def stored(events: list[Event], keys: dict[str, tuple[int, int]]) -> Stored:
    return Stored(events, len(events), AT, root_of([event.leaf_hash for event in events]), keys)


def event(position: int, *, about: str = "", time: datetime = AT) -> Event:
    document = {
        "id": str(position),
        "commandid": f"command {about or position}",
        "recordedtime": f"{time:%Y-%m-%dT%H:%M:%S.%fZ}",
        "type": "log.opened.v1" if position == 1 else f"said of {about or f'k{position}'}",
    }
    body = msgspec.json.encode(document, order="sorted")
    return Event(position, body, time, leaf_hash(body))


def events() -> list[Event]:
    return [event(position) for position in range(1, LAST + 1)]


def truth() -> tuple[Ledger, Stored]:
    """Return a log of five events, told to four callers, and what they were told."""
    log = stored(events(), {f"k{position}": (position, position) for position in range(2, LAST + 1)})
    ledger = Ledger("bac-song")
    for each in log.events[1:]:
        ledger.send(f"k{each.position}", f"k{each.position}")
        ledger.answered(f"k{each.position}", Accepted(each.position, [msgspec.Raw(each.body)]))
    ledger.seen(3, root_of([each.leaf_hash for each in log.events[:3]]))
    return ledger, log


def test_nothing_is_found_in_what_is_true() -> None:
    ledger, log = truth()
    assert ledger.compare(log) == Found()
    assert ledger.copy().compare(log) == Found()
    assert Found().is_clean


def without_last(_: Ledger, log: Stored) -> Stored:
    return stored(log.events[:-1], {key: span for key, span in log.keys.items() if key != "k5"})


def without_third(_: Ledger, log: Stored) -> Stored:
    return log._replace(events=[each for each in log.events if each.position != 3])


def altered(_: Ledger, log: Stored) -> Stored:
    return stored([*log.events[:-1], event(LAST, about="k5", time=AT + timedelta(0, 1))], log.keys)


def one_more(_: Ledger, log: Stored) -> Stored:
    return stored([*log.events, event(LAST + 1)], log.keys)


def told_twice(ledger: Ledger, log: Stored) -> Stored:
    ledger.send("k9", "k5")
    ledger.answered("k9", ledger.answers["k5"])
    return log._replace(keys=log.keys | {"k9": (5, 5)})


def another_root(_: Ledger, log: Stored) -> Stored:
    return log._replace(root=bytes(32))


def another_hash(_: Ledger, log: Stored) -> Stored:
    return log._replace(events=[*log.events[:-1], log.events[-1]._replace(leaf_hash=bytes(32))])


def time_runs_back(_: Ledger, log: Stored) -> Stored:
    return log._replace(events=[log.events[0]._replace(recorded_at=AT + timedelta(0, 1)), *log.events[1:]])


def forked(ledger: Ledger, log: Stored) -> Stored:
    ledger.checkpoints = {4: bytes(32)}
    return log


def beyond(ledger: Ledger, log: Stored) -> Stored:
    ledger.checkpoints = {LAST + 1: bytes(32)}
    return log


def split_view(ledger: Ledger, log: Stored) -> Stored:
    ledger.seen(3, bytes(32))
    return log


def answered_otherwise(ledger: Ledger, log: Stored) -> Stored:
    ledger.answered("k5", Accepted(LAST, []))
    return log


def another_answer_stored(_: Ledger, log: Stored) -> Stored:
    return log._replace(keys=log.keys | {"k5": (4, 4)})


def foreign_key(_: Ledger, log: Stored) -> Stored:
    return log._replace(keys=log.keys | {"k99": (6, 5)})


def answer_without_events_is_gone(ledger: Ledger, log: Stored) -> Stored:
    ledger.send("k9", "")
    ledger.answered("k9", Accepted(LAST, []))
    return log


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (without_last, "lost"),
        (without_third, "gaps"),
        (altered, "lost"),
        (answer_without_events_is_gone, "lost"),
        (one_more, "doubled"),
        (told_twice, "doubled"),
        *((each, "wrong") for each in (another_root, another_hash, time_runs_back, forked, beyond, split_view)),
        *((each, "wrong") for each in (answered_otherwise, another_answer_stored, foreign_key)),
    ],
)
def test_each_difference_is_found(change: Callable[[Ledger, Stored], Stored], what: str) -> None:
    ledger, log = truth()
    found = ledger.compare(change(ledger, log))
    assert not found.is_clean
    assert getattr(found, what)


def test_unanswered_command_may_have_been_recorded_under_its_key_only() -> None:
    ledger, log = truth()
    ledger.send("k6", "k6")
    assert ledger.compare(log) == Found(), "or not at all"
    more = [*log.events, event(LAST + 1)]
    assert ledger.compare(stored(more, log.keys | {"k6": (6, 6)})) == Found()
    assert ledger.compare(stored(more, log.keys)).doubled == 1
