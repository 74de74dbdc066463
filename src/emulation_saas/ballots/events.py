"""What happens to a ballot: opened with its rules, voted on by roll call or counted on paper, closed."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.kernel.events import Visibility, YearEvent
from emulation_saas.kernel.ids import HANDLE_PATTERN, AgencyId, BallotId
from emulation_saas.kernel.numbers import Count, Share
from emulation_saas.kernel.rejections import Conflict

Mode = Literal["open", "paper_secret", "show_of_hands", "consensus", "written_circulation"]
"""`open`: by roll call, here. The others were held on paper or in a room and are entered as counts."""
Base = Literal["electorate", "present", "issued", "collected", "valid"]
Comparison = Literal[">=", ">"]
Tie = Literal["revote", "all", "none", "by_score", "draw"]
HandleText = Annotated[str, Meta(pattern=HANDLE_PATTERN)]


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an option passes: `votes * den >= num * base`, exactly; the best `seats` of those that pass are chosen."""

    base: Base
    threshold: Share
    quorum: Share
    """The share of the electorate that must take part; below it nothing passes."""
    comparison: Comparison
    seats: Annotated[int, Meta(ge=1, le=100)]
    tie: Tie


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question and the options among which a voter marks at most `seats`."""

    question: HandleText
    title: Annotated[str, Meta(min_length=1, max_length=300)]
    options: Annotated[list[HandleText], Meta(min_length=1, max_length=100)]


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options marked for one question; none is a blank vote, which is valid."""

    question: HandleText
    options: Annotated[list[HandleText], Meta(max_length=100)]


class OptionVotes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many votes an option of a question got."""

    question: HandleText
    option: HandleText
    votes: Count


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided on one question: the options chosen, and those still tied for the last seats."""

    question: str
    chosen: list[str]
    tied: list[str]


class BallotEvent(YearEvent, frozen=True, kw_only=True):
    """A fact about one ballot of a bloc's year."""

    ballot: BallotId

    def tags(self) -> list[str]:
        """Return the tags of bloc, year and ballot."""
        return [*super().tags(), f"ballot:{self.ballot}"]


class BallotOpened(BallotEvent, frozen=True, kw_only=True):
    """A ballot with all its rules: who votes, on what, how it is counted, until when."""

    type: ClassVar[str] = "ballot.opened.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    title: str
    mode: Mode
    questions: list[Question]
    roll: list[AgencyId]
    """The electorate: one vote each."""
    rule: Rule
    closes_at: datetime | UnsetType = UNSET
    """Only an open ballot has it; from this instant on it is too late."""


class VoteCast(BallotEvent, frozen=True, kw_only=True):
    """A member voted by roll call; it replaces that member's earlier vote."""

    type: ClassVar[str] = "ballot.vote-cast.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    agency: AgencyId
    choices: list[Choice]

    def tags(self) -> list[str]:
        """Return the tags of bloc, year, ballot and voter."""
        return [*super().tags(), f"agency:{self.agency}"]


class BallotClosed(BallotEvent, frozen=True, kw_only=True):
    """No more votes are taken."""

    type: ClassVar[str] = "ballot.closed.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES


class BallotCounted(BallotEvent, frozen=True, kw_only=True):
    """The count and what it decided. For a roll call it follows from the votes; else it was read from the minutes."""

    type: ClassVar[str] = "ballot.counted.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    present: int
    issued: int
    collected: int
    valid: int
    invalid: int
    votes: list[OptionVotes]
    outcomes: list[Outcome]


EVENTS = (BallotOpened, VoteCast, BallotClosed, BallotCounted)


class BallotNotCounted(Conflict):
    """The ballot that it rests on has not been counted."""

    code = "ballot-not-counted"


class NotChosen(Conflict):
    """The ballot that it rests on did not choose this."""

    code = "not-chosen"
