"""Electing a bloc's officers by a ballot."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from msgspec import structs

from emulation_saas.ballots.events import BallotCounted, BallotNotCounted, NotChosen, Outcome
from emulation_saas.blocs.events import BlocEstablished, MemberAdmitted, MemberWithdrawn, NotAMember
from emulation_saas.kernel.authority import Authority, Office
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.offices.events import OfficeAppointed, OfficeElected
from emulation_saas.offices.use_cases import (
    BallotOfAnotherYear,
    ElectOfficer,
    HoldsOtherOffice,
    OfficeFilledByBallot,
    Offices,
)
from emulation_saas.years.events import Criterion, Rules, Scheme, YearClosed, YearOpened, YearOver
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, NOW, SOMEBODY, given, representing, secretary_of

TM1 = BlocId("tham-muu-1")
SNV, STP, TTT = AgencyId("so-noi-vu"), AgencyId("so-tu-phap"), AgencyId("thanh-tra-tinh")

established = BlocEstablished(
    bloc=TM1, name="Khối Tham mưu I", aliases=[], kind="khoi", effective_on=date(2022, 12, 1), legal_basis="QĐ 12"
)


def member(agency: AgencyId, since: date = date(2023, 1, 1)) -> MemberAdmitted:
    return MemberAdmitted(bloc=TM1, agency=agency, effective_on=since, legal_basis="QĐ 12")


def left(agency: AgencyId, on: date) -> MemberWithdrawn:
    return MemberWithdrawn(bloc=TM1, agency=agency, effective_on=on, legal_basis="QĐ 30", because="sáp nhập")


def counted(ballot: str = "bau-cu", *, year: int = 2023, bloc: BlocId = TM1, **chosen: list[str]) -> BallotCounted:
    return BallotCounted(
        bloc=bloc,
        year=year,
        ballot=BallotId(ballot),
        present=10,
        issued=10,
        collected=10,
        valid=10,
        invalid=0,
        votes=[],
        outcomes=[Outcome(question=question, chosen=options, tied=[]) for question, options in chosen.items()],
    )


def elected(agency: AgencyId = SNV, office: Office = "head", ballot: str = "bau-cu") -> OfficeElected:
    return OfficeElected(bloc=TM1, for_year=2024, office=office, agency=agency, ballot=BallotId(ballot))


def elect(agency: AgencyId = SNV, office: Office = "head", ballot: str = "bau-cu") -> ElectOfficer:
    return ElectOfficer(bloc=TM1, office=office, for_year=2024, agency=agency, ballot=BallotId(ballot))


def officer(year: int, office: Office = "head") -> Authority:
    return Authority(person=SOMEBODY, known=True, offices=frozenset({(TM1, year, office)}))


MEMBERS = (established, member(SNV), member(STP), member(TTT))
VOTED = (*MEMBERS, counted(head=["so-noi-vu"], deputy=["thanh-tra-tinh"]))


@pytest.mark.parametrize("may", [ADMIN, secretary_of(TM1), officer(2023), officer(2023, "deputy"), officer(2024)])
def test_those_who_run_the_year_or_the_one_before_enter_the_election(may: Authority) -> None:
    given(*VOTED).when(elect(), may).then(elected())


@pytest.mark.parametrize(
    "may", [NOBODY, COUNCIL, AUDITOR, officer(2022), officer(2025), representing(SNV, blocs=[TM1])]
)
def test_nobody_else_enters_an_election(may: Authority) -> None:
    given(*VOTED).when(elect(), may).then_rejected(NotEmpowered)


def test_one_ballot_elects_head_and_deputy() -> None:
    given(*VOTED, elected()).when(elect(TTT, "deputy"), officer(2023)).then(elected(TTT, "deputy"))


def test_ballot_that_was_not_counted_elects_nobody() -> None:
    given(*MEMBERS, counted("suy-ton", head=["so-noi-vu"])).when(elect(), ADMIN).then_rejected(BallotNotCounted)


def test_ballot_of_another_bloc_elects_nobody_here() -> None:
    elsewhere = counted(bloc=BlocId("tham-muu-2"), head=["so-noi-vu"])
    given(*MEMBERS, elsewhere).when(elect(), ADMIN).then_rejected(BallotNotCounted)


@pytest.mark.parametrize("year", [2023, 2024])
def test_ballot_of_the_year_served_or_of_the_one_before_elects(year: int) -> None:
    given(*MEMBERS, counted(year=year, head=["so-noi-vu"])).when(elect(), ADMIN).then(elected())


@pytest.mark.parametrize("year", [2022, 2025])
def test_ballot_of_another_year_elects_nobody(year: int) -> None:
    given(*MEMBERS, counted(year=year, head=["so-noi-vu"])).when(elect(), ADMIN).then_rejected(BallotOfAnotherYear)


@pytest.mark.parametrize(
    "count",
    [
        counted(head=["so-tu-phap"]),
        counted(deputy=["so-noi-vu"]),
        counted(leader=["so-noi-vu"]),
        counted(head=[]),
        counted(),
    ],
)
def test_agency_that_the_ballot_did_not_choose_for_the_office_is_not_elected(count: BallotCounted) -> None:
    given(*MEMBERS, count).when(elect(), ADMIN).then_rejected(NotChosen)


@pytest.mark.parametrize(
    ("count", "asked"),
    [(counted(truong=["so-noi-vu"], pho=["so-tu-phap"]), "truong, pho"), (counted(head=["so-tu-phap"]), "head")],
)
def test_refusal_names_the_question_looked_for_and_those_of_the_ballot(count: BallotCounted, asked: str) -> None:
    with pytest.raises(NotChosen, match=f"^the question head was to choose so-noi-vu; .* questions: {asked}$"):
        elect().decide(Offices(counted=count), ADMIN, NOW)


def test_ballot_elects_whoever_was_a_member_in_the_year_served() -> None:
    history = (established, member(SNV), left(SNV, date(2024, 1, 2)), counted(head=["so-noi-vu"]))
    given(*history).when(elect(), ADMIN).then(elected())


def test_ballot_elects_whoever_is_a_member_today() -> None:
    for_2025 = replace(elect(), for_year=2025)
    history = (established, member(SNV), left(SNV, date(2024, 6, 1)), counted(year=2024, head=["so-noi-vu"]))
    given(*history).when(for_2025, ADMIN).then(
        OfficeElected(bloc=TM1, for_year=2025, office="head", agency=SNV, ballot=BallotId("bau-cu"))
    )


@pytest.mark.parametrize("history", [(), (member(SNV), left(SNV, date(2024, 1, 1)))])
def test_agency_outside_the_bloc_holds_no_office(history: tuple[Event, ...]) -> None:
    given(established, *history, counted(head=["so-noi-vu"])).when(elect(), ADMIN).then_rejected(NotAMember)


def test_no_agency_holds_both_offices_of_a_year() -> None:
    both = counted(head=["so-noi-vu"], deputy=["so-noi-vu"])
    given(*MEMBERS, both, elected()).when(elect(SNV, "deputy"), ADMIN).then_rejected(HoldsOtherOffice)


def test_former_deputy_becomes_head_once_another_is_deputy() -> None:
    history = (
        *MEMBERS,
        counted("bau-cu-1", deputy=["so-noi-vu"]),
        elected(SNV, "deputy", "bau-cu-1"),
        elected(STP, "deputy", "bau-cu-2"),
        counted(head=["so-noi-vu"]),
    )
    given(*history).when(elect(), ADMIN).then(elected())


def test_by_election_replaces_the_holder() -> None:
    history = (*VOTED, elected(), counted("bau-lai", year=2024, head=["so-tu-phap"]))
    given(*history).when(elect(STP, ballot="bau-lai"), officer(2024)).then(elected(STP, ballot="bau-lai"))


def test_election_entered_again_does_not_put_out_a_later_holder() -> None:
    history = (*VOTED, elected(), elected(STP, ballot="bau-lai"))
    given(*history).when(elect(), ADMIN).then_recorded_nothing()


def test_holder_elected_again_stays_the_holder() -> None:
    history = (*VOTED, elected(), counted("bau-lai", year=2024, head=["so-noi-vu"]))
    given(*history).when(elect(ballot="bau-lai"), ADMIN).then_recorded_nothing()


def test_one_ballot_fills_an_office_once() -> None:
    two_seats = counted(head=["so-noi-vu", "so-tu-phap"])
    given(*MEMBERS, two_seats, elected()).when(elect(STP), ADMIN).then_rejected(OfficeFilledByBallot)


def test_one_ballot_fills_an_office_for_one_term() -> None:
    for_the_year_before = replace(elect(), for_year=2023)
    given(*VOTED, elected()).when(for_the_year_before, ADMIN).then_rejected(OfficeFilledByBallot)


def test_other_office_of_another_year_hinders_nobody() -> None:
    deputy_before = structs.replace(elected(office="deputy"), for_year=2023)
    given(*VOTED, deputy_before).when(elect(), ADMIN).then(elected())


def test_appointed_holder_is_replaced_by_an_elected_one() -> None:
    appointed = OfficeAppointed(
        bloc=TM1, for_year=2024, office="head", agency=STP, authority="Chủ tịch UBND tỉnh", document_no="124/TB-UBND"
    )
    given(*VOTED, appointed).when(elect(), ADMIN).then(elected())


def test_closed_year_gets_no_other_officer() -> None:
    given(*VOTED, YearClosed(bloc=TM1, year=2024)).when(elect(), ADMIN).then_rejected(YearOver)


def test_year_before_may_be_closed() -> None:
    given(*VOTED, YearClosed(bloc=TM1, year=2023)).when(elect(), ADMIN).then(elected())


def test_election_entered_again_after_the_year_changes_nothing() -> None:
    given(*VOTED, elected(), YearClosed(bloc=TM1, year=2024)).when(elect(), ADMIN).then_recorded_nothing()


def test_facts_of_other_kinds_change_nothing() -> None:
    opened = YearOpened(
        bloc=TM1,
        year=2024,
        scheme=Scheme(title="Bảng điểm", criteria=[Criterion(criterion="i", title="I", points_max=Decimal(100))]),
        rules=Rules(legal_basis="Luật 06/2022/QH15", leaders_max=1, self_vote=True, disputes_suspend_nominations=False),
    )
    assert ElectOfficer.evolve(Offices(), opened) == Offices()


def test_office_belongs_to_the_year_that_is_served() -> None:
    assert elected().subject() == "blocs/tham-muu-1/years/2024"
