"""What happened in a bloc's year, in order: every event with its place, type, time and actor, as far as it may be seen.

A year may hold thousands of events, so its documents are short stretches of the log: `BUCKET` positions each. They only
ever grow, so what they said at a position is what they say now, up to it. Figures: `{position}`, an entry.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar, Final

import msgspec
from msgspec import UNSET

from emulation_saas.ballots.events import EVENTS as BALLOT_EVENTS
from emulation_saas.disputes.events import EVENTS as DISPUTE_EVENTS
from emulation_saas.http.refusals import BadCursor
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import AnyRecorded, Event, Visibility
from emulation_saas.kernel.ids import BlocId, PersonId
from emulation_saas.meetings.events import EVENTS as MEETING_EVENTS
from emulation_saas.nominations.events import EVENTS as NOMINATION_EVENTS
from emulation_saas.offices.events import EVENTS as OFFICE_EVENTS
from emulation_saas.pledges.events import EVENTS as PLEDGE_EVENTS
from emulation_saas.projecting.figures import Figure, FigureRule, Figures
from emulation_saas.projecting.projection import Projection
from emulation_saas.projecting.views import (
    KEY_END,
    Asked,
    CollectionView,
    Listing,
    Position,
    Scope,
    View,
    parties,
)
from emulation_saas.ratings.events import EVENTS as RATING_EVENTS
from emulation_saas.scoring.events import EVENTS as SCORING_EVENTS
from emulation_saas.years.events import EVENTS as YEAR_EVENTS

BUCKET: Final = 250
"""Positions of the log that one document spans."""
BUCKETS_MAX: Final = 200
"""Documents read for one page; a page that runs out of them says where it goes on."""


_ENTRY: Final = FigureRule("timeline.entry@1", "The event that stands at the position")


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One event, as far as it is told here."""

    position: int
    type: str
    time: datetime
    recorded_at: datetime
    actor: str
    about: list[str]
    """Its tags."""


class Stretch(msgspec.Struct, frozen=True):
    """The state: the entries of one stretch of the log, in order."""

    entries: tuple[Entry, ...] = ()


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the year."""

    position: Position
    type: str
    time: datetime
    """When it happened."""
    recorded_at: datetime
    """When it was logged."""
    actor: PersonId
    about: list[str]


class TimelineDocument(Listing, frozen=True, kw_only=True):
    """What happened in a bloc's year, oldest first. A page may be short and yet have a `next`."""

    bloc: BlocId
    year: int
    events: list[Happened]


class Timeline(Projection[Stretch]):
    """What happened in a bloc's year."""

    name: ClassVar[str] = "timeline"
    version: ClassVar[int] = 2
    reads: ClassVar[tuple[type[Event], ...]] = (
        *YEAR_EVENTS,
        *PLEDGE_EVENTS,
        *SCORING_EVENTS,
        *RATING_EVENTS,
        *BALLOT_EVENTS,
        *NOMINATION_EVENTS,
        *OFFICE_EVENTS,
        *MEETING_EVENTS,
        *DISPUTE_EVENTS,
    )

    def keys_of(self, recorded: AnyRecorded) -> Sequence[str]:
        bucket = recorded.position // BUCKET
        return [f"{year}/{bucket:012d}" for year in _years_of(recorded.event)]

    def tags_of(self, key: str) -> list[str]:
        return [f"year:{key.rpartition('/')[0]}"]

    def initial(self) -> Stretch:
        return Stretch()

    def evolve(self, state: Stretch, recorded: AnyRecorded) -> Stretch:
        event = recorded.event
        entry = Entry(recorded.position, event.type, recorded.time, recorded.recorded_at, recorded.actor, event.tags())
        return Stretch((*state.entries, entry))

    def figures(self, state: Stretch, on: date) -> Figures:
        return {str(entry.position): Figure(entry.type, _ENTRY, at=(entry.position,)) for entry in state.entries}

    @property
    def views(self) -> Sequence[View[Stretch]]:
        return VIEWS


def _years_of(event: Event) -> list[str]:
    return [tag.removeprefix("year:") for tag in event.tags() if tag.startswith("year:")]


class _Told(Event, frozen=True, kw_only=True):
    """Stands for an event when it is judged who may see it: that asks for tags and visibility, and nothing else."""

    named: list[str]

    def tags(self) -> list[str]:
        """Return the event's tags."""
        return self.named


class _Public(_Told, frozen=True, kw_only=True):
    type: ClassVar[str] = "timeline.public"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC


class _OfParties(_Told, frozen=True, kw_only=True):
    type: ClassVar[str] = "timeline.of-parties"
    visibility: ClassVar[Visibility] = Visibility.PARTIES


class _OfCouncil(_Told, frozen=True, kw_only=True):
    type: ClassVar[str] = "timeline.of-council"
    visibility: ClassVar[Visibility] = Visibility.COUNCIL


class _Sealed(_Told, frozen=True, kw_only=True):
    type: ClassVar[str] = "timeline.sealed"
    visibility: ClassVar[Visibility] = Visibility.SEALED


_STANDS_FOR: Final = {kind.visibility: kind for kind in (_Public, _OfParties, _OfCouncil, _Sealed)}
_TOLD: Final = {event_type.type: _STANDS_FOR[event_type.visibility] for event_type in Timeline.reads}
"""By today's visibility of the type, whenever it was recorded."""


def may_see(entry: Entry, may: Authority) -> bool:
    """Tell whether an entry may be shown; a type that is no longer known here may not."""
    return may.may_see(_TOLD.get(entry.type, _Sealed)(named=entry.about), actor=entry.actor)


def _begin(asked: Asked) -> int:
    """Return the position after which the page begins.

    Raises:
        BadCursor: it is none.
    """
    if not (asked.after or "0").isdecimal():
        raise BadCursor
    return int(asked.after or 0)


def _from_cursor(asked: Asked) -> Scope:
    year = f"{asked.where.bloc}/{asked.where.year}"
    bucket = _begin(asked) // BUCKET
    return Scope(
        first=f"{year}/{bucket:012d}",
        last=f"{year}/{KEY_END}",
        tags=(f"year:{year}",),
        documents_max=BUCKETS_MAX,
    )


def _render(states: Mapping[str, Stretch], asked: Asked) -> TimelineDocument:
    begin = _begin(asked)
    events: list[Happened] = []
    following = ""
    for key in sorted(states):
        for entry in states[key].entries:
            if not begin < entry.position <= asked.through or not may_see(entry, asked.may):
                continue
            if len(events) == asked.limit:
                return _page(asked, events, str(events[-1].position))
            events.append(
                Happened(
                    position=entry.position,
                    type=entry.type,
                    time=entry.time,
                    recorded_at=entry.recorded_at,
                    actor=PersonId(entry.actor),
                    about=entry.about,
                )
            )
    if len(states) == BUCKETS_MAX:
        last = int(max(states).rpartition("/")[2])
        following = str(last * BUCKET + BUCKET - 1)
    return _page(asked, events, following)


def _page(asked: Asked, events: list[Happened], following: str) -> TimelineDocument:
    return TimelineDocument(bloc=asked.where.bloc, year=asked.where.year, events=events, next=following or UNSET)


VIEWS: Final[Sequence[View[Stretch]]] = (
    CollectionView(
        path="/blocs/{bloc}/years/{year}/timeline",
        key="{bloc}/{year}/{stretch}",
        summary="What happened in a bloc's year",
        document=TimelineDocument,
        may_read=parties,
        is_paged=True,
        is_append_only=True,
        is_personal=True,
        spans=_from_cursor,
        render=_render,
    ),
)
