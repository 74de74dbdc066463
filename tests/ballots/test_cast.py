"""Voting in a roll call."""

from datetime import datetime, timedelta

import msgspec
import pytest

from emulation_saas.ballots.events import Choice
from emulation_saas.ballots.papers import ListedTwice, NotOnBallot, SelfVote, TooManyMarks
from emulation_saas.ballots.use_cases import CastVote, NoSuchBallot, NotOnRoll, VotingOver, WrongBallotMode
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.kernel.rejections import NotEmpowered, Rejection
from emulation_saas.years.events import NoSuchYear, YearOpened, YearOver
from tests.ballots.history import (
    BEFORE,
    CLOSES_AT,
    FLAG,
    MINUTES_OF,
    ON_PAPER,
    ROLL_CALL,
    RULE,
    SNV,
    STP,
    STRANGER,
    TM1,
    TTR,
    YEAR,
    ballot_opened,
    closed,
    marks,
    vote,
    year_closed,
    year_opened,
)
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, NOW, given, representing, secretary_of

FOR_SNV = representing(SNV)
OPEN = (*BEFORE, ROLL_CALL)
NO_SELF_VOTE = (year_opened(self_vote=False), ROLL_CALL)


def cast(
    agency: AgencyId = SNV,
    flag: str | None = "thanh-tra",
    head: str | None = None,
    *,
    choices: list[Choice] | None = None,
    time: datetime | None = None,
) -> CastVote:
    marked = marks(flag, head) if choices is None else choices
    return CastVote(bloc=TM1, year=YEAR, ballot=FLAG, agency=agency, choices=tuple(marked), time=time)


def choice(question: str, *options: str) -> Choice:
    return Choice(question=question, options=list(options))


def test_member_votes() -> None:
    given(*OPEN).when(cast(), FOR_SNV).then(vote(SNV, "thanh-tra"))


def test_second_vote_replaces_the_first() -> None:
    given(*OPEN, vote(SNV, "so-tu-phap")).when(cast(), FOR_SNV).then(vote(SNV, "thanh-tra"))


def test_first_vote_may_be_returned_to() -> None:
    history = (vote(SNV, "thanh-tra"), vote(SNV, "so-tu-phap"))
    given(*OPEN, *history).when(cast(), FOR_SNV).then(vote(SNV, "thanh-tra"))


def test_same_vote_again_records_nothing() -> None:
    given(*OPEN, vote(SNV, "thanh-tra")).when(cast(), FOR_SNV).then_recorded_nothing()


def test_vote_of_another_member_stays_its_own() -> None:
    given(*OPEN, vote(STP, "thanh-tra")).when(cast(), FOR_SNV).then(vote(SNV, "thanh-tra"))


def test_choices_and_marks_have_no_order() -> None:
    two_seats = ballot_opened(rule=msgspec.structs.replace(RULE, seats=2))
    spelled = [choice("flag", "so-tu-phap", "thanh-tra"), choice("head", "thanh-tra")]
    recorded = msgspec.structs.replace(vote(SNV), choices=spelled)
    turned = cast(choices=[choice("head", "thanh-tra"), choice("flag", "thanh-tra", "so-tu-phap")])
    given(*BEFORE, two_seats).when(turned, FOR_SNV).then(recorded)
    given(*BEFORE, two_seats, recorded).when(cast(choices=spelled), FOR_SNV).then_recorded_nothing()


@pytest.mark.parametrize("choices", [[], [choice("flag")]])
def test_blank_vote_is_a_vote(choices: list[Choice]) -> None:
    given(*OPEN).when(cast(choices=choices), FOR_SNV).then(msgspec.structs.replace(vote(SNV), choices=choices))


@pytest.mark.parametrize("may", [NOBODY, ADMIN, COUNCIL, AUDITOR, secretary_of(TM1), representing(STP)])
def test_only_who_represents_the_member_votes_for_it(may: Authority) -> None:
    given(*OPEN).when(cast(), may).then_rejected(NotEmpowered)


def test_year_that_was_never_opened_has_no_votes() -> None:
    given(ROLL_CALL).when(cast(), FOR_SNV).then_rejected(NoSuchYear)


