"""Opening provinces: by a platform operator, once under each handle, with a name and a first administrator."""

from dataclasses import replace
from datetime import date

import pytest

from emulation_saas.access.events import PersonRegistered, RoleGranted
from emulation_saas.kernel.authority import Authority, operator
from emulation_saas.kernel.ids import PersonId
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.log.events import LogOpened
from emulation_saas.provinces.events import ProvinceNamed, ProvinceOpened
from emulation_saas.provinces.use_cases import IssuerNotAccepted, OpenProvince, ProvinceHandleTaken
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, representing, secretary_of

DAO = PersonId("p-daodaodao2")
HONG = PersonId("p-honghong23")
OPERATOR = operator()

log_opened = LogOpened(format="emulation-log.v1", origin="example.vn/log/0190c3f2", vkey="example.vn+1+AA==")
opened = ProvinceOpened(province="thanh-hoa")
named = ProvinceNamed(
    name="Thanh Hóa", kind="tinh", code="38", effective_on=date(2004, 1, 1), legal_basis="QĐ 124/2004/QĐ-TTg"
)
admin = PersonRegistered(person=DAO, issuer="https://id.example.vn", sub="dao", name="Đặng Văn Đào")
granted = RoleGranted(person=DAO, role="province-admin")
HISTORY = (log_opened, opened, named, admin, granted)

opening = OpenProvince(
    province="thanh-hoa",
    name="Thanh Hóa",
    kind="tinh",
    code="38",
    effective_on=date(2004, 1, 1),
    legal_basis="QĐ 124/2004/QĐ-TTg",
    admin=DAO,
    issuer="https://id.example.vn",
    sub="dao",
    admin_name="Đặng Văn Đào",
)


def test_operator_opens_a_province_with_name_and_first_administrator() -> None:
    given(log_opened).when(opening, OPERATOR).then(opened, named, admin, granted)


@pytest.mark.parametrize("may", [NOBODY, ADMIN, COUNCIL, AUDITOR, representing("so-tu-phap"), secretary_of("b")])
def test_nobody_else_opens_a_province(may: Authority) -> None:
    given().when(opening, may).then_rejected(NotEmpowered)


def test_repetition_is_known_though_it_minted_another_person() -> None:
    given(*HISTORY).when(replace(opening, admin=HONG), OPERATOR).then_recorded_nothing()


def test_repetition_is_known_after_the_province_lived_on() -> None:
    renamed = ProvinceNamed(
        name="Thanh Hóa", kind="thanh_pho", code="38", effective_on=date(2030, 1, 1), legal_basis="NQ 1/2029"
    )
    hong = PersonRegistered(person=HONG, issuer="https://id.example.vn", sub="hong", name="Trương Hồng Giang")
    given(*HISTORY, renamed, hong).when(opening, OPERATOR).then_recorded_nothing()


@pytest.mark.parametrize(
    "other",
    [
        replace(opening, name="Thanh Hoá"),
        replace(opening, kind="thanh_pho"),
        replace(opening, code="39"),
        replace(opening, effective_on=date(2004, 1, 2)),
        replace(opening, legal_basis="QĐ 19/2025/QĐ-TTg"),
        replace(opening, issuer="https://other.vn"),
        replace(opening, sub="hong"),
        replace(opening, admin_name="Đào"),
    ],
)
def test_handle_is_never_reused(other: OpenProvince) -> None:
    given(*HISTORY).when(other, OPERATOR).then_rejected(ProvinceHandleTaken)


def test_no_province_is_opened_for_an_administrator_who_could_never_enter() -> None:
    unheard = replace(opening, is_issuer_accepted=False)
    given(log_opened).when(unheard, OPERATOR).then_rejected(IssuerNotAccepted)
    given(*HISTORY).when(unheard, OPERATOR).then_recorded_nothing()


def test_roles_are_not_what_a_province_was_opened_with() -> None:
    assert OpenProvince.evolve(OpenProvince.initial(), granted) == OpenProvince.initial()
