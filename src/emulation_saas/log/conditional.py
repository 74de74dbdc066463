"""The library's own append: events under a condition, checked while the head is locked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery
from eventsourcing.persistence import IntegrityError, ProgrammingError

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.rejections import Rejection
from emulation_saas.kernel.use_cases import Acting, Selector, UseCase
from emulation_saas.log.codec import Codec
from emulation_saas.log.committer import Committer
from emulation_saas.log.faults import LogGapError, OutcomeUnknownError
from emulation_saas.log.reading import Item


@dataclass(frozen=True)
class _Given(UseCase[None]):
    """Events that were decided elsewhere: nothing is left to decide."""

    events: tuple[Event, ...]

    def facts(self) -> Sequence[Selector]:
        return []

    @staticmethod
    def initial() -> None:
        return None

    @staticmethod
    def evolve(view: None, event: Event) -> None:  # noqa: ARG004 - the shape of every fold
        return view

    def decide(self, view: None, may: Authority, now: datetime) -> Sequence[Event]:  # noqa: ARG002 - as above
        return self.events


def items_of_query(query: DCBQuery | None) -> list[Item]:
    """Return the alternatives of a query; a query without any finds everything."""
    if query is None or not query.items:
        return [Item(frozenset(), frozenset())]
    return [Item(frozenset(item.tags), frozenset(item.types)) for item in query.items]


async def append_on_condition(
    committer: Committer, codec: Codec, events: Sequence[DCBEvent], condition: DCBAppendCondition | None, *, by: Acting
) -> int:
    """Append unless an event after the condition's position matches its query; return the last position."""
    if not events:
        msg = "there must be an event to append"
        raise ProgrammingError(msg)
    given = _Given(tuple(_event_of(codec, event) for event in events))
    items = None if condition is None else items_of_query(condition.fail_if_events_match)
    after = 0 if condition is None or condition.after is None else condition.after
    try:
        # Without a key: here it is the condition that makes asking again safe.
        accepted = await committer.execute_unless(given, Acting(by.person), items=items, after=after)
    except (Rejection, LogGapError):
        raise
    except Exception as error:  # asyncpg raises outside its own classes when the server dies
        raise OutcomeUnknownError(str(error)) from error
    if accepted is None:
        raise IntegrityError(condition)
    return accepted.position


def _event_of(codec: Codec, event: DCBEvent) -> Event:
    entry = codec.registry.find(event.type)
    if entry is None or entry.is_past:
        msg = f"{event.type} is not registered, or no longer written"
        raise ProgrammingError(msg)
    try:
        decoded: Event = msgspec.json.decode(event.data, type=entry.event_type)
    except msgspec.MsgspecError as error:
        msg = f"{event.type}: {error}"
        raise ProgrammingError(msg) from error
    return decoded
