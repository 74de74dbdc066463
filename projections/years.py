"""How a bloc's years stand: opened by which scheme and rules, launched, closed; and the meetings that serve them.

A meeting that closes one year and plans the next stands in both. Figures: `state`, `opened`, `launched`,
`closed`, `meetings/{meeting}`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from emulation_saas.kernel.events import AnyRecorded, Event, YearEvent
from emulation_saas.kernel.ids import BlocId, MeetingId, PersonId
from emulation_saas.meetings.events import Attendance, MeetingHeld
from emulation_saas.projecting.figures import Figure, FigureRule, Figures
from emulation_saas.projecting.projection import Projection
from emulation_saas.projecting.views import (
    Asked,
    CollectionView,
    Document,
    DocumentView,
    Listing,
    Names,
    Person,
    Position,
    Scope,
    View,
    page_below,
)
from emulation_saas.years.events import Rules, Scheme, YearClosed, YearLaunched, YearOpened

YearState = Literal["planned", "open", "closed"]


class Chair(msgspec.Struct, frozen=True, kw_only=True):
    """Who chaired. The name stays in the log, where it can be erased."""

    person: PersonId
    office: str


class Meeting(msgspec.Struct, frozen=True, kw_only=True):
    """A meeting that serves the year."""

    held_on: date
    place: str
    chairs: tuple[Chair, ...]
    attendance: Attendance
    covers_year: int | UnsetType = UNSET
    plans_year: int | UnsetType = UNSET
    position: int


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """The launch of the year's movement."""

    text: str
    time: datetime
    position: Position


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one bloc's year."""

    year: int = 0
    scheme: Scheme | None = None
    rules: Rules | None = None
    opened_at: int = 0
    launched: Launch | None = None
    closed_at: int = 0
    meetings: dict[MeetingId, Meeting] = {}


_OPENED: Final = FigureRule("years.scheme@1", "The title of the scheme with which the year was opened", "latest")
_LAUNCHED: Final = FigureRule("years.launch@1", "The text with which the year was launched", "latest")
_CLOSED: Final = FigureRule("years.close@1", "The year was closed")
_STATE: Final = FigureRule("years.state@1", "Planned by a meeting, open once opened, closed once closed")
_MEETING: Final = FigureRule("years.held-on@1", "The day on which the meeting was held", "latest")


class MeetingLine(msgspec.Struct, frozen=True, kw_only=True):
    """A meeting as its minutes put it."""

    meeting: MeetingId
    held_on: date
    place: str
    chairs: list[Person]
    attendance: Attendance
    covers_year: int | UnsetType = UNSET
    plans_year: int | UnsetType = UNSET
    position: Position


class YearDocument(Document, frozen=True, kw_only=True):
    """A bloc's year. It is planned while only a meeting speaks of it."""

    bloc: BlocId
    year: int
    state: YearState
    scheme: Scheme | UnsetType = UNSET
    rules: Rules | UnsetType = UNSET
    opened_position: Position | UnsetType = UNSET
    launched: Launch | UnsetType = UNSET
    closed_position: Position | UnsetType = UNSET
    meetings: list[MeetingLine]


class YearLine(msgspec.Struct, frozen=True, kw_only=True):
    """A year in the list of its bloc."""

    year: int
    state: YearState
    is_launched: bool


class YearsDocument(Listing, frozen=True, kw_only=True):
    """The years of a bloc."""

    bloc: BlocId
    years: list[YearLine]


