"""Closing a roll call, which counts it."""

import msgspec
import pytest

from emulation_saas.ballots.use_cases import CloseBallot, NoSuchBallot, VotingStillOpen, WrongBallotMode
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import BlocId
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.years.events import NoSuchYear, YearOver
from tests.ballots.history import (
    BEFORE,
    CLOSES_AT,
    FLAG,
    ON_PAPER,
    ROLL_CALL,
    SNV,
    STP,
    TM1,
    TTR,
    YEAR,
    closed,
    counted,
    outcome,
    vote,
    votes,
    year_closed,
)
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, representing, secretary_of

OPEN = (*BEFORE, ROLL_CALL)
EVERYBODY = (vote(SNV, "thanh-tra", "so-noi-vu"), vote(STP, "thanh-tra"), vote(TTR, "so-noi-vu", "thanh-tra"))
RESULT = counted(3, votes(flag=(1, 0, 2), head=(1, 1)), outcome("flag", ["thanh-tra"]), outcome("head"))

close = CloseBallot(bloc=TM1, year=YEAR, ballot=FLAG)


@pytest.mark.parametrize("may", [ADMIN, secretary_of(TM1)])
def test_roll_call_is_closed_early_once_everybody_voted(may: Authority) -> None:
    given(*OPEN, *EVERYBODY).when(close, may).then(closed, RESULT)


def test_roll_call_stays_open_while_somebody_may_still_vote() -> None:
    given(*OPEN, *EVERYBODY[:2]).when(close, ADMIN).then_rejected(VotingStillOpen)


def test_voting_twice_is_not_voting_for_two() -> None:
    given(*OPEN, *EVERYBODY[:2], vote(STP, "so-noi-vu")).when(close, ADMIN).then_rejected(VotingStillOpen)


def test_closing_time_itself_closes() -> None:
    result = counted(2, votes(flag=(0, 0, 2), head=(1, 0)), outcome("flag", ["thanh-tra"]), outcome("head"))
    given(*OPEN, *EVERYBODY[:2]).when(close, ADMIN, now=CLOSES_AT).then(closed, result)


def test_last_vote_of_each_member_counts() -> None:
    changed = (vote(SNV, "so-tu-phap"), *EVERYBODY[1:], vote(SNV, "thanh-tra", "so-noi-vu"))
    given(*OPEN, *changed).when(close, ADMIN).then(closed, RESULT)


def test_below_the_quorum_nobody_is_chosen() -> None:
    result = counted(1, votes(flag=(0, 0, 1), head=(1, 0)), outcome("flag"), outcome("head"))
    given(*OPEN, *EVERYBODY[:1]).when(close, ADMIN, now=CLOSES_AT).then(closed, result)


def test_ballot_without_any_vote_is_closed_and_chooses_nobody() -> None:
    result = counted(0, votes(flag=(0, 0, 0), head=(0, 0)), outcome("flag"), outcome("head"))
    given(*OPEN).when(close, ADMIN, now=CLOSES_AT).then(closed, result)


def test_blank_votes_are_valid_and_choose_nobody() -> None:
    result = counted(3, votes(flag=(0, 0, 0), head=(0, 0)), outcome("flag"), outcome("head"))
    given(*OPEN, vote(SNV), vote(STP), vote(TTR)).when(close, ADMIN).then(closed, result)


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, representing(SNV, STP, TTR), secretary_of("khoi-2")])
def test_nobody_else_closes_a_ballot(may: Authority) -> None:
    given(*OPEN, *EVERYBODY).when(close, may).then_rejected(NotEmpowered)


def test_closed_ballot_is_closed_once() -> None:
    given(*OPEN, *EVERYBODY, closed, RESULT).when(close, ADMIN).then_recorded_nothing()


def test_year_that_was_never_opened_has_no_ballot_to_close() -> None:
    given(ROLL_CALL, *EVERYBODY).when(close, ADMIN).then_rejected(NoSuchYear)


def test_closed_year_closes_no_ballot() -> None:
    given(*OPEN, *EVERYBODY, year_closed).when(close, ADMIN).then_rejected(YearOver)


def test_unknown_ballot_is_not_closed() -> None:
    given(*BEFORE).when(close, ADMIN).then_rejected(NoSuchBallot)


def test_ballot_of_another_bloc_is_unknown_here() -> None:
    elsewhere = msgspec.structs.replace(ROLL_CALL, bloc=BlocId("khoi-2"))
    given(*BEFORE, elsewhere).when(close, ADMIN, now=CLOSES_AT).then_rejected(NoSuchBallot)


def test_ballot_of_another_year_is_unknown_here() -> None:
    earlier = msgspec.structs.replace(ROLL_CALL, year=YEAR - 1)
    given(*BEFORE, earlier).when(close, ADMIN, now=CLOSES_AT).then_rejected(NoSuchBallot)


def test_ballot_held_on_paper_is_closed_by_its_count_only() -> None:
    given(*BEFORE, ON_PAPER).when(close, ADMIN, now=CLOSES_AT).then_rejected(WrongBallotMode)
