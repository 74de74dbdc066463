"""Opening a ballot."""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from emulation_saas.ballots.events import Mode, Question, Rule
from emulation_saas.ballots.papers import (
    OPTIONS_MAX,
    QUESTIONS_MAX,
    ROLL_MAX,
    BallotTooLarge,
    ClosingNeeded,
    ClosingNotTaken,
    ClosingPassed,
    EmptyRoll,
    ListedTwice,
    NothingToVoteOn,
    ShareAboveOne,
    VoterNotAMember,
)
from emulation_saas.ballots.use_cases import BallotHandleTaken, OpenBallot
from emulation_saas.blocs.events import MemberWithdrawn
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.kernel.numbers import Share
from emulation_saas.kernel.rejections import NotEmpowered, Rejection
from emulation_saas.years.events import NoSuchYear, YearOver
from tests.ballots.history import (
    BEFORE,
    CLOSES_AT,
    FLAG,
    HALF,
    ON_PAPER,
    QUESTIONS,
    ROLL,
    ROLL_CALL,
    RULE,
    SNV,
    STP,
    STRANGER,
    TM1,
    TTR,
    YEAR,
    admitted,
    ballot_opened,
    year_closed,
    year_opened,
)
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, NOW, SOMEBODY, given, representing, secretary_of

ONE_TWICE = Question(question="flag", title="Khối phó năm 2024", options=["so-noi-vu"])
PAST_ONE = Share(num=3, den=2)
WHOLE = Share(num=1, den=1)


def opening(
    mode: Mode = "open",
    *,
    questions: tuple[Question, ...] = QUESTIONS,
    roll: tuple[AgencyId, ...] = ROLL,
    rule: Rule = RULE,
    closes_at: datetime | UnsetType = CLOSES_AT,
) -> OpenBallot:
    return OpenBallot(
        bloc=TM1,
        year=YEAR,
        ballot=FLAG,
        title="Suy tôn năm 2023",
        mode=mode,
        questions=questions,
        roll=roll,
        rule=rule,
        closes_at=closes_at,
    )


def with_rule(**changes: Any) -> Rule:  # noqa: ANN401 - whatever the field takes
    return msgspec.structs.replace(RULE, **changes)


def many(questions: int, options: int) -> tuple[Question, ...]:
    return tuple(
        Question(question=f"q{number}", title="Cờ", options=[f"o{option}" for option in range(options)])
        for number in range(questions)
    )


LEADING = (
    Authority(person=SOMEBODY, known=True, offices=frozenset({(TM1, YEAR, "head")})),
    Authority(person=SOMEBODY, known=True, offices=frozenset({(TM1, YEAR, "deputy")})),
)


@pytest.mark.parametrize("may", [ADMIN, secretary_of(TM1), *LEADING])
def test_who_runs_the_year_opens_a_ballot(may: Authority) -> None:
    given(*BEFORE).when(opening(), may).then(ROLL_CALL)


NEXT_HEAD = Authority(person=SOMEBODY, known=True, offices=frozenset({(TM1, YEAR + 1, "head")}))


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, representing(SNV), secretary_of("khoi-2"), NEXT_HEAD])
def test_nobody_else_opens_a_ballot(may: Authority) -> None:
    given(*BEFORE).when(opening(), may).then_rejected(NotEmpowered)


def test_year_that_was_never_opened_has_no_ballots() -> None:
    given(*BEFORE[:-1]).when(opening(), ADMIN).then_rejected(NoSuchYear)


def test_closed_year_opens_no_ballot() -> None:
    given(*BEFORE, year_closed).when(opening(), ADMIN).then_rejected(YearOver)


def test_roll_has_no_order() -> None:
    given(*BEFORE, ROLL_CALL).when(opening(roll=(TTR, SNV, STP)), ADMIN).then_recorded_nothing()


def test_same_opening_after_its_closing_time_records_nothing() -> None:
    given(*BEFORE, ROLL_CALL).when(opening(), ADMIN, now=CLOSES_AT).then_recorded_nothing()


def test_handle_is_never_reused() -> None:
    given(*BEFORE, ROLL_CALL).when(opening(roll=(SNV, STP)), ADMIN).then_rejected(BallotHandleTaken)


def test_handle_of_another_bloc_is_taken_too() -> None:
    elsewhere = msgspec.structs.replace(ROLL_CALL, bloc=BlocId("khoi-2"))
    given(*BEFORE, elsewhere).when(opening(), ADMIN).then_rejected(BallotHandleTaken)


@pytest.mark.parametrize("mode", ["paper_secret", "show_of_hands", "consensus", "written_circulation"])
def test_ballot_held_on_paper_has_no_closing_time(mode: Mode) -> None:
    given(*BEFORE).when(opening(mode, closes_at=UNSET), ADMIN).then(ballot_opened(mode))
    given(*BEFORE).when(opening(mode), ADMIN).then_rejected(ClosingNotTaken)


