"""How a ballot went: who voted what by roll call, how many votes each option got, of how many, and what was decided.

While a roll call is open its tally is of the votes that stand so far; what was decided is there once it is counted.
Figures: `votes`, `votes/{agency}`, `outcome`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from emulation_saas.ballots.counting import Counts, base_count, tally
from emulation_saas.ballots.events import (
    BallotClosed,
    BallotCounted,
    BallotEvent,
    BallotOpened,
    Choice,
    Mode,
    OptionVotes,
    Outcome,
    Question,
    Rule,
    VoteCast,
)
from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId
from emulation_saas.projecting.projection import Projection
from emulation_saas.projecting.views import (
    Asked,
    CollectionView,
    Document,
    DocumentView,
    Listing,
    Position,
    Scope,
    View,
    Where,
    of_year,
    page_below,
    parties,
)

BallotState = Literal["open", "closed", "counted"]


class Vote(msgspec.Struct, frozen=True, kw_only=True):
    """A member's vote that stands."""

    choices: list[Choice]
    position: Position


class Poll(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one ballot."""

    opened: BallotOpened | None = None
    opened_at: int = 0
    votes: dict[AgencyId, Vote] = {}
    closed_at: int = 0
    counted: BallotCounted | None = None
    counted_at: int = 0


class Fraction(msgspec.Struct, frozen=True, kw_only=True):
    """Votes over the base of the percentage, exactly and not reduced."""

    num: Annotated[int, Meta(ge=0)]
    den: Annotated[int, Meta(ge=1)]


class OptionTally(msgspec.Struct, frozen=True, kw_only=True):
    """How an option fared. Without anybody in the base there is no share."""

    option: str
    votes: int
    share: Fraction | UnsetType = UNSET


class QuestionTally(msgspec.Struct, frozen=True, kw_only=True):
    """How a question went; chosen and tied once it is counted."""

    question: str
    title: str
    options: list[OptionTally]
    chosen: list[str] | UnsetType = UNSET
    tied: list[str] | UnsetType = UNSET


class RollCallVote(Vote, frozen=True, kw_only=True):
    """What a member voted, by roll call."""

    agency: AgencyId


class TallyDocument(Document, frozen=True, kw_only=True):
    """The tally of a ballot, with the rule by which it is read."""

    bloc: BlocId
    year: int
    ballot: BallotId
    title: str
    mode: Mode
    state: BallotState
    rule: Rule
    closes_at: datetime | UnsetType = UNSET
    counts: Counts
    questions: list[QuestionTally]
    roll: list[AgencyId]
    votes: list[RollCallVote]
    """By roll call only, in the order of the handles."""
    opened_position: Position
    counted_position: Position | UnsetType = UNSET


class BallotLine(msgspec.Struct, frozen=True, kw_only=True):
    """A ballot in the list of its year."""

    ballot: BallotId
    title: str
    mode: Mode
    state: BallotState
    outcomes: list[Outcome] | UnsetType = UNSET


class BallotsDocument(Listing, frozen=True, kw_only=True):
    """The ballots of a bloc's year, by handle."""

    bloc: BlocId
    year: int
    ballots: list[BallotLine]


class Tallies(Projection[Poll]):
    """How each ballot went."""

    name: ClassVar[str] = "tallies"
    version: ClassVar[int] = 1
    reads: ClassVar[tuple[type[Event], ...]] = (BallotOpened, VoteCast, BallotClosed, BallotCounted)

    def key(self, event: BallotEvent) -> str:
        return f"{event.bloc}/{event.year}/{event.ballot}"

    def tags_of(self, key: str) -> list[str]:
        return [f"ballot:{key.rpartition('/')[2]}"]

    def initial(self) -> Poll:
        return Poll()

    def evolve(self, state: Poll, recorded: AnyRecorded) -> Poll:
        position = recorded.position
        match recorded.event:
            case VoteCast(agency=agency, choices=choices):
                votes = state.votes.copy()
                votes[agency] = Vote(choices=choices, position=position)
                return replace(state, votes=votes)
            case BallotOpened() as opened:
                return replace(state, opened=opened, opened_at=position)
            case BallotClosed():
                return replace(state, closed_at=position)
            case BallotCounted() as counted:
                return replace(state, counted=counted, counted_at=position)
            case _:  # pragma: no cover - `reads` names no other
                return state

    def reasons(self, state: Poll, figure: str) -> list[int]:
        cast = sorted(vote.position for vote in state.votes.values())
        match figure.split("/"):
            case ["votes"]:
                return cast or [state.counted_at][: state.counted_at]
            case ["votes", agency] if AgencyId(agency) in state.votes:
                return [state.votes[AgencyId(agency)].position]
            case ["outcome"] if state.counted is not None:
                return [state.opened_at, *cast, state.counted_at]
            case _:
                return []

    @property
    def views(self) -> Sequence[View[Poll]]:
        return VIEWS


def _counts(state: Poll, opened: BallotOpened) -> Counts:
    """Return how many there were of what: as counted, else by the roll call's votes that stand so far."""
    electorate, voted = len(opened.roll), len(state.votes)
    counted = state.counted
    if counted is None:
        return Counts(electorate=electorate, present=voted, issued=voted, collected=voted, valid=voted, invalid=0)
    return Counts(
        electorate=electorate,
        present=counted.present,
        issued=counted.issued,
        collected=counted.collected,
        valid=counted.valid,
        invalid=counted.invalid,
    )


def _state_of(state: Poll) -> BallotState:
    if state.counted is not None:
        return "counted"
    return "closed" if state.closed_at else "open"


def _tally(state: Poll, asked: Asked) -> TallyDocument | None:
    opened = state.opened
    if opened is None:
        return None
    counted, counts = state.counted, _counts(state, opened)
    cast = tally(opened.questions, [vote.choices for vote in state.votes.values()])
    votes = cast if counted is None else counted.votes
    outcomes = {} if counted is None else {outcome.question: outcome for outcome in counted.outcomes}
    base = base_count(opened.rule.base, counts)
    return TallyDocument(
        bloc=asked.where.bloc,
        year=asked.where.year,
        ballot=asked.where.ballot,
        title=opened.title,
        mode=opened.mode,
        state=_state_of(state),
        rule=opened.rule,
        closes_at=opened.closes_at,
        counts=counts,
        questions=[_question(question, votes, base, outcomes.get(question.question)) for question in opened.questions],
        roll=opened.roll,
        votes=[
            RollCallVote(agency=agency, choices=vote.choices, position=vote.position)
            for agency, vote in sorted(state.votes.items())
        ],
        opened_position=state.opened_at,
        counted_position=state.counted_at or UNSET,
    )


def _question(question: Question, votes: Sequence[OptionVotes], base: int, outcome: Outcome | None) -> QuestionTally:
    got = {each.option: each.votes for each in votes if each.question == question.question}
    return QuestionTally(
        question=question.question,
        title=question.title,
        options=[
            OptionTally(option=option, votes=got[option], share=Fraction(num=got[option], den=base) if base else UNSET)
            for option in question.options
        ],
        chosen=UNSET if outcome is None else outcome.chosen,
        tied=UNSET if outcome is None else outcome.tied,
    )


def _key(where: Where) -> str:
    return f"{where.bloc}/{where.year}/{where.ballot}"


def _of_the_year(asked: Asked) -> Scope:
    year = of_year(asked.where)
    return page_below(f"{year}/", f"year:{year}", asked)


def _ballots(states: Mapping[str, Poll], asked: Asked) -> BallotsDocument:
    lines = [
        BallotLine(
            ballot=state.opened.ballot,
            title=state.opened.title,
            mode=state.opened.mode,
            state=_state_of(state),
            outcomes=UNSET if state.counted is None else state.counted.outcomes,
        )
        for state in states.values()
        if state.opened is not None
    ]
    ballots, following = lines[: asked.limit], lines[asked.limit :]
    following_from = ballots[-1].ballot if following else UNSET
    return BallotsDocument(bloc=asked.where.bloc, year=asked.where.year, ballots=ballots, next=following_from)


VIEWS: Final[Sequence[View[Poll]]] = (
    CollectionView(
        path="/blocs/{bloc}/years/{year}/ballots",
        summary="The ballots of a bloc's year",
        document=BallotsDocument,
        may_read=parties,
        is_paged=True,
        spans=_of_the_year,
        render=_ballots,
    ),
    DocumentView(
        path="/blocs/{bloc}/years/{year}/ballots/{ballot}/tally",
        summary="The tally of a ballot",
        document=TallyDocument,
        may_read=parties,
        key=_key,
        render=_tally,
    ),
)
