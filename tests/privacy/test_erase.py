"""A person is erased by an administrator, not while on hold or empowered; asked again, nothing more is recorded."""

from dataclasses import replace
from typing import Final

import pytest

from emulation_saas.access.authority import directory_after, initial_directory
from emulation_saas.access.events import NoSuchPerson, PersonRegistered, RoleGranted, RoleRevoked
from emulation_saas.access.use_cases import GrantRole, RegisterPerson
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, PersonId
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.privacy.events import HoldLifted, HoldPlaced, PersonErased
from emulation_saas.privacy.use_cases import ErasePerson, LegalHold, PersonStillEmpowered
from tests.builders import AGENCY, FELLOW, PERSON
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, representing

REGISTERED: Final = PersonRegistered(person=PERSON, issuer="https://id.example", sub="dao", name="Đặng Văn Đào")
AGAIN: Final = PersonId("p-againagain")
HELD: Final = HoldPlaced(person=PERSON, legal_basis="Luật Lưu trữ", because="đang thanh tra")


def erase(*kids: str) -> ErasePerson:
    return ErasePerson(person=PERSON, kids=kids, legal_basis="Luật 91/2025/QH15", document_no="12/YC")


def erased(*kids: str) -> PersonErased:
    return PersonErased(person=PERSON, kids=list(kids), legal_basis="Luật 91/2025/QH15", document_no="12/YC")


def granted(agency: AgencyId = AGENCY) -> RoleGranted:
    return RoleGranted(person=PERSON, role="member-representative", agency=agency)


def revoked(agency: AgencyId = AGENCY) -> RoleRevoked:
    return RoleRevoked(person=PERSON, role="member-representative", agency=agency)


def test_registered_person_is_erased_with_all_keys_in_order() -> None:
    given(REGISTERED).when(erase("k2", "k1"), ADMIN).then(erased("k1", "k2"))


def test_person_who_stands_on_paper_only_is_known_by_the_key() -> None:
    given().when(erase("k1"), ADMIN).then(erased("k1"))


def test_person_of_whom_nothing_was_recorded_is_unknown() -> None:
    given().when(erase(), ADMIN).then_rejected(NoSuchPerson)


@pytest.mark.parametrize("history", [(erased("k1"),), (REGISTERED, erased("k1"))])
def test_erased_again_records_nothing_whether_or_not_the_key_is_gone_yet(history: tuple[Event, ...]) -> None:
    given(*history).when(erase("k1"), ADMIN).then_recorded_nothing()
    given(*history).when(erase(), ADMIN).then_recorded_nothing()


def test_what_was_recorded_since_is_erased_by_its_own_key() -> None:
    given(REGISTERED, erased("k1")).when(erase("k1", "k2"), ADMIN).then(erased("k2"))


def test_hold_keeps_the_data_until_it_is_lifted() -> None:
    given(REGISTERED, HELD).when(erase("k1"), ADMIN).then_rejected(LegalHold)
    lifted = HoldLifted(person=PERSON, because="xong")
    given(REGISTERED, HELD, lifted).when(erase("k1"), ADMIN).then(erased("k1"))


def test_person_with_a_role_is_not_erased() -> None:
    given(REGISTERED, granted()).when(erase("k1"), ADMIN).then_rejected(PersonStillEmpowered)
    given(REGISTERED, granted(), granted(FELLOW), revoked()).when(erase("k1"), ADMIN).then_rejected(
        PersonStillEmpowered
    )
    given(REGISTERED, granted(), revoked()).when(erase("k1"), ADMIN).then(erased("k1"))


@pytest.mark.parametrize("may", [NOBODY, AUDITOR, COUNCIL, representing(AGENCY)])
def test_nobody_but_an_administrator_erases(may: Authority) -> None:
    given(REGISTERED).when(erase("k1"), may).then_rejected(NotEmpowered)


def test_whose_keys_could_not_be_looked_up_yet_is_not_erased() -> None:
    too_early = replace(erase(), kids=None)  # the actor became administrator a moment later
    given(REGISTERED).when(too_early, ADMIN).then_rejected(NotEmpowered)


def test_erased_person_gets_no_role() -> None:
    grant = GrantRole(person=PERSON, role="auditor")
    given(REGISTERED, erased("k1")).when(grant, ADMIN).then_rejected(NoSuchPerson)


def test_token_of_an_erased_person_is_free_again_and_the_id_is_not() -> None:
    again = RegisterPerson(person=AGAIN, issuer="https://id.example", sub="dao", name="Đặng Văn Đào")
    registered = PersonRegistered(person=AGAIN, issuer="https://id.example", sub="dao", name="Đặng Văn Đào")
    given(REGISTERED, erased("k1")).when(again, ADMIN).then(registered)


def test_token_of_an_erased_person_is_nobodys_in_a_process_that_knew_it() -> None:
    directory = directory_after(directory_after(initial_directory(), REGISTERED), erased("k1"))
    assert directory.person_of("https://id.example", "dao") is None
    assert directory.erasures == {PERSON: 1}
    assert directory_after(directory, erased("k2")).erasures == {PERSON: 2}
