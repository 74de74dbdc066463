"""What a ballot may ask, and what a voter may mark on it."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec import UNSET

from emulation_saas.ballots.events import BallotOpened, Choice
from emulation_saas.kernel.clock import spell_instant
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.kernel.rejections import Conflict, Forbidden, Invalid

QUESTIONS_MAX: Final = 20
OPTIONS_MAX: Final = 300
"""Options of all questions together: so many, with the longest handles, still fit the one event that counts them."""
ROLL_MAX: Final = 100
"""Three times the largest bloc found (`domain.md` 11)."""


class ListedTwice(Invalid):
    """A handle is listed twice where each may stand once."""

    code = "listed-twice"


class EmptyRoll(Invalid):
    """A ballot needs at least one voter."""

    code = "empty-roll"


class NothingToVoteOn(Invalid):
    """A ballot needs at least one question, and each question at least one option."""

    code = "nothing-to-vote-on"


class BallotTooLarge(Invalid):
    """The ballot has more questions, options or voters than one count can hold."""

    code = "ballot-too-large"


class ShareAboveOne(Invalid):
    """A threshold or quorum is more than the whole."""

    code = "share-above-one"


class NotOnBallot(Invalid):
    """The ballot has no such question or option."""

    code = "not-on-ballot"


class TooManyMarks(Invalid):
    """More options of a question are marked than there are seats."""

    code = "too-many-marks"


class VoterNotAMember(Conflict):
    """The roll names an agency that is not a member of the bloc, neither in that year nor today."""

    code = "voter-not-a-member"


class ClosingNeeded(Invalid):
    """A roll call must say until when votes are taken."""

    code = "closing-needed"


class ClosingPassed(Invalid):
    """Votes could never be taken: the closing time is not in the future."""

    code = "closing-passed"


class ClosingNotTaken(Invalid):
    """Only a roll call has a closing time; what is held on paper is closed by its count."""

    code = "closing-not-taken"


class SelfVote(Forbidden):
    """The year's rules do not let a member vote for itself."""

    code = "self-vote"


class Paper(msgspec.Struct, frozen=True):
    """A ballot as a voter holds it: made once when it opens, so that a vote is judged by look-ups alone."""

    bloc: BlocId
    year: int
    roll: frozenset[AgencyId]
    options: dict[str, frozenset[str]]
    seats: int
    closes_at: datetime | None
    """None: it is counted on paper, and no vote is cast here."""

    @classmethod
    def of(cls, opened: BallotOpened) -> "Paper":
        """Return the paper of a ballot."""
        return cls(
            opened.bloc,
            opened.year,
            frozenset(opened.roll),
            {question.question: frozenset(question.options) for question in opened.questions},
            opened.rule.seats,
            None if opened.closes_at is UNSET else opened.closes_at,
        )

    def marked(self, choices: Sequence[Choice], *, by: AgencyId, self_vote: bool) -> list[Choice]:
        """Return the choices in the one spelling that is recorded: they have no order, so they are sorted.

        Raises:
            ListedTwice: a question, or an option of one, stands there twice.
            NotOnBallot: there is no such question, or no such option of it.
            TooManyMarks: a question has more marks than seats.
            SelfVote: the voter marked itself, and the year's rules do not let it.
        """
        spelled: dict[str, Choice] = {}
        for choice in choices:
            if choice.question in spelled:
                raise ListedTwice(f"question {choice.question}")
            marks = set(choice.options)
            if len(marks) != len(choice.options):
                raise ListedTwice(f"an option of question {choice.question}")
            if choice.question not in self.options:
                raise NotOnBallot(f"question {choice.question}")
            if not marks <= self.options[choice.question]:
                raise NotOnBallot(f"option {min(marks - self.options[choice.question])} of {choice.question}")
            if len(marks) > self.seats:
                raise TooManyMarks(f"at most {self.seats} of question {choice.question}")
            if by in marks and not self_vote:
                raise SelfVote
            spelled[choice.question] = Choice(question=choice.question, options=sorted(marks))
        return [spelled[question] for question in sorted(spelled)]


def check_ballot(ballot: BallotOpened, *, members: set[AgencyId], now: datetime) -> None:
    """Return if such a ballot may be opened.

    Raises:
        VoterNotAMember: a voter is not among those who may be on the roll.
        EmptyRoll: nobody votes.
        NothingToVoteOn: no question, or one without options.
        BallotTooLarge: one of the limits above is passed.
        ListedTwice: a voter, a question, or an option of one stands there twice.
        ShareAboveOne: threshold or quorum.
        ClosingNeeded, ClosingPassed, ClosingNotTaken: the closing time does not fit mode and `now`.
    """
    questions, roll, rule = ballot.questions, ballot.roll, ballot.rule
    strangers = set(roll) - members
    if strangers:
        raise VoterNotAMember(min(strangers))
    if not roll:
        raise EmptyRoll
    if not questions or not all(question.options for question in questions):
        raise NothingToVoteOn
    options = sum(len(question.options) for question in questions)
    for what, many, most in (
        ("questions", len(questions), QUESTIONS_MAX),
        ("options", options, OPTIONS_MAX),
        ("voters", len(roll), ROLL_MAX),
    ):
        if many > most:
            raise BallotTooLarge(f"{many} {what}, at most {most}")
    _require_unique(roll, "voter")
    _require_unique((question.question for question in questions), "question")
    for question in questions:
        _require_unique(question.options, f"question {question.question}, option")
    for name, share in (("threshold", rule.threshold), ("quorum", rule.quorum)):
        if share.num > share.den:
            raise ShareAboveOne(f"{name} {share.num}/{share.den}")
    _check_closing(ballot, now)


def _check_closing(ballot: BallotOpened, now: datetime) -> None:
    if ballot.mode != "open":
        if ballot.closes_at is not UNSET:
            raise ClosingNotTaken
    elif ballot.closes_at is UNSET:
        raise ClosingNeeded
    elif ballot.closes_at <= now:
        raise ClosingPassed(f"it is {spell_instant(now)}")


def _require_unique(listed: Iterable[Hashable], what: str) -> None:
    for each, times in Counter(listed).items():
        if times > 1:
            raise ListedTwice(f"{what} {each}")