def test_roll_call_needs_a_closing_time() -> None:
    given(*BEFORE).when(opening(closes_at=UNSET), ADMIN).then_rejected(ClosingNeeded)


def test_closing_time_lies_in_the_future() -> None:
    given(*BEFORE).when(opening(closes_at=NOW), ADMIN).then_rejected(ClosingPassed)
    soon = NOW + timedelta(seconds=1)
    given(*BEFORE).when(opening(closes_at=soon), ADMIN).then(msgspec.structs.replace(ROLL_CALL, closes_at=soon))


def test_stranger_is_on_no_roll() -> None:
    given(*BEFORE).when(opening(roll=(SNV, STRANGER)), ADMIN).then_rejected(VoterNotAMember)


def test_member_who_left_during_the_year_may_be_on_its_roll() -> None:
    left = MemberWithdrawn(bloc=TM1, agency=TTR, effective_on=date(YEAR, 6, 1), legal_basis="QĐ 9", because="Giải thể")
    given(*BEFORE, left).when(opening("consensus", closes_at=UNSET), ADMIN).then(ballot_opened("consensus"))


def test_member_of_today_may_be_on_the_roll_of_last_year() -> None:
    history = (admitted(SNV), admitted(STP), year_opened())
    today, tomorrow = admitted(TTR, date(2024, 1, 30)), admitted(TTR, date(2024, 1, 31))
    given(*history, today).when(opening(), ADMIN).then(ROLL_CALL)
    given(*history, tomorrow).when(opening(), ADMIN).then_rejected(VoterNotAMember)


def test_today_is_the_day_in_vietnam() -> None:
    history = (admitted(SNV), admitted(STP), year_opened(), admitted(TTR, date(2024, 1, 31)))
    midnight = datetime.fromisoformat("2024-01-31T00:00:00+07:00")
    later = opening(closes_at=midnight + timedelta(hours=1))
    opened = msgspec.structs.replace(ROLL_CALL, closes_at=later.closes_at)
    given(*history).when(later, ADMIN, now=midnight).then(opened)
    given(*history).when(later, ADMIN, now=midnight - timedelta(seconds=1)).then_rejected(VoterNotAMember)


@pytest.mark.parametrize(
    ("attempt", "why"),
    [
        (opening(roll=()), EmptyRoll),
        (opening(roll=(SNV, STP, SNV)), ListedTwice),
        (opening(questions=()), NothingToVoteOn),
        (opening(questions=(Question(question="flag", title="Cờ", options=[]),)), NothingToVoteOn),
        (opening(questions=(*QUESTIONS, ONE_TWICE)), ListedTwice),
        (opening(questions=(Question(question="flag", title="Cờ", options=["a", "b", "a"]),)), ListedTwice),
        (opening(rule=with_rule(threshold=PAST_ONE)), ShareAboveOne),
        (opening(rule=with_rule(quorum=PAST_ONE)), ShareAboveOne),
        (opening(questions=many(QUESTIONS_MAX + 1, 1)), BallotTooLarge),
        (opening(questions=(*many(3, 100), Question(question="last", title="Cờ", options=["o"]))), BallotTooLarge),
    ],
)
def test_ballot_that_could_never_be_held_is_refused(attempt: OpenBallot, why: type[Rejection]) -> None:
    given(*BEFORE).when(attempt, ADMIN).then_rejected(why)


def test_ballots_at_the_limits_are_opened() -> None:
    for questions in (many(QUESTIONS_MAX, 1), many(3, OPTIONS_MAX // 3)):
        attempt = opening(questions=questions, rule=with_rule(threshold=WHOLE, quorum=HALF))
        opened = ballot_opened(questions=questions, rule=with_rule(threshold=WHOLE, quorum=HALF))
        given(*BEFORE).when(attempt, ADMIN).then(opened)


def test_roll_has_a_limit() -> None:
    agencies = sorted(AgencyId(f"unit-{number:03}") for number in range(ROLL_MAX + 1))
    history = (year_opened(), *(admitted(agency) for agency in agencies))
    largest = msgspec.structs.replace(ROLL_CALL, roll=agencies[:-1])
    given(*history).when(opening(roll=tuple(agencies[:-1])), ADMIN).then(largest)
    given(*history).when(opening(roll=tuple(agencies)), ADMIN).then_rejected(BallotTooLarge)


def test_ballot_on_paper_is_another_than_the_roll_call_of_its_handle() -> None:
    given(*BEFORE, ON_PAPER).when(opening(), ADMIN).then_rejected(BallotHandleTaken)
