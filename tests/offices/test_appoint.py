"""Appointing a bloc's officers."""

from dataclasses import replace
from datetime import date

import pytest

from emulation_saas.blocs.events import BlocEstablished, MemberAdmitted, NoSuchBloc, NotAMember
from emulation_saas.kernel.authority import Authority, Office
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.offices.events import OfficeAppointed, OfficeElected
from emulation_saas.offices.use_cases import AppointOfficer, HoldsOtherOffice
from emulation_saas.years.events import YearClosed, YearOver
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, SOMEBODY, given, representing, secretary_of

TM1 = BlocId("tham-muu-1")
SNV, STP = AgencyId("so-noi-vu"), AgencyId("so-tu-phap")

established = BlocEstablished(
    bloc=TM1, name="Khối Tham mưu I", aliases=[], kind="khoi", effective_on=date(2022, 12, 1), legal_basis="QĐ 12"
)
HEAD = Authority(person=SOMEBODY, known=True, offices=frozenset({(TM1, 2024, "head")}))


def member(agency: AgencyId) -> MemberAdmitted:
    return MemberAdmitted(bloc=TM1, agency=agency, effective_on=date(2023, 1, 1), legal_basis="QĐ 12")


def appointed(agency: AgencyId = STP, office: Office = "head", document_no: str = "124/TB-UBND") -> OfficeAppointed:
    return OfficeAppointed(
        bloc=TM1,
        for_year=2024,
        office=office,
        agency=agency,
        authority="Chủ tịch UBND tỉnh",
        document_no=document_no,
    )


def appoint(agency: AgencyId = STP, office: Office = "head", document_no: str = "124/TB-UBND") -> AppointOfficer:
    return AppointOfficer(
        bloc=TM1,
        office=office,
        for_year=2024,
        agency=agency,
        authority="Chủ tịch UBND tỉnh",
        document_no=document_no,
    )


BEGUN = (established, member(SNV), member(STP))


def test_administrator_appoints_an_officer() -> None:
    given(*BEGUN).when(appoint(), ADMIN).then(appointed())


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, HEAD, secretary_of(TM1), representing(STP, blocs=[TM1])])
def test_nobody_else_appoints_an_officer(may: Authority) -> None:
    given(*BEGUN).when(appoint(), may).then_rejected(NotEmpowered)


def test_unknown_bloc_has_no_offices() -> None:
    given().when(appoint(), ADMIN).then_rejected(NoSuchBloc)


def test_agency_outside_the_bloc_is_not_appointed() -> None:
    given(established, member(SNV)).when(appoint(), ADMIN).then_rejected(NotAMember)


def test_appointment_replaces_an_elected_holder() -> None:
    elected = OfficeElected(bloc=TM1, for_year=2024, office="head", agency=SNV, ballot=BallotId("bau-cu"))
    given(*BEGUN, elected).when(appoint(), ADMIN).then(appointed())


def test_holder_is_not_appointed_again() -> None:
    given(*BEGUN, appointed()).when(appoint(document_no="125/TB-UBND"), ADMIN).then_recorded_nothing()


def test_appointment_entered_again_does_not_put_out_a_later_holder() -> None:
    history = (*BEGUN, appointed(), appointed(SNV, document_no="125/TB-UBND"))
    given(*history).when(appoint(), ADMIN).then_recorded_nothing()


def test_former_holder_is_appointed_again_by_another_document() -> None:
    history = (*BEGUN, appointed(), appointed(SNV, document_no="125/TB-UBND"))
    given(*history).when(appoint(document_no="126/TB-UBND"), ADMIN).then(appointed(document_no="126/TB-UBND"))


def test_head_is_not_appointed_deputy_as_well() -> None:
    given(*BEGUN, appointed()).when(appoint(office="deputy"), ADMIN).then_rejected(HoldsOtherOffice)


def test_head_of_one_year_may_be_deputy_in_another() -> None:
    deputy_of_2025 = OfficeAppointed(
        bloc=TM1,
        for_year=2025,
        office="deputy",
        agency=STP,
        authority="Chủ tịch UBND tỉnh",
        document_no="124/TB-UBND",
    )
    given(*BEGUN, appointed()).when(replace(appoint(office="deputy"), for_year=2025), ADMIN).then(deputy_of_2025)


def test_closed_year_gets_no_other_officer() -> None:
    given(*BEGUN, YearClosed(bloc=TM1, year=2024)).when(appoint(), ADMIN).then_rejected(YearOver)
