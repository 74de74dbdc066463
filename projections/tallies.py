"""How a ballot went: who voted what by roll call, how many votes each option got, of how many, and what was decided.

While a roll call is open its tally is of the votes that stand so far; what was decided is there once it is counted.
Figures: `votes`, `votes/{agency}`, `options/{question}/{option}`, `outcome`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import ClassVar, Final

from msgspec import UNSET
from msgspec.structs import replace

from emulation_saas.ballots.counting import Counts, base_count, tally
from emulation_saas.ballots.events import (
    BallotClosed,
    BallotCounted,
    BallotEvent,
    BallotOpened,
    OptionVotes,
    Outcome,
    Question,
    VoteCast,
)
from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.projecting.figures import Figure, FigureRule, Figures
from emulation_saas.projecting.projection import Projection
from emulation_saas.projecting.views import (
    Asked,
    CollectionView,
    DocumentView,
    Scope,
    View,
    page_below,
    parties,
)
from projections.tallies_shapes import (
    BallotLine,
    BallotsDocument,
    BallotState,
    Fraction,
    OptionTally,
    Poll,
    QuestionTally,
    RollCallVote,
    TallyDocument,
    Vote,
)

_VOTE: Final = FigureRule("tallies.last-vote@1", "The member's last vote stands", "latest")
_CAST: Final = FigureRule("tallies.votes-cast@1", "How many have voted so far", "count")
_COLLECTED: Final = FigureRule("tallies.collected@1", "How many votes or papers were collected, as counted", "latest")
_MARKS: Final = FigureRule("tallies.votes-for@1", "How many of the votes so far are for the option", "count")
_COUNTED: Final = FigureRule("tallies.counted-for@1", "How many votes the count gives the option", "latest")
_OUTCOME: Final = FigureRule("tallies.outcome@1", "Who is chosen by the ballot's rule, as counted", "latest")


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

    def figures(self, state: Poll, on: date) -> Figures:
        figures = {
            f"votes/{agency}": Figure(vote.choices, _VOTE, at=(vote.position,)) for agency, vote in state.votes.items()
        }
        cast, counted = tuple(figures), state.counted
        if counted is not None:
            figures["votes"] = Figure(counted.collected, _COLLECTED, at=(state.counted_at,), inputs=cast)
            at = (state.opened_at, state.counted_at) if state.opened_at else (state.counted_at,)
            figures["outcome"] = Figure(counted.outcomes, _OUTCOME, at=at, inputs=cast)
        elif cast:
            figures["votes"] = Figure(len(cast), _CAST, inputs=cast)
        if state.opened is not None:
            figures |= _figures_of_options(state, state.opened)
        return figures

    def contradiction(self, state: Poll, recorded: AnyRecorded) -> str | None:
        opened = state.opened
        match recorded.event:
            case BallotCounted(votes=votes) if opened is not None and opened.mode == "open":
                cast = tally(opened.questions, [vote.choices for vote in state.votes.values()])
                return None if votes == cast else "the count is not that of the votes before it"
            case VoteCast(agency=agency) if opened is not None and agency not in opened.roll:
                return f"{agency} is not on the roll"
            case VoteCast() if state.closed_at:
                return "the vote was cast after the ballot was closed"
            case _:
                return None

    @property
    def views(self) -> Sequence[View[Poll]]:
        return VIEWS


def _figures_of_options(state: Poll, opened: BallotOpened) -> Figures:
    """Return how many votes each option has: those that the count gives it, else those that stand so far."""
    cast: dict[str, list[str]] = {}
    for agency, vote in state.votes.items():
        for choice in vote.choices:
            for option in choice.options:
                cast.setdefault(f"options/{choice.question}/{option}", []).append(f"votes/{agency}")
    counted = state.counted
    if counted is None:
        return {
            name: Figure(len(votes), _MARKS, at=(state.opened_at,), inputs=tuple(votes))
            for question in opened.questions
            for option in question.options
            for name in [f"options/{question.question}/{option}"]
            for votes in [cast.get(name, [])]
        }
    at = (state.opened_at, state.counted_at)
    return {
        name: Figure(each.votes, _COUNTED, at=at, inputs=tuple(cast.get(name, ())))
        for each in counted.votes
        for name in [f"options/{each.question}/{each.option}"]
    }


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


def _of_the_year(asked: Asked) -> Scope:
    year = f"{asked.where.bloc}/{asked.where.year}"
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
        key="{bloc}/{year}/{ballot}",
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
        key="{bloc}/{year}/{ballot}",
        render=_tally,
    ),
)
