"""Registering persons: a token's issuer and subject are bound to an opaque id."""

from dataclasses import replace
from datetime import date

import pytest

from emulation_saas.access.events import PersonRegistered
from emulation_saas.access.use_cases import PersonAlreadyRegistered, PersonIdTaken, RegisterPerson
from emulation_saas.agencies.events import AgencyRegistered
from emulation_saas.kernel.authority import Authority, operator
from emulation_saas.kernel.ids import AgencyId, PersonId
from emulation_saas.kernel.rejections import NotEmpowered
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, NOW, given, representing, secretary_of

DAO = PersonId("p-daodaodao2")
HONG = PersonId("p-honghong23")
ISSUER = "https://id.example.vn"

dao = PersonRegistered(person=DAO, issuer=ISSUER, sub="dao", name="Đặng Văn Đào")
erased = PersonRegistered(person=DAO, issuer=None, sub=None, name=None)
register_dao = RegisterPerson(person=DAO, issuer=ISSUER, sub="dao", name="Đặng Văn Đào")


def test_administrator_registers_a_person() -> None:
    given().when(register_dao, ADMIN).then(dao)


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, representing("so-tu-phap"), secretary_of("b"), operator()])
def test_nobody_else_registers_a_person(may: Authority) -> None:
    given().when(register_dao, may).then_rejected(NotEmpowered)


def test_another_person_of_the_same_issuer_is_registered() -> None:
    given(dao).when(replace(register_dao, person=HONG, sub="hong"), ADMIN).then(
        PersonRegistered(person=HONG, issuer=ISSUER, sub="hong", name="Đặng Văn Đào")
    )


def test_same_subject_of_another_issuer_is_another_person() -> None:
    given(dao).when(replace(register_dao, person=HONG, issuer="https://other.vn"), ADMIN).then(
        PersonRegistered(person=HONG, issuer="https://other.vn", sub="dao", name="Đặng Văn Đào")
    )


def test_token_is_bound_to_one_person() -> None:
    given(dao).when(replace(register_dao, person=HONG), ADMIN).then_rejected(PersonAlreadyRegistered)


def test_token_bound_already_says_to_whom() -> None:
    again = replace(register_dao, person=HONG)
    with pytest.raises(PersonAlreadyRegistered, match=DAO):
        again.decide(again.evolve(again.initial(), dao), ADMIN, NOW)


def test_token_is_not_bound_again_under_another_name() -> None:
    given(dao).when(replace(register_dao, name="Đào"), ADMIN).then_rejected(PersonAlreadyRegistered)


def test_person_id_is_bound_to_one_token() -> None:
    given(dao).when(replace(register_dao, sub="hong"), ADMIN).then_rejected(PersonIdTaken)


def test_id_of_an_erased_person_stays_taken() -> None:
    given(erased).when(register_dao, ADMIN).then_rejected(PersonIdTaken)


def test_token_of_an_erased_person_is_free_again() -> None:
    given(erased).when(replace(register_dao, person=HONG), ADMIN).then(
        PersonRegistered(person=HONG, issuer=ISSUER, sub="dao", name="Đặng Văn Đào")
    )


def test_other_facts_register_nobody() -> None:
    agency = AgencyRegistered(agency=AgencyId("snv"), name="Sở Nội vụ", aliases=[], effective_on=date(2010, 1, 1))
    assert RegisterPerson.evolve(RegisterPerson.initial(), agency) == RegisterPerson.initial()