def test_closed_year_takes_no_vote() -> None:
    given(*OPEN, year_closed).when(cast(), FOR_SNV).then_rejected(YearOver)


def test_unknown_ballot_takes_no_vote() -> None:
    given(*BEFORE).when(cast(), FOR_SNV).then_rejected(NoSuchBallot)


def test_ballot_of_another_bloc_is_unknown_here() -> None:
    elsewhere = msgspec.structs.replace(ROLL_CALL, bloc=BlocId("khoi-2"))
    given(*BEFORE, elsewhere).when(cast(), FOR_SNV).then_rejected(NoSuchBallot)


def test_ballot_of_another_year_is_unknown_here() -> None:
    earlier = msgspec.structs.replace(ROLL_CALL, year=YEAR - 1)
    given(*BEFORE, earlier).when(cast(), FOR_SNV).then_rejected(NoSuchBallot)


def test_ballot_held_on_paper_takes_no_vote_here() -> None:
    given(*BEFORE, ON_PAPER).when(cast(), FOR_SNV).then_rejected(WrongBallotMode)


def test_deadline_itself_is_too_late() -> None:
    last_moment = CLOSES_AT - timedelta(microseconds=1)
    given(*OPEN).when(cast(), FOR_SNV, now=CLOSES_AT).then_rejected(VotingOver)
    given(*OPEN).when(cast(), FOR_SNV, now=last_moment).then(vote(SNV, "thanh-tra"))


def test_paper_never_satisfies_the_deadline() -> None:
    given(*OPEN).when(cast(time=MINUTES_OF), FOR_SNV, now=CLOSES_AT).then_rejected(VotingOver)
    given(*OPEN).when(cast(time=MINUTES_OF), FOR_SNV).then(vote(SNV, "thanh-tra"))


def test_ballot_closed_early_takes_no_vote() -> None:
    everybody = (vote(SNV), vote(STP), vote(TTR))
    given(*OPEN, *everybody, closed).when(cast(), FOR_SNV).then_rejected(VotingOver)


def test_who_is_not_on_the_roll_has_no_vote() -> None:
    given(*OPEN).when(cast(STRANGER), representing(STRANGER)).then_rejected(NotOnRoll)


def test_agency_that_was_not_on_the_roll_learns_nothing_of_the_ballot() -> None:
    for history, now in ((OPEN, CLOSES_AT), ((*BEFORE, ON_PAPER), NOW)):
        given(*history).when(cast(STRANGER), representing(STRANGER), now=now).then_rejected(NotOnRoll)


@pytest.mark.parametrize(
    ("choices", "why"),
    [
        ([choice("deputy", "so-noi-vu")], NotOnBallot),
        ([choice("deputy")], NotOnBallot),
        ([choice("flag", "so-y-te")], NotOnBallot),
        ([choice("head", "so-tu-phap")], NotOnBallot),
        ([choice("flag", "so-noi-vu"), choice("flag", "so-noi-vu")], ListedTwice),
        ([choice("flag", "so-noi-vu", "so-noi-vu")], ListedTwice),
        ([choice("flag", "so-noi-vu", "thanh-tra")], TooManyMarks),
    ],
)
def test_marks_that_the_ballot_does_not_offer_are_refused(choices: list[Choice], why: type[Rejection]) -> None:
    given(*OPEN).when(cast(choices=choices), FOR_SNV).then_rejected(why)


@pytest.mark.parametrize("choices", [marks("so-noi-vu"), marks("thanh-tra", "so-noi-vu")])
def test_member_does_not_mark_itself_where_the_rules_forbid_it(choices: list[Choice]) -> None:
    given(*NO_SELF_VOTE).when(cast(choices=choices), FOR_SNV).then_rejected(SelfVote)


@pytest.mark.parametrize(("year", "marked"), [(year_opened(), "so-noi-vu"), (NO_SELF_VOTE[0], "so-tu-phap")])
def test_member_marks_whom_the_rules_let_it(year: YearOpened, marked: str) -> None:
    given(year, ROLL_CALL).when(cast(flag=marked), FOR_SNV).then(vote(SNV, marked))
