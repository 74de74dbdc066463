"""Entering the count of a ballot held on paper."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from emulation_saas.ballots.counting import AlreadyCounted, CountDoesNotAddUp, PresentNeeded
from emulation_saas.ballots.events import Mode, OptionVotes
from emulation_saas.ballots.use_cases import NoSuchBallot, RecordPaperCount, WrongBallotMode
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import BlocId
from emulation_saas.kernel.rejections import NotEmpowered, PaperNeedsTime
from emulation_saas.years.events import NoSuchYear, YearOver
from tests.ballots.history import (
    BEFORE,
    FLAG,
    MINUTES_OF,
    ON_PAPER,
    ROLL_CALL,
    RULE,
    SNV,
    TM1,
    YEAR,
    ballot_opened,
    closed,
    counted,
    outcome,
    votes,
    year_closed,
)
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, representing, secretary_of

HELD = (*BEFORE, ON_PAPER)
VOTES = votes(flag=(0, 0, 2), head=(1, 1))
RESULT = counted(3, VOTES, outcome("flag", ["thanh-tra"]), outcome("head"), invalid=1)

count = RecordPaperCount(
    bloc=TM1,
    year=YEAR,
    ballot=FLAG,
    present=3,
    issued=3,
    collected=3,
    valid=2,
    invalid=1,
    votes=tuple(VOTES),
    time=MINUTES_OF,
)


@pytest.mark.parametrize("may", [ADMIN, secretary_of(TM1)])
def test_count_from_paper_closes_the_ballot(may: Authority) -> None:
    given(*HELD).when(count, may).then(closed, RESULT)


@pytest.mark.parametrize("mode", ["show_of_hands", "consensus", "written_circulation"])
def test_every_way_of_voting_in_a_room_is_entered_as_a_count(mode: Mode) -> None:
    given(*BEFORE, ballot_opened(mode)).when(count, ADMIN).then(closed, RESULT)


def test_votes_are_recorded_in_the_order_of_the_ballot() -> None:
    given(*HELD).when(replace(count, votes=tuple(reversed(VOTES))), ADMIN).then(closed, RESULT)


def test_who_handed_in_a_paper_took_part() -> None:
    silent = replace(count, present=UNSET, collected=2, invalid=0)
    result = msgspec.structs.replace(RESULT, present=2, collected=2, invalid=0)
    given(*HELD).when(silent, ADMIN).then(closed, result)


def test_rule_that_counts_of_those_present_must_be_told_how_many() -> None:
    of_present = ballot_opened("consensus", rule=msgspec.structs.replace(RULE, base="present"))
    given(*BEFORE, of_present).when(replace(count, present=UNSET), ADMIN).then_rejected(PresentNeeded)
    given(*BEFORE, of_present).when(count, ADMIN).then(closed, RESULT)


def test_paper_says_when_it_was_counted() -> None:
    given(*HELD).when(replace(count, time=None), ADMIN).then_rejected(PaperNeedsTime)


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, representing(SNV), secretary_of("khoi-2")])
def test_nobody_else_enters_a_count(may: Authority) -> None:
    given(*HELD).when(count, may).then_rejected(NotEmpowered)


def test_year_that_was_never_opened_has_no_count() -> None:
    given(ON_PAPER).when(count, ADMIN).then_rejected(NoSuchYear)


def test_closed_year_takes_no_count() -> None:
    given(*HELD, year_closed).when(count, ADMIN).then_rejected(YearOver)


def test_unknown_ballot_has_no_count() -> None:
    given(*BEFORE).when(count, ADMIN).then_rejected(NoSuchBallot)


def test_ballot_of_another_bloc_is_unknown_here() -> None:
    elsewhere = msgspec.structs.replace(ON_PAPER, bloc=BlocId("khoi-2"))
    given(*BEFORE, elsewhere).when(count, ADMIN).then_rejected(NoSuchBallot)


def test_roll_call_is_not_counted_by_hand() -> None:
    given(*BEFORE, ROLL_CALL).when(count, ADMIN).then_rejected(WrongBallotMode)


def test_same_count_again_in_another_order_records_nothing() -> None:
    again = replace(count, votes=tuple(reversed(VOTES)))
    given(*HELD, closed, RESULT).when(again, ADMIN).then_recorded_nothing()


@pytest.mark.parametrize(
    "other",
    [
        replace(count, votes=tuple(votes(flag=(1, 0, 1), head=(1, 1)))),
        replace(count, present=2),
        replace(count, collected=2, invalid=0),
        replace(count, valid=3, invalid=0),
        replace(count, collected=4),
    ],
)
def test_different_count_later_is_refused(other: RecordPaperCount) -> None:
    given(*HELD, closed, RESULT).when(other, ADMIN).then_rejected(AlreadyCounted)


def entered(**changes: Any) -> RecordPaperCount:  # noqa: ANN401 - whatever the field takes
    return replace(count, **changes)


def named(*changes: OptionVotes, without: int = 0) -> RecordPaperCount:
    return replace(count, votes=(*VOTES[without:], *changes))


FIRST = VOTES[0]
STRANGE = OptionVotes(question="flag", option="so-y-te", votes=0)
ASKED_NOWHERE = OptionVotes(question="deputy", option="so-noi-vu", votes=0)


@pytest.mark.parametrize(
    ("attempt", "because"),
    [
        (entered(present=4), "4 present, and only 3 on the roll"),
        (entered(issued=4), "4 issued, and only 3 on the roll"),
        (entered(issued=2), "3 collected, and only 2 issued"),
        (entered(valid=1), "1 valid and 1 invalid, but 3 collected"),
        (entered(valid=3), "3 valid and 1 invalid, but 3 collected"),
        (entered(valid=4, invalid=-1), "a number is below 0"),
        (entered(present=-1), "a number is below 0"),
        (entered(votes=tuple(votes(flag=(0, 0, 3), head=(1, 1)))), "3 votes for thanh-tra of flag, but 2 valid"),
        (entered(votes=tuple(votes(flag=(0, -1, 2), head=(1, 1)))), "-1 votes for so-tu-phap of flag, but 2 valid"),
        (
            entered(votes=tuple(votes(flag=(1, 0, 2), head=(1, 1)))),
            "3 votes in question flag: 2 valid with at most 1 marks each",
        ),
        (named(without=1), "option so-noi-vu of question flag is not named"),
        (named(FIRST), "option so-noi-vu of question flag is named twice"),
        (named(STRANGE), "option so-y-te of question flag is not on the ballot"),
        (named(ASKED_NOWHERE, without=1), "option so-noi-vu of question deputy is not on the ballot"),
    ],
)
def test_count_that_does_not_add_up_is_refused_and_told_why(attempt: RecordPaperCount, because: str) -> None:
    given(*HELD).when(attempt, ADMIN).then_rejected(CountDoesNotAddUp)
    view = attempt.initial()
    for event in HELD:
        view = attempt.evolve(view, event)
    with pytest.raises(CountDoesNotAddUp) as raised:
        attempt.decide(view, ADMIN, MINUTES_OF)
    assert raised.value.detail == because


def test_count_at_the_limits_of_its_identities_is_taken() -> None:
    all_voted = entered(valid=3, invalid=0, votes=tuple(votes(flag=(0, 0, 3), head=(2, 1))))
    result = counted(
        3, votes(flag=(0, 0, 3), head=(2, 1)), outcome("flag", ["thanh-tra"]), outcome("head", ["so-noi-vu"])
    )
    given(*HELD).when(all_voted, ADMIN).then(closed, result)


def test_members_away_from_the_meeting_may_send_in_papers() -> None:
    sent_in = replace(count, present=2)
    given(*HELD).when(sent_in, ADMIN).then(closed, msgspec.structs.replace(RESULT, present=2))
