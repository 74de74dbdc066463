"""Naming a province from a day on."""

from dataclasses import replace
from datetime import date

import pytest

from emulation_saas.kernel.authority import Authority, operator
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.provinces.events import ProvinceNamed, ProvinceOpened
from emulation_saas.provinces.use_cases import NameProvince, NameTooEarly
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, representing, secretary_of

CITY_ON = date(2026, 4, 30)

as_province = ProvinceNamed(
    name="Đồng Nai", kind="tinh", code="75", effective_on=date(2004, 1, 1), legal_basis="QĐ 124/2004/QĐ-TTg"
)
as_city = ProvinceNamed(
    name="Đồng Nai", kind="thanh_pho", code="75", effective_on=CITY_ON, legal_basis="NQ 30/2026/QH16"
)
become_city = NameProvince(
    name="Đồng Nai", kind="thanh_pho", code="75", effective_on=CITY_ON, legal_basis="NQ 30/2026/QH16"
)


def test_administrator_names_the_province_from_a_day_on() -> None:
    given(as_province).when(become_city, ADMIN).then(as_city)


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, representing("so-noi-vu"), secretary_of("b"), operator()])
def test_nobody_else_names_the_province(may: Authority) -> None:
    given(as_province).when(become_city, may).then_rejected(NotEmpowered)


def test_name_of_the_day_of_the_present_name_is_too_early() -> None:
    given(as_province, as_city).when(replace(become_city, name="Biên Hòa"), ADMIN).then_rejected(NameTooEarly)


def test_name_of_the_day_after_is_not_too_early() -> None:
    day_after = date(2026, 5, 1)
    given(as_province, as_city).when(replace(become_city, effective_on=day_after, code="76"), ADMIN).then(
        ProvinceNamed(
            name="Đồng Nai", kind="thanh_pho", code="76", effective_on=day_after, legal_basis="NQ 30/2026/QH16"
        )
    )


def test_same_name_on_another_basis_is_not_passed_over() -> None:
    given(as_province, as_city).when(replace(become_city, legal_basis="NQ 31/2026"), ADMIN).then_rejected(NameTooEarly)


def test_other_facts_name_nothing() -> None:
    assert NameProvince.evolve(NameProvince.initial(), ProvinceOpened(province="dong-nai")) == NameProvince.initial()
