"""Whom a bloc's year puts forward: the leading unit that was acclaimed, and every nomination with all its steps.

Figures: `leaders/{agency}`, `nominations/{nomination}`.
"""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.kernel.events import AnyRecorded, Event, YearEvent
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId, NominationId
from emulation_saas.nominations.events import (
    Award,
    LeaderAcclaimed,
    Method,
    NominationEvent,
    NominationForwarded,
    NominationMade,
    NominationResumed,
    NominationSuspended,
    NominationYielded,
)
from emulation_saas.projecting.figures import Figure, FigureRule, Figures
from emulation_saas.projecting.projection import Projection
from emulation_saas.projecting.views import Asked, Document, DocumentView, Position, View, parties
from emulation_saas.years.events import YearOpened

StepName = Literal["made", "yielded", "suspended", "resumed", "forwarded"]
NominationState = Literal["made", "yielded", "suspended", "forwarded"]


_TURNS: Final[dict[type[NominationEvent], StepName]] = {
    NominationYielded: "yielded",
    NominationSuspended: "suspended",
    NominationResumed: "resumed",
}


_LEADER: Final = FigureRule("nominees.last-acclaim@1", "How the leading unit was last acclaimed", "latest")
_NOMINATION: Final = FigureRule("nominees.last-step@1", "Where a nomination's steps have brought it", "latest")


class Leader(msgspec.Struct, frozen=True, kw_only=True):
    """A leading unit, as it was last acclaimed."""

    agency: AgencyId
    method: Method
    ballot: BallotId | UnsetType = UNSET
    because: str
    position: Position


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a nomination, and why."""

    step: StepName
    because: str | UnsetType = UNSET
    document_no: str | UnsetType = UNSET
    position: Position


class Nominated(msgspec.Struct, frozen=True, kw_only=True):
    """One nomination."""

    agency: AgencyId
    award: Award
    ballot: BallotId | UnsetType = UNSET
    legal_basis: str
    steps: tuple[Step, ...]


class Candidates(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one bloc's year."""

    leaders: dict[AgencyId, Leader] = {}
    nominations: dict[NominationId, Nominated] = {}


class NominationLine(msgspec.Struct, frozen=True, kw_only=True):
    """A nomination and where it stands; a resumed one is made again."""

    nomination: NominationId
    agency: AgencyId
    award: Award
    state: NominationState
    ballot: BallotId | UnsetType = UNSET
    legal_basis: str
    steps: list[Step]


class NomineesDocument(Document, frozen=True, kw_only=True):
    """Leading units in the order of their acclaim, nominations in the order in which they were made."""

    bloc: BlocId
    year: int
    leaders: list[Leader]
    nominations: list[NominationLine]


class Nominees(Projection[Candidates]):
    """Whom a bloc's year puts forward."""

    name: ClassVar[str] = "nominees"
    version: ClassVar[int] = 1
    reads: ClassVar[tuple[type[Event], ...]] = (
        YearOpened,
        LeaderAcclaimed,
        NominationMade,
        NominationYielded,
        NominationSuspended,
        NominationResumed,
        NominationForwarded,
    )

    def key(self, event: YearEvent) -> str:
        return f"{event.bloc}/{event.year}"

    def tags_of(self, key: str) -> list[str]:
        return [f"year:{key}"]

    def initial(self) -> Candidates:
        return Candidates()

    def evolve(self, state: Candidates, recorded: AnyRecorded) -> Candidates:
        at = recorded.position
        match recorded.event:
            case LeaderAcclaimed(agency=agency, method=method, ballot=ballot, because=because):
                leader = Leader(agency=agency, method=method, ballot=ballot, because=because, position=at)
                return Candidates(leaders={**state.leaders, agency: leader}, nominations=state.nominations)
            case NominationMade() as made:
                nominated = Nominated(
                    agency=made.agency,
                    award=made.award,
                    ballot=made.ballot,
                    legal_basis=made.legal_basis,
                    steps=(Step(step="made", because=made.because, position=at),),
                )
                return _having(state, made.nomination, nominated)
            case NominationForwarded(nomination=nomination, document_no=document_no):
                return _after(state, nomination, Step(step="forwarded", document_no=document_no, position=at))
            case NominationYielded() | NominationSuspended() | NominationResumed() as turn:
                return _after(state, turn.nomination, Step(step=_TURNS[type(turn)], because=turn.because, position=at))
            case _:  # the year was opened: there is a document, and nobody in it yet
                return state

    def figures(self, state: Candidates, on: date) -> Figures:
        leaders = {
            f"leaders/{agency}": Figure(leader.method, _LEADER, at=(leader.position,))
            for agency, leader in state.leaders.items()
        }
        nominations = {
            f"nominations/{handle}": Figure(
                _state(nominated), _NOMINATION, at=tuple(step.position for step in nominated.steps)
            )
            for handle, nominated in state.nominations.items()
        }
        return leaders | nominations

    @property
    def views(self) -> Sequence[View[Candidates]]:
        return VIEWS


def _having(state: Candidates, nomination: NominationId, nominated: Nominated) -> Candidates:
    return Candidates(leaders=state.leaders, nominations={**state.nominations, nomination: nominated})


def _after(state: Candidates, nomination: NominationId, step: Step) -> Candidates:
    known = state.nominations[nomination]
    return _having(state, nomination, msgspec.structs.replace(known, steps=(*known.steps, step)))


def _state(nominated: Nominated) -> NominationState:
    last = nominated.steps[-1].step
    return "made" if last == "resumed" else last


def _render(state: Candidates, asked: Asked) -> NomineesDocument:
    return NomineesDocument(
        bloc=asked.where.bloc,
        year=asked.where.year,
        leaders=sorted(state.leaders.values(), key=lambda leader: leader.position),
        nominations=[
            NominationLine(
                nomination=nomination,
                agency=nominated.agency,
                award=nominated.award,
                state=_state(nominated),
                ballot=nominated.ballot,
                legal_basis=nominated.legal_basis,
                steps=list(nominated.steps),
            )
            for nomination, nominated in state.nominations.items()
        ],
    )


VIEWS: Final[Sequence[View[Candidates]]] = (
    DocumentView(
        path="/blocs/{bloc}/years/{year}/nominations",
        summary="The leading unit and the nominations of a bloc's year",
        document=NomineesDocument,
        may_read=parties,
        key="{bloc}/{year}",
        render=_render,
    ),
)
