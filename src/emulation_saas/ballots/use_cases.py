"""Open a ballot, vote in a roll call, close it, or enter the count of one held on paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.ballots.counting import Counts, PresentNeeded, as_on_ballot, end_of, require_same, tally
from emulation_saas.ballots.events import (
    BallotClosed,
    BallotCounted,
    BallotOpened,
    Choice,
    Mode,
    OptionVotes,
    Question,
    Rule,
    VoteCast,
)
from emulation_saas.ballots.papers import Paper, check_ballot
from emulation_saas.blocs.events import BlocEstablished, MemberAdmitted, Membership, MemberWithdrawn
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import day_of, spell_instant
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId
from emulation_saas.kernel.rejections import Conflict, Forbidden, NotEmpowered, NotFound, PaperNeedsTime
from emulation_saas.kernel.use_cases import Selector, UseCase
from emulation_saas.years.events import Year, YearClosed, YearOpened


class NoSuchBallot(NotFound):
    """The bloc's year has no such ballot."""

    code = "no-such-ballot"


class BallotHandleTaken(Conflict):
    """Another ballot was opened under this handle."""

    code = "ballot-handle-taken"


class WrongBallotMode(Conflict):
    """The ballot's mode does not allow this."""

    code = "wrong-ballot-mode"


class VotingOver(Conflict):
    """No more votes are taken."""

    code = "voting-over"


class VotingStillOpen(Conflict):
    """Members who have not voted still may."""

    code = "voting-still-open"


class NotOnRoll(Forbidden):
    """The member was not on the roll when the ballot opened."""

    code = "not-on-roll"


class Opening(msgspec.Struct, frozen=True):
    """What the opening of a ballot must know."""

    opened: BallotOpened | None = None
    membership: Membership = Membership()
    year: Year = Year()


