"""Which disputes a bloc's year has, where each stands, whether an answer is overdue, and what corrected what it upheld.

A correction is an ordinary event that names the ruling as its cause. A membership belongs to no year, and so does what
corrects it: hence one document a bloc. Figures: `disputes/{year}/{dispute}`, `…/is_overdue`, `…/corrections`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import ClassVar, Final

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from emulation_saas.ballots.events import BallotClosed, BallotCounted, BallotOpened
from emulation_saas.blocs.events import MemberAdmitted, MemberWithdrawn
from emulation_saas.disputes.events import EVENTS as DISPUTE_EVENTS
from emulation_saas.disputes.events import About, DisputedEvent, DisputeEvent, DisputeFiled
from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.kernel.ids import AgencyId, BlocId, DisputeId, NominationId, PersonId
from emulation_saas.nominations.events import (
    LeaderAcclaimed,
    NominationMade,
    NominationResumed,
    NominationSuspended,
    NominationYielded,
)
from emulation_saas.projecting.figures import Figure, FigureRule, Figures
from emulation_saas.projecting.projection import Projection
from emulation_saas.projecting.views import Act, Asked, Document, DocumentView, Position, View, Where, parties
from emulation_saas.ratings.events import AggregateRatingReceived, RatingReceived
from emulation_saas.scoring.events import RankingFrozen, ScoreAppraised
from emulation_saas.years.events import YearOpened
from projections.capacities import Capacity, capacity_in
from projections.cases import Answer, Case, CorrectiveEvent, DisputeState, Ending, EvidenceBrought, after, begun

_CORRECTIONS: Final[tuple[type[Event], ...]] = (
    ScoreAppraised,
    RankingFrozen,
    RatingReceived,
    AggregateRatingReceived,
    BallotOpened,
    BallotClosed,
    BallotCounted,
    LeaderAcclaimed,
    NominationMade,
    NominationYielded,
    NominationSuspended,
    NominationResumed,
    MemberAdmitted,
    MemberWithdrawn,
)
"""What commands record that can name an upheld dispute."""


_STATE: Final = FigureRule("docket.state@1", "How far the dispute has come", "latest")
_OVERDUE: Final = FigureRule("docket.overdue@1", "Whether the term was over on the day, unanswered and undecided")
_CORRECTED: Final = FigureRule("docket.corrections@1", "How many events carried the ruling out")


class Cases(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one bloc."""

    years: tuple[int, ...] = ()
    """Those that were opened: their list of disputes may be empty."""
    disputes: dict[DisputeId, Case] = {}


