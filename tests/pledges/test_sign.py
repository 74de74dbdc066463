"""Signing a year's pledge by each member's named officer."""

from datetime import date
from decimal import Decimal

import pytest

from emulation_saas.blocs.events import BlocEstablished, MemberAdmitted, MemberWithdrawn, NotAMember
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event, Official
from emulation_saas.kernel.ids import AgencyId, BlocId, PersonId
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.pledges.events import PledgeDrafted, PledgeSigned
from emulation_saas.pledges.use_cases import AlreadySigned, NoPledgeText, SignPledge
from emulation_saas.years.events import Criterion, NoSuchYear, Rules, Scheme, YearClosed, YearOpened, YearOver
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, SOMEBODY, given, representing, secretary_of

TM1 = BlocId("tham-muu-1")
STP = AgencyId("so-tu-phap")
SNV = AgencyId("so-noi-vu")

established = BlocEstablished(
    bloc=TM1, name="Khối Tham mưu I", aliases=[], kind="khoi", effective_on=date(2022, 12, 1), legal_basis="QĐ 12"
)
opened = YearOpened(
    bloc=TM1,
    year=2024,
    scheme=Scheme(title="Bảng điểm", criteria=[Criterion(criterion="i", title="I", points_max=Decimal(100))]),
    rules=Rules(legal_basis="Luật 06/2022/QH15", leaders_max=1, self_vote=True, disputes_suspend_nominations=False),
)
drafted = PledgeDrafted(bloc=TM1, year=2024, text="Đoàn kết, hoàn thành xuất sắc nhiệm vụ năm 2024")
closed = YearClosed(bloc=TM1, year=2024)
HEAD = Authority(person=SOMEBODY, known=True, offices=frozenset({(TM1, 2024, "head")}))


def member(agency: AgencyId = STP, since: date = date(2023, 1, 1)) -> MemberAdmitted:
    return MemberAdmitted(bloc=TM1, agency=agency, effective_on=since, legal_basis="QĐ 12")


def left(on: date, agency: AgencyId = STP) -> MemberWithdrawn:
    return MemberWithdrawn(bloc=TM1, agency=agency, effective_on=on, legal_basis="QĐ 30", because="sáp nhập")


def officer(name: str | None = "Đặng Văn Đào", office: str = "Giám đốc", person: str = "p-aaaaaaaaaa") -> Official:
    return Official(person=PersonId(person), name=name, office=office)


def signed(by: Official | None = None, agency: AgencyId = STP) -> PledgeSigned:
    return PledgeSigned(bloc=TM1, year=2024, agency=agency, signed_by=by or officer())


def sign(by: Official | None = None, agency: AgencyId = STP) -> SignPledge:
    return SignPledge(bloc=TM1, year=2024, agency=agency, signed_by=by or officer())


READY = (established, member(), opened, drafted)


@pytest.mark.parametrize("may", [representing(STP), ADMIN, secretary_of(TM1), HEAD])
def test_representative_signs_and_whoever_runs_the_year_enters_a_signature(may: Authority) -> None:
    given(*READY).when(sign(), may).then(signed())


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, representing(SNV, blocs=[TM1]), secretary_of("khoi-2")])
def test_nobody_else_signs_for_a_member(may: Authority) -> None:
    given(*READY).when(sign(), may).then_rejected(NotEmpowered)


def test_members_sign_one_by_one() -> None:
    given(*READY, member(SNV), signed()).when(sign(agency=SNV), representing(SNV)).then(signed(agency=SNV))


def test_signature_retried_under_another_minted_id_is_the_same() -> None:
    given(*READY, signed()).when(sign(officer(person="p-bbbbbbbbbb")), ADMIN).then_recorded_nothing()


@pytest.mark.parametrize("other", [officer(name="Trương Hồng Giang"), officer(office="Phó Giám đốc")])
def test_second_officer_does_not_sign_again(other: Official) -> None:
    given(*READY, signed()).when(sign(other), ADMIN).then_rejected(AlreadySigned)


def test_officer_whose_name_was_erased_is_told_by_the_office() -> None:
    erased = signed(officer(name=None))
    given(*READY, erased).when(sign(), ADMIN).then_recorded_nothing()
    given(*READY, erased).when(sign(officer(office="Phó Giám đốc")), ADMIN).then_rejected(AlreadySigned)


def test_pledge_without_text_is_not_signed() -> None:
    given(established, member(), opened).when(sign(), ADMIN).then_rejected(NoPledgeText)


def test_year_never_opened_has_nothing_to_sign() -> None:
    given(established, member()).when(sign(), ADMIN).then_rejected(NoSuchYear)


def test_pledge_of_a_closed_year_is_not_signed() -> None:
    given(*READY, closed).when(sign(), ADMIN).then_rejected(YearOver)


def test_signature_entered_again_after_the_year_changes_nothing() -> None:
    given(*READY, signed(), closed).when(sign(), ADMIN).then_recorded_nothing()


@pytest.mark.parametrize(
    "history",
    [
        (member(SNV),),
        (member(since=date(2025, 1, 1)),),
        (member(), left(on=date(2024, 1, 1))),
    ],
)
def test_agency_outside_the_bloc_in_that_year_does_not_sign(history: tuple[Event, ...]) -> None:
    given(established, *history, opened, drafted).when(sign(), ADMIN).then_rejected(NotAMember)


@pytest.mark.parametrize("history", [(member(since=date(2024, 12, 31)),), (member(), left(on=date(2024, 1, 2)))])
def test_member_of_one_day_of_the_year_signs(history: tuple[Event, ...]) -> None:
    given(established, *history, opened, drafted).when(sign(), ADMIN).then(signed())