@dataclass(frozen=True)
class OpenBallot(UseCase[Opening]):
    """The bloc puts questions to the vote of the members on a roll, by a rule that stands from then on."""

    bloc: BlocId
    year: int
    ballot: BallotId
    title: str
    mode: Mode
    questions: tuple[Question, ...]
    roll: tuple[AgencyId, ...]
    rule: Rule
    closes_at: datetime | UnsetType = UNSET

    def facts(self) -> Sequence[Selector]:
        return [
            Selector(types=[BallotOpened], tags=[f"ballot:{self.ballot}"]),
            Selector(types=[BlocEstablished, MemberAdmitted, MemberWithdrawn], tags=[f"bloc:{self.bloc}"]),
            Selector(types=[YearOpened, YearClosed], tags=[f"year:{self.bloc}/{self.year}"]),
        ]

    @staticmethod
    def initial() -> Opening:
        return Opening()

    @staticmethod
    def evolve(view: Opening, event: Event) -> Opening:
        match event:
            case BallotOpened():
                return Opening(event, view.membership, view.year)
            case _:
                return Opening(view.opened, view.membership.after(event), view.year.after(event))

    def decide(self, view: Opening, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.runs(self.bloc, self.year):
            raise NotEmpowered
        view.year.require_open()
        opened = BallotOpened(
            bloc=self.bloc,
            year=self.year,
            ballot=self.ballot,
            title=self.title,
            mode=self.mode,
            questions=list(self.questions),
            roll=sorted(self.roll),
            rule=self.rule,
            closes_at=self.closes_at,
        )
        if view.opened == opened:
            return []
        if view.opened is not None:
            raise BallotHandleTaken
        members = {*view.membership.in_year(self.year), *view.membership.on(day_of(now))}
        check_ballot(opened, members=members, now=now)
        return [opened]


class Booth(msgspec.Struct, frozen=True):
    """What a vote must know. One for all voters of a ballot: each of his own would hold the whole ballot."""

    paper: Paper | None = None
    year: Year = Year()
    standing: dict[AgencyId, list[Choice]] = {}
    """The choices of the vote that stands, by member."""
    is_closed: bool = False


@dataclass(frozen=True)
class CastVote(UseCase[Booth]):
    """A member votes in a roll call; a later vote replaces the earlier one until it closes."""

    bloc: BlocId
    year: int
    ballot: BallotId
    agency: AgencyId
    choices: tuple[Choice, ...]

    def facts(self) -> Sequence[Selector]:
        return [
            Selector(types=[BallotOpened, VoteCast, BallotClosed], tags=[f"ballot:{self.ballot}"]),
            Selector(types=[YearOpened, YearClosed], tags=[f"year:{self.bloc}/{self.year}"]),
        ]

    @staticmethod
    def initial() -> Booth:
        return Booth()

    @staticmethod
    def evolve(view: Booth, event: Event) -> Booth:
        match event:
            case VoteCast(agency=agency, choices=choices):
                return Booth(view.paper, view.year, {**view.standing, agency: choices}, view.is_closed)
            case BallotOpened():
                return Booth(Paper.of(event), view.year, view.standing, view.is_closed)
            case BallotClosed():
                return Booth(view.paper, view.year, view.standing, True)  # noqa: FBT003 - a positional struct
            case _:
                return Booth(view.paper, view.year.after(event), view.standing, view.is_closed)

    def decide(self, view: Booth, may: Authority, now: datetime) -> Sequence[Event]:
        if self.agency not in may.represents:
            raise NotEmpowered
        _, rules = view.year.require_open()
        paper = view.paper
        if paper is None or paper.bloc != self.bloc or paper.year != self.year:
            raise NoSuchBallot
        if self.agency not in paper.roll:
            raise NotOnRoll  # before all that only parties may know of the ballot
        if paper.closes_at is None:
            raise WrongBallotMode("votes are cast in a roll call only; this ballot is counted on paper")
        if view.is_closed or now >= paper.closes_at:
            raise VotingOver(f"closed early, or at {spell_instant(paper.closes_at)}")
        choices = paper.marked(self.choices, by=self.agency, self_vote=rules.self_vote)
        if choices == view.standing.get(self.agency):
            return []  # asked again: the vote already stands
        return [VoteCast(bloc=self.bloc, year=self.year, ballot=self.ballot, agency=self.agency, choices=choices)]


class Poll(msgspec.Struct, frozen=True):
    """What the end of a ballot must know."""

    opened: BallotOpened | None = None
    year: Year = Year()
    votes: dict[AgencyId, list[Choice]] = {}
    """The vote that stands, by member."""
    counted: BallotCounted | None = None


@dataclass(frozen=True)
class _OnPoll(UseCase[Poll]):
    """What ends a ballot, knowing its rules and its votes."""

    bloc: BlocId
    year: int
    ballot: BallotId

    def facts(self) -> Sequence[Selector]:
        return [
            Selector(types=[BallotOpened, VoteCast, BallotCounted], tags=[f"ballot:{self.ballot}"]),
            Selector(types=[YearOpened, YearClosed], tags=[f"year:{self.bloc}/{self.year}"]),
        ]

    @staticmethod
    def initial() -> Poll:
        return Poll()

    @staticmethod
    def evolve(view: Poll, event: Event) -> Poll:
        match event:
            case VoteCast(agency=agency, choices=choices):
                return Poll(view.opened, view.year, {**view.votes, agency: choices}, view.counted)
            case BallotOpened():
                return Poll(event, view.year, view.votes, view.counted)
            case BallotCounted():
                return Poll(view.opened, view.year, view.votes, event)
            case _:
                return Poll(view.opened, view.year.after(event), view.votes, view.counted)

    def _opened(self, view: Poll) -> BallotOpened:
        view.year.require_open()
        opened = view.opened
        if opened is None or opened.bloc != self.bloc or opened.year != self.year:
            raise NoSuchBallot
        return opened


@dataclass(frozen=True)
class CloseBallot(_OnPoll):
    """A roll call ends and is counted from its votes: at its closing time, or once everybody has voted."""

    def decide(self, view: Poll, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.runs(self.bloc, self.year):
            raise NotEmpowered
        opened = self._opened(view)
        if opened.closes_at is UNSET:
            raise WrongBallotMode("a ballot held on paper is closed by its count")
        if view.counted is not None:
            return []
        voted, electorate = len(view.votes), len(opened.roll)
        if now < opened.closes_at and voted < electorate:
            raise VotingStillOpen(
                f"{voted} of {electorate} voted; the others may until {spell_instant(opened.closes_at)}"
            )
        counts = Counts(electorate=electorate, present=voted, issued=voted, collected=voted, valid=voted, invalid=0)
        return end_of(opened, counts, tally(opened.questions, view.votes.values()))


@dataclass(frozen=True)
class RecordPaperCount(_OnPoll):
    """The count of a ballot held on paper or in a room is entered from its minutes; that closes the ballot."""

    issued: int
    collected: int
    valid: int
    invalid: int
    votes: tuple[OptionVotes, ...]
    present: int | UnsetType = UNSET
    """How many took part; where the minutes are silent, those whose papers were collected did for certain."""

    def decide(self, view: Poll, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.runs(self.bloc, self.year):
            raise NotEmpowered
        opened = self._opened(view)
        if opened.mode == "open":
            raise WrongBallotMode("a roll call is counted from its votes when it closes")
        counts = Counts(
            electorate=len(opened.roll),
            present=self.collected if self.present is UNSET else self.present,
            issued=self.issued,
            collected=self.collected,
            valid=self.valid,
            invalid=self.invalid,
        )
        if view.counted is not None:
            require_same(view.counted, counts, self.votes)
            return []
        if self.time is None:
            raise PaperNeedsTime
        if self.present is UNSET and opened.rule.base == "present":
            raise PresentNeeded
        counts.check()
        votes = as_on_ballot(opened.questions, opened.rule, valid=self.valid, votes=self.votes)
        return end_of(opened, counts, votes)