class Years(Projection[Course]):
    """How a bloc's years stand."""

    name: ClassVar[str] = "years"
    version: ClassVar[int] = 2
    reads: ClassVar[tuple[type[Event], ...]] = (YearOpened, YearLaunched, YearClosed, MeetingHeld)

    def key(self, event: YearEvent) -> str:
        return f"{event.bloc}/{event.year}"

    def keys_of(self, recorded: AnyRecorded) -> Sequence[str]:
        event = recorded.event
        if isinstance(event, MeetingHeld):
            return [f"{event.bloc}/{year}" for year in _years_of(event)]
        return (self.key(event),)

    def tags_of(self, key: str) -> list[str]:
        return [f"year:{key}"]

    def initial(self) -> Course:
        return Course()

    def evolve(self, state: Course, recorded: AnyRecorded) -> Course:
        position = recorded.position
        match recorded.event:
            case YearOpened(year=year, scheme=scheme, rules=rules):
                return replace(state, year=year, scheme=scheme, rules=rules, opened_at=position)
            case YearLaunched(text=text):
                return replace(state, launched=Launch(text=text, time=recorded.time, position=position))
            case YearClosed():
                return replace(state, closed_at=position)
            case MeetingHeld() as held:
                meeting = Meeting(
                    held_on=held.held_on,
                    place=held.place,
                    chairs=tuple(Chair(person=chair.person, office=chair.office) for chair in held.chairs),
                    attendance=held.attendance,
                    covers_year=held.covers_year,
                    plans_year=held.plans_year,
                    position=position,
                )
                return replace(state, meetings={**state.meetings, held.meeting: meeting})
            case _:  # pragma: no cover - `reads` names no other
                return state

    def figures(self, state: Course, on: date) -> Figures:
        figures = {
            f"meetings/{handle}": Figure(meeting.held_on, _MEETING, at=(meeting.position,))
            for handle, meeting in state.meetings.items()
        }
        steps = tuple(figures)
        if state.scheme is not None:
            figures["opened"] = Figure(state.scheme.title, _OPENED, at=(state.opened_at,))
            steps = ("opened",)
        if state.launched is not None:
            figures["launched"] = Figure(state.launched.text, _LAUNCHED, at=(state.launched.position,))
        if state.closed_at:
            figures["closed"] = Figure(value=True, rule=_CLOSED, at=(state.closed_at,))
            steps = (*steps, "closed")
        if steps:
            figures["state"] = Figure(_state(state), _STATE, inputs=steps)
        return figures

    @property
    def views(self) -> Sequence[View[Course]]:
        return VIEWS


def _years_of(held: MeetingHeld) -> list[int]:
    return sorted({year for year in (held.covers_year, held.plans_year) if year is not UNSET})


def _state(course: Course) -> YearState:
    if course.rules is None:
        return "planned"
    return "closed" if course.closed_at else "open"


def _year(state: Course, asked: Asked) -> YearDocument:
    return YearDocument(
        bloc=asked.where.bloc,
        year=asked.where.year,
        state=_state(state),
        scheme=UNSET if state.scheme is None else state.scheme,
        rules=UNSET if state.rules is None else state.rules,
        opened_position=state.opened_at or UNSET,
        launched=UNSET if state.launched is None else state.launched,
        closed_position=state.closed_at or UNSET,
        meetings=[_meeting(handle, meeting, asked.names) for handle, meeting in state.meetings.items()],
    )


def _meeting(handle: MeetingId, meeting: Meeting, names: Names) -> MeetingLine:
    chairs = [
        Person(person=chair.person, name=names.get((meeting.position, chair.person)), office=chair.office)
        for chair in meeting.chairs
    ]
    return MeetingLine(
        meeting=handle,
        held_on=meeting.held_on,
        place=meeting.place,
        chairs=chairs,
        attendance=meeting.attendance,
        covers_year=meeting.covers_year,
        plans_year=meeting.plans_year,
        position=meeting.position,
    )


def _of_the_bloc(asked: Asked) -> Scope:
    return page_below(f"{asked.where.bloc}/", f"bloc:{asked.where.bloc}", asked)


def _years(states: Mapping[str, Course], asked: Asked) -> YearsDocument:
    lines = [
        YearLine(year=int(key.rpartition("/")[2]), state=_state(course), is_launched=course.launched is not None)
        for key, course in states.items()
    ]
    years, following = lines[: asked.limit], lines[asked.limit :]
    return YearsDocument(bloc=asked.where.bloc, years=years, next=str(years[-1].year) if following else UNSET)


VIEWS: Final[Sequence[View[Course]]] = (
    CollectionView(
        path="/blocs/{bloc}/years",
        key="{bloc}/{year}",
        summary="The years of a bloc",
        document=YearsDocument,
        is_paged=True,
        spans=_of_the_bloc,
        render=_years,
    ),
    DocumentView(
        path="/blocs/{bloc}/years/{year}",
        summary="A bloc's year: its scheme, rules, launch and meetings",
        document=YearDocument,
        persons=(MeetingHeld,),
        key="{bloc}/{year}",
        render=_year,
    ),
)