class DisputeLine(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute in the list of its year."""

    dispute: DisputeId
    agency: AgencyId
    about: About
    state: DisputeState
    answer_by: date | UnsetType = UNSET
    is_overdue: bool
    position: Position


class DocketDocument(Document, frozen=True, kw_only=True):
    """The disputes of a bloc's year, in the order in which they were filed."""

    bloc: BlocId
    year: int
    disputes: list[DisputeLine]


class Contested(DisputedEvent, frozen=True, kw_only=True):
    """An event that is contested, and in what capacity its actor could do it."""

    capacity: Capacity | UnsetType = UNSET


class Decision(Ending, frozen=True, kw_only=True):
    """How the dispute ended, and in what capacity the actor could end it so."""

    capacity: Capacity | UnsetType = UNSET


class DisputeDocument(Document, frozen=True, kw_only=True):
    """One dispute from filing to correction."""

    bloc: BlocId
    year: int
    dispute: DisputeId
    agency: AgencyId
    about: About
    state: DisputeState
    events: list[Contested]
    text: str
    evidence: list[EvidenceBrought]
    nomination: NominationId | UnsetType = UNSET
    """The nomination that it suspended, or kept suspended."""
    answer_by: date | UnsetType = UNSET
    is_overdue: bool
    actor: PersonId
    position: Position
    answers: list[Answer]
    decision: Decision | UnsetType = UNSET
    corrections: list[CorrectiveEvent]


class Docket(Projection[Cases]):
    """Which disputes a bloc's years have, and where each stands."""

    name: ClassVar[str] = "docket"
    version: ClassVar[int] = 1
    reads: ClassVar[tuple[type[Event], ...]] = (YearOpened, *DISPUTE_EVENTS, *_CORRECTIONS)

    def keys_of(self, recorded: AnyRecorded) -> Sequence[str]:
        is_ours = recorded.causation is not None or isinstance(recorded.event, YearOpened | DisputeEvent)
        return (recorded.event.bloc,) if is_ours else ()

    def tags_of(self, key: str) -> list[str]:
        return [f"bloc:{key}"]

    def initial(self) -> Cases:
        return Cases()

    def evolve(self, state: Cases, recorded: AnyRecorded) -> Cases:
        match recorded.event:
            case YearOpened(year=year):
                return Cases(years=(*state.years, year), disputes=state.disputes)
            case DisputeFiled() as filed:
                return _having(state, filed.dispute, begun(filed, recorded))
            case DisputeEvent(dispute=dispute):
                return _having(state, dispute, after(state.disputes[dispute], recorded))
            case correction:
                for dispute, case_ in state.disputes.items():
                    if case_.ending is not None and case_.ending.position == recorded.causation:
                        made = CorrectiveEvent(type=correction.type, position=recorded.position)
                        return _having(state, dispute, replace(case_, corrections=(*case_.corrections, made)))
                return state

    def figures(self, state: Cases, on: date) -> Figures:
        found: dict[str, Figure] = {}
        for dispute, case_ in state.disputes.items():
            name = f"disputes/{case_.year}/{dispute}"
            ended = () if case_.ending is None else (case_.ending.position,)
            steps = (case_.position, *(answer.position for answer in case_.answers), *ended)
            found[name] = Figure(case_.state, _STATE, at=steps)
            found[f"{name}/is_overdue"] = Figure(case_.is_overdue(on), _OVERDUE, at=steps)
            corrections = tuple(made.position for made in case_.corrections)
            found[f"{name}/corrections"] = Figure(
                len(corrections), _CORRECTED, at=(case_.position, *ended, *corrections)
            )
        return found

    @property
    def views(self) -> Sequence[View[Cases]]:
        return VIEWS


def _having(state: Cases, dispute: DisputeId, case_: Case) -> Cases:
    return Cases(years=state.years, disputes={**state.disputes, dispute: case_})


def _docket(state: Cases, asked: Asked) -> DocketDocument | None:
    if asked.where.year not in state.years:
        return None
    return DocketDocument(
        bloc=asked.where.bloc,
        year=asked.where.year,
        disputes=[
            DisputeLine(
                dispute=dispute,
                agency=case_.agency,
                about=case_.about,
                state=case_.state,
                answer_by=case_.answer_by,
                is_overdue=case_.is_overdue(asked.valid_on),
                position=case_.position,
            )
            for dispute, case_ in state.disputes.items()
            if case_.year == asked.where.year
        ],
    )


def _dispute(state: Cases, asked: Asked) -> DisputeDocument | None:
    case_ = _case(state, asked.where)
    if case_ is None:
        return None
    return DisputeDocument(
        bloc=asked.where.bloc,
        year=case_.year,
        dispute=asked.where.dispute,
        agency=case_.agency,
        about=case_.about,
        state=case_.state,
        events=[_contested(each, asked) for each in case_.events],
        text=case_.text,
        evidence=list(case_.evidence),
        nomination=case_.nomination,
        answer_by=case_.answer_by,
        is_overdue=case_.is_overdue(asked.valid_on),
        actor=case_.actor,
        position=case_.position,
        answers=list(case_.answers),
        decision=UNSET if case_.ending is None else _decision(case_.ending, asked),
        corrections=list(case_.corrections),
    )


def _case(state: Cases, where: Where) -> Case | None:
    case_ = state.disputes.get(where.dispute)
    return case_ if case_ is not None and case_.year == where.year else None


def _contested(event: DisputedEvent, asked: Asked) -> Contested:
    return Contested(
        position=event.position,
        type=event.type,
        actor=event.actor,
        acted_for=event.acted_for,
        agency=event.agency,
        capacity=_capacity((event.position, event.actor), asked),
    )


def _decision(ending: Ending, asked: Asked) -> Decision:
    return Decision(
        state=ending.state,
        actor=ending.actor,
        reasons=ending.reasons,
        position=ending.position,
        capacity=_capacity((ending.position, ending.actor), asked),
    )


def _capacity(act: Act, asked: Asked) -> Capacity | UnsetType:
    then = asked.powers.get(act)
    return UNSET if then is None else capacity_in(asked.where.bloc, then)


def _acts(states: Mapping[str, Cases], where: Where) -> Collection[Act]:
    """Return the contested acts of a dispute, and the one that ended it."""
    state = states.get(where.bloc)
    case_ = None if state is None else _case(state, where)
    if case_ is None:
        return ()
    ending = () if case_.ending is None else ((case_.ending.position, case_.ending.actor),)
    return {*((each.position, each.actor) for each in case_.events), *ending}


VIEWS: Final[Sequence[View[Cases]]] = (
    DocumentView(
        path="/blocs/{bloc}/years/{year}/disputes",
        summary="The disputes of a bloc's year",
        document=DocketDocument,
        may_read=parties,
        is_dated=True,
        key="{bloc}",
        about="disputes/{year}",
        render=_docket,
    ),
    DocumentView(
        path="/blocs/{bloc}/years/{year}/disputes/{dispute}",
        summary="A dispute: what it contests, who did that in what capacity, answers, decision, corrections",
        document=DisputeDocument,
        may_read=parties,
        is_dated=True,
        acts=_acts,
        key="{bloc}",
        about="disputes/{year}/{dispute}",
        render=_dispute,
    ),
)
