"""By when what is to be done in a bloc's years, by whom, and who has not yet: self-scores, votes, answers to disputes.

Deadlines are those that the log sets: by the year's rules, a ballot's close, a dispute's term. Only time makes them
pass, and a fold knows no clock: how one stands is told for the day that is asked for. One document a bloc, as who must
score itself is its membership. Figures: `{year}/self-score`, `{year}/ballots/{ballot}`, `{year}/disputes/{dispute}`,
and for each of them `…/done/{agency}` and `…/ended`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import ClassVar, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from emulation_saas.ballots.events import BallotClosed, BallotEvent, BallotOpened, VoteCast
from emulation_saas.blocs.events import BlocEstablished, BlocEvent, MemberAdmitted, Membership, MemberWithdrawn
from emulation_saas.disputes.events import (
    DisputeAnswered,
    DisputedEvent,
    DisputeEvent,
    DisputeFiled,
    DisputeRefused,
    DisputeUpheld,
    DisputeWithdrawn,
)
from emulation_saas.kernel.clock import day_of
from emulation_saas.kernel.events import AnyRecorded, Event, YearEvent
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId, DisputeId
from emulation_saas.projecting.figures import Figure, FigureRule, Figures
from emulation_saas.projecting.projection import Projection
from emulation_saas.projecting.views import (
    KEY_END,
    Asked,
    CollectionView,
    Document,
    DocumentView,
    Listing,
    Position,
    Scope,
    View,
    reminded,
    reminded_everywhere,
)
from emulation_saas.scoring.events import SelfScoreSubmitted
from emulation_saas.years.events import Rules, YearClosed, YearOpened

What = Literal["self-score", "vote", "dispute-answer"]
How = Literal["coming", "met", "over"]

_ENDINGS: Final = (BallotClosed, DisputeAnswered, DisputeUpheld, DisputeRefused, DisputeWithdrawn)

_DUE: Final = FigureRule("deadlines.due@1", "By when it is to be done, as the rules, the ballot or the dispute say")
_DONE: Final = FigureRule("deadlines.done@1", "The agency did it in time", "latest")
_ENDED: Final = FigureRule("deadlines.ended@1", "The ballot was closed, or the dispute answered or decided")


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be done by an instant, or by the end of a day."""

    what: What
    year: int
    at: datetime | None = None
    """From this instant on it is too late."""
    on: date | None = None
    """Where there is no instant: the last day, in Vietnam."""
    concerns: tuple[AgencyId, ...] = ()
    """Of a self-score: empty, as it is the members of the year, whoever they are."""
    position: int
    done: dict[AgencyId, int] = {}
    """The position of the last event by which each agency did it."""
    ended: int = 0
    """The position of the event that put an end to it before its time."""


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one bloc."""

    membership: Membership = Membership()
    years: dict[int, bool] = {}
    """Those that were opened, and whether they are closed."""
    due: dict[str, Due] = {}
    """By the name of its figure."""


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """A deadline, as it stands on the day that is asked for."""

    bloc: BlocId
    year: int
    what: What
    ballot: BallotId | UnsetType = UNSET
    dispute: DisputeId | UnsetType = UNSET
    due_on: date
    """The last day, in Vietnam, on which it can be done."""
    due_at: datetime | UnsetType = UNSET
    """The instant from which on it is too late; absent where the whole day counts."""
    state: How
    """`met`: everybody did it. `over`: time is up, the ballot or the year is closed. Else `coming`."""
    concerns: list[AgencyId]
    """Who is to do it; of a dispute those whose doing is contested, any of whom may answer."""
    waiting_for: list[AgencyId]
    """Those of them that have not."""
    position: Position


class DeadlinesDocument(Document, frozen=True, kw_only=True):
    """The deadlines of a bloc's year, the earliest first."""

    bloc: BlocId
    year: int
    deadlines: list[Deadline]


class ComingDocument(Listing, frozen=True, kw_only=True):
    """What is still to be done in all blocs of the page, the earliest first. A page is of so many blocs."""

    deadlines: list[Deadline]


class Deadlines(Projection[Calendar]):
    """By when what is to be done, and who has not done it."""

    name: ClassVar[str] = "deadlines"
    version: ClassVar[int] = 1
    reads: ClassVar[tuple[type[Event], ...]] = (
        BlocEstablished,
        MemberAdmitted,
        MemberWithdrawn,
        YearOpened,
        YearClosed,
        SelfScoreSubmitted,
        BallotOpened,
        VoteCast,
        BallotClosed,
        DisputeFiled,
        DisputeAnswered,
        DisputeUpheld,
        DisputeRefused,
        DisputeWithdrawn,
    )

    def key(self, event: BlocEvent | YearEvent) -> str:
        return event.bloc

    def tags_of(self, key: str) -> list[str]:
        return [f"bloc:{key}"]

    def initial(self) -> Calendar:
        return Calendar()

    def evolve(self, state: Calendar, recorded: AnyRecorded) -> Calendar:
        match recorded.event:
            case YearEvent() as event:
                return _after(state, event, recorded.position)
            case event:
                return replace(state, membership=state.membership.after(event))

    def figures(self, state: Calendar, on: date) -> Figures:
        figures: dict[str, Figure] = {}
        for name, due in state.due.items():
            figures[name] = Figure(due.at or due.on, _DUE, at=(due.position,))
            for agency, position in due.done.items():
                figures[f"{name}/done/{agency}"] = Figure(value=True, rule=_DONE, at=(due.position, position))
            if due.ended:
                figures[f"{name}/ended"] = Figure(value=True, rule=_ENDED, at=(due.position, due.ended))
        return figures

    @property
    def views(self) -> Sequence[View[Calendar]]:
        return VIEWS


