"""Drafting a year's pledge."""

from decimal import Decimal

import pytest

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Official
from emulation_saas.kernel.ids import AgencyId, BlocId, PersonId
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.pledges.events import PledgeDrafted, PledgeSigned
from emulation_saas.pledges.use_cases import DraftPledge, Pledge, PledgeAlreadySigned
from emulation_saas.scoring.events import RankingFrozen
from emulation_saas.years.events import Criterion, NoSuchYear, Rules, Scheme, YearClosed, YearOpened, YearOver
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, SOMEBODY, given, representing, secretary_of

TM1 = BlocId("tham-muu-1")
TEXT = "Đoàn kết, hoàn thành xuất sắc nhiệm vụ năm 2024"

opened = YearOpened(
    bloc=TM1,
    year=2024,
    scheme=Scheme(title="Bảng điểm", criteria=[Criterion(criterion="i", title="I", points_max=Decimal(100))]),
    rules=Rules(legal_basis="Luật 06/2022/QH15", leaders_max=1, self_vote=True, disputes_suspend_nominations=False),
)
closed = YearClosed(bloc=TM1, year=2024)
signed = PledgeSigned(
    bloc=TM1,
    year=2024,
    agency=AgencyId("so-noi-vu"),
    signed_by=Official(person=PersonId("p-aaaaaaaaaa"), name="Trương Hồng Giang", office="Phó Giám đốc"),
)
HEAD = Authority(person=SOMEBODY, known=True, offices=frozenset({(TM1, 2024, "head")}))
LAST_HEAD = Authority(person=SOMEBODY, known=True, offices=frozenset({(TM1, 2023, "head")}))


def drafted(text: str = TEXT) -> PledgeDrafted:
    return PledgeDrafted(bloc=TM1, year=2024, text=text)


def draft(text: str = TEXT) -> DraftPledge:
    return DraftPledge(bloc=TM1, year=2024, text=text)


@pytest.mark.parametrize("may", [ADMIN, secretary_of(TM1), HEAD])
def test_whoever_runs_the_year_drafts_the_pledge(may: Authority) -> None:
    given(opened).when(draft(), may).then(drafted())


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, LAST_HEAD, representing("so-noi-vu", blocs=[TM1])])
def test_nobody_else_drafts_the_pledge(may: Authority) -> None:
    given(opened).when(draft(), may).then_rejected(NotEmpowered)


def test_text_is_replaced_while_nobody_has_signed() -> None:
    given(opened, drafted("Bản nháp")).when(draft(), ADMIN).then(drafted())


def test_text_that_somebody_signed_stands() -> None:
    given(opened, drafted("Bản nháp"), signed).when(draft(), ADMIN).then_rejected(PledgeAlreadySigned)


def test_same_text_entered_again_after_a_signature_changes_nothing() -> None:
    given(opened, drafted(), signed).when(draft(), ADMIN).then_recorded_nothing()


def test_year_never_opened_has_no_pledge() -> None:
    given().when(draft(), ADMIN).then_rejected(NoSuchYear)


def test_closed_year_gets_no_other_pledge() -> None:
    given(opened, drafted("Bản nháp"), closed).when(draft(), ADMIN).then_rejected(YearOver)


def test_facts_of_other_kinds_change_nothing() -> None:
    assert DraftPledge.evolve(Pledge(), RankingFrozen(bloc=TM1, year=2024, version=1, ranks=[])) == Pledge()
