"""Launching a year's movement."""

from decimal import Decimal

import pytest

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import BlocId
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.years.events import (
    Criterion,
    NoSuchYear,
    Rules,
    Scheme,
    YearClosed,
    YearLaunched,
    YearOpened,
    YearOver,
)
from emulation_saas.years.use_cases import LaunchYear, YearAlreadyLaunched
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, SOMEBODY, given, representing, secretary_of

TM1 = BlocId("tham-muu-1")
TEXT = "Thi đua hoàn thành nhiệm vụ năm 2024"

opened = YearOpened(
    bloc=TM1,
    year=2024,
    scheme=Scheme(title="Bảng điểm", criteria=[Criterion(criterion="i", title="I", points_max=Decimal(100))]),
    rules=Rules(legal_basis="Luật 06/2022/QH15", leaders_max=1, self_vote=True, disputes_suspend_nominations=False),
)
launched = YearLaunched(bloc=TM1, year=2024, text=TEXT)
closed = YearClosed(bloc=TM1, year=2024)
HEAD = Authority(person=SOMEBODY, known=True, offices=frozenset({(TM1, 2024, "head")}))
LAST_HEAD = Authority(person=SOMEBODY, known=True, offices=frozenset({(TM1, 2023, "head")}))


def launch(text: str = TEXT) -> LaunchYear:
    return LaunchYear(bloc=TM1, year=2024, text=text)


@pytest.mark.parametrize("may", [ADMIN, secretary_of(TM1), HEAD])
def test_whoever_runs_the_year_launches_it(may: Authority) -> None:
    given(opened).when(launch(), may).then(launched)


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, LAST_HEAD, representing("so-noi-vu", blocs=[TM1])])
def test_nobody_else_launches_a_year(may: Authority) -> None:
    given(opened).when(launch(), may).then_rejected(NotEmpowered)


def test_year_is_launched_once() -> None:
    given(opened, launched).when(launch("Thi đua nước rút"), ADMIN).then_rejected(YearAlreadyLaunched)


def test_year_never_opened_is_not_launched() -> None:
    given().when(launch(), ADMIN).then_rejected(NoSuchYear)


def test_closed_year_is_not_launched() -> None:
    given(opened, closed).when(launch(), ADMIN).then_rejected(YearOver)


def test_launch_entered_again_after_the_year_changes_nothing() -> None:
    given(opened, launched, closed).when(launch(), ADMIN).then_recorded_nothing()