def _after(state: Calendar, event: YearEvent, position: int) -> Calendar:
    """Return the state after something happened in a year."""
    if isinstance(event, YearOpened | YearClosed):
        state = replace(state, years={**state.years, event.year: isinstance(event, YearClosed)})
    name = _name(event)
    due = _begun(event, position) or state.due.get(name)
    if due is None:
        return state
    if isinstance(event, SelfScoreSubmitted | VoteCast):
        due = replace(due, done={**due.done, event.agency: position})
    elif isinstance(event, _ENDINGS):
        due = replace(due, ended=due.ended or position)
    return replace(state, due={**state.due, name: due})


def _name(event: YearEvent) -> str:
    """Return the name of the deadline that an event bears on."""
    match event:
        case BallotEvent(year=year, ballot=ballot):
            return f"{year}/ballots/{ballot}"
        case DisputeEvent(year=year, dispute=dispute):
            return f"{year}/disputes/{dispute}"
        case _:
            return f"{event.year}/self-score"


def _begun(event: YearEvent, position: int) -> Due | None:
    """Return the deadline that an event sets; there need be none."""
    match event:
        case YearOpened(year=year, rules=Rules(self_scores_close_at=datetime() as close)):
            return Due(what="self-score", year=year, at=close, position=position)
        case BallotOpened(year=year, closes_at=datetime() as close, roll=roll):
            return Due(what="vote", year=year, at=close, concerns=tuple(roll), position=position)
        case DisputeFiled(year=year, answer_by=date() as day, events=events):
            return Due(what="dispute-answer", year=year, on=day, concerns=_contested(events), position=position)
        case _:
            return None


def _contested(events: Iterable[DisputedEvent]) -> tuple[AgencyId, ...]:
    """Return the agencies that what is contested concerns, and those for which it was done."""
    named = {agency for event in events for agency in event.acted_for}
    return tuple(sorted(named | {event.agency for event in events if event.agency is not UNSET}))


def _deadlines(bloc: str, state: Calendar, on: date) -> list[Deadline]:
    """Return all deadlines of a bloc, as they stand on a day."""
    return [_deadline(BlocId(bloc), state, name, due, on) for name, due in state.due.items()]


def _earliest_first(deadlines: Iterable[Deadline]) -> list[Deadline]:
    return sorted(deadlines, key=lambda each: (each.due_on, each.position))


def _deadline(bloc: BlocId, state: Calendar, name: str, due: Due, on: date) -> Deadline:
    kind, _, handle = name.partition("/")[2].partition("/")
    is_answered = due.what == "dispute-answer" and bool(due.ended)
    concerns = state.membership.in_year(due.year) if due.what == "self-score" else due.concerns
    waiting_for = [] if is_answered else [agency for agency in concerns if agency not in due.done]
    due_on = _last_day(due)
    is_over = due_on < on or bool(due.ended) or state.years.get(due.year, False)
    return Deadline(
        bloc=bloc,
        year=due.year,
        what=due.what,
        ballot=BallotId(handle) if kind == "ballots" else UNSET,
        dispute=DisputeId(handle) if kind == "disputes" else UNSET,
        due_on=due_on,
        due_at=UNSET if due.at is None else due.at,
        state="met" if is_answered or (concerns and not waiting_for) else "over" if is_over else "coming",
        concerns=list(concerns),
        waiting_for=waiting_for,
        position=due.position,
    )


def _last_day(due: Due) -> date:
    """Return the last day on which it can be done: what ends at midnight ends on the day before."""
    if due.at is not None:
        return day_of(due.at - timedelta(microseconds=1))
    return due.on or date.max


def _year(state: Calendar, asked: Asked) -> DeadlinesDocument | None:
    if asked.where.year not in state.years:
        return None
    found = _deadlines(asked.where.bloc, state, asked.valid_on)
    of_year = _earliest_first(each for each in found if each.year == asked.where.year)
    return DeadlinesDocument(bloc=asked.where.bloc, year=asked.where.year, deadlines=of_year)


def _of_blocs(asked: Asked) -> Scope:
    first = f"{asked.after} " if asked.after else ""  # a space sorts before all that a handle may go on with
    return Scope(first=first, last=KEY_END, documents_max=asked.limit + 1)


def _coming(states: Mapping[str, Calendar], asked: Asked) -> ComingDocument:
    blocs = sorted(states)[: asked.limit]
    found = [each for bloc in blocs for each in _deadlines(bloc, states[bloc], asked.valid_on)]
    coming = _earliest_first(each for each in found if each.state == "coming")
    return ComingDocument(deadlines=coming, next=blocs[-1] if len(states) > len(blocs) else UNSET)


VIEWS: Final[Sequence[View[Calendar]]] = (
    CollectionView(
        path="/deadlines",
        key="{bloc}",
        summary="What is still to be done in all blocs",
        document=ComingDocument,
        may_read=reminded_everywhere,
        is_dated=True,
        is_paged=True,
        spans=_of_blocs,
        render=_coming,
    ),
    DocumentView(
        path="/blocs/{bloc}/years/{year}/deadlines",
        about="{year}",
        summary="The deadlines of a bloc's year, and who has still to meet them",
        document=DeadlinesDocument,
        may_read=reminded,
        is_dated=True,
        key="{bloc}",
        render=_year,
    ),
)
