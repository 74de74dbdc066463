"""Closing a year."""

from decimal import Decimal
from typing import Any, Final

import pytest
from msgspec import UNSET, UnsetType

from emulation_saas.ballots.events import BallotClosed, BallotCounted, BallotOpened, Question, Rule
from emulation_saas.disputes.events import (
    DisputeAnswered,
    DisputeFiled,
    DisputeRefused,
    DisputeUpheld,
    DisputeWithdrawn,
)
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId, DisputeId, NominationId
from emulation_saas.kernel.numbers import Share
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.nominations.events import NominationResumed
from emulation_saas.years.events import Criterion, NoSuchYear, Rules, Scheme, YearClosed, YearLaunched, YearOpened
from emulation_saas.years.use_cases import BallotStillOpen, CloseYear, DisputePending, NominationStillRests
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, SOMEBODY, given, representing, secretary_of

TM1 = BlocId("tham-muu-1")

opened = YearOpened(
    bloc=TM1,
    year=2023,
    scheme=Scheme(title="Bảng điểm", criteria=[Criterion(criterion="i", title="I", points_max=Decimal(100))]),
    rules=Rules(legal_basis="Luật 06/2022/QH15", leaders_max=1, self_vote=True, disputes_suspend_nominations=False),
)
launched = YearLaunched(bloc=TM1, year=2023, text="Thi đua")
closed = YearClosed(bloc=TM1, year=2023)
closing = CloseYear(bloc=TM1, year=2023)
HEAD = Authority(person=SOMEBODY, known=True, offices=frozenset({(TM1, 2023, "head")}))
NEXT_HEAD = Authority(person=SOMEBODY, known=True, offices=frozenset({(TM1, 2024, "head")}))


def ballot_opened(ballot: str = "suy-ton", year: int = 2023) -> BallotOpened:
    return BallotOpened(
        bloc=TM1,
        year=year,
        ballot=BallotId(ballot),
        title="Suy tôn",
        mode="show_of_hands",
        questions=[Question(question="leader", title="Đơn vị dẫn đầu", options=["thanh-tra"])],
        roll=[AgencyId("thanh-tra")],
        rule=Rule(
            base="electorate",
            threshold=Share(num=1, den=2),
            quorum=Share(num=2, den=3),
            comparison=">",
            seats=1,
            tie="revote",
        ),
    )


def ballot_closed(ballot: str = "suy-ton") -> BallotClosed:
    return BallotClosed(bloc=TM1, year=2023, ballot=BallotId(ballot))


def ballot_counted(ballot: str = "suy-ton") -> BallotCounted:
    return BallotCounted(
        bloc=TM1,
        year=2023,
        ballot=BallotId(ballot),
        present=1,
        issued=1,
        collected=1,
        valid=1,
        invalid=0,
        votes=[],
        outcomes=[],
    )


@pytest.mark.parametrize("may", [ADMIN, secretary_of(TM1), HEAD])
def test_whoever_runs_the_year_closes_it(may: Authority) -> None:
    given(opened, launched).when(closing, may).then(closed)


def test_year_that_was_never_launched_can_be_closed() -> None:
    given(opened).when(closing, ADMIN).then(closed)


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, NEXT_HEAD, representing("so-noi-vu", blocs=[TM1])])
def test_nobody_else_closes_a_year(may: Authority) -> None:
    given(opened).when(closing, may).then_rejected(NotEmpowered)


def test_year_never_opened_is_not_closed() -> None:
    given().when(closing, ADMIN).then_rejected(NoSuchYear)


def test_open_ballot_holds_the_year_open() -> None:
    given(opened, ballot_opened()).when(closing, ADMIN).then_rejected(BallotStillOpen)


def test_one_open_ballot_among_ended_ones_holds_the_year_open() -> None:
    history = (opened, ballot_opened(), ballot_opened("bau-truong-khoi"), ballot_closed(), ballot_counted())
    given(*history).when(closing, ADMIN).then_rejected(BallotStillOpen)


@pytest.mark.parametrize("ended", [(ballot_closed(),), (ballot_counted(),), (ballot_closed(), ballot_counted())])
def test_ended_ballot_lets_the_year_close(ended: tuple[BallotClosed | BallotCounted, ...]) -> None:
    given(opened, ballot_opened(), *ended).when(closing, ADMIN).then(closed)


def test_open_ballot_of_another_year_does_not_matter() -> None:
    given(opened, ballot_opened(year=2024)).when(closing, ADMIN).then(closed)


def disputed(
    dispute: str = "kien-nghi-1", year: int = 2023, nomination: NominationId | UnsetType = UNSET
) -> DisputeFiled:
    return DisputeFiled(
        bloc=TM1,
        year=year,
        dispute=DisputeId(dispute),
        agency=AgencyId("thanh-tra"),
        filed_by=SOMEBODY,
        about="score",
        events=[],
        text="Điểm chấm sai",
        evidence=[],
        nomination=nomination,
    )


DISPUTE: Final[dict[str, Any]] = {
    "bloc": TM1,
    "year": 2023,
    "dispute": DisputeId("kien-nghi-1"),
    "agency": AgencyId("thanh-tra"),
}


@pytest.mark.parametrize("answers", [(), (DisputeAnswered(**DISPUTE, text="Giải trình"),)])
def test_pending_dispute_holds_the_year_open(answers: tuple[Event, ...]) -> None:
    given(opened, disputed(), *answers).when(closing, ADMIN).then_rejected(DisputePending)


@pytest.mark.parametrize(
    "end",
    [DisputeUpheld(**DISPUTE, reasons="có"), DisputeRefused(**DISPUTE, reasons="không"), DisputeWithdrawn(**DISPUTE)],
)
def test_ended_dispute_lets_the_year_close(end: Event) -> None:
    given(opened, disputed(), end).when(closing, ADMIN).then(closed)
    given(opened, disputed(), disputed("kien-nghi-2"), end).when(closing, ADMIN).then_rejected(DisputePending)


def test_pending_dispute_of_another_year_does_not_matter() -> None:
    given(opened, disputed(year=2024)).when(closing, ADMIN).then(closed)


def test_nomination_that_rests_for_an_upheld_dispute_holds_the_year_open() -> None:
    nomination = NominationId("co-tinh")
    upheld = DisputeUpheld(**DISPUTE, reasons="có")
    history = (opened, disputed(nomination=nomination), upheld)
    given(*history).when(closing, ADMIN).then_rejected(NominationStillRests)
    resumed = NominationResumed(
        bloc=TM1, year=2023, nomination=nomination, agency=AgencyId("thanh-tra"), because="đã sửa"
    )
    given(*history, resumed).when(closing, ADMIN).then(closed)


def test_nomination_whose_dispute_was_refused_rests_no_more() -> None:
    refused = DisputeRefused(**DISPUTE, reasons="không")
    given(opened, disputed(nomination=NominationId("co-tinh")), refused).when(closing, ADMIN).then(closed)
