"""What the tallies keep of a ballot, and what they answer."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.ballots.counting import Counts
from emulation_saas.ballots.events import BallotCounted, BallotOpened, Choice, Mode, Outcome, Rule
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId
from emulation_saas.projecting.views import Document, Listing, Position

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
