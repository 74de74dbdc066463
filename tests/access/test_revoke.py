"""Revoking roles: a province keeps at least one administrator."""

import pytest
from msgspec import UNSET, UnsetType

from emulation_saas.access.events import NoSuchPerson, PersonRegistered, RoleGranted, RoleRevoked
from emulation_saas.access.use_cases import LastAdministrator, RevokeRole, RoleScopeMismatch
from emulation_saas.kernel.authority import Authority, Role, operator
from emulation_saas.kernel.ids import AgencyId, PersonId
from emulation_saas.kernel.rejections import NotEmpowered
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, representing, secretary_of

DAO = PersonId("p-daodaodao2")
HONG = PersonId("p-honghong23")
STP = AgencyId("so-tu-phap")
SNV = AgencyId("so-noi-vu")

dao = PersonRegistered(person=DAO, issuer="https://id.example.vn", sub="dao", name="Đặng Văn Đào")
dao_is_admin = RoleGranted(person=DAO, role="province-admin")
hong_is_admin = RoleGranted(person=HONG, role="province-admin")
dao_is_no_admin = RoleRevoked(person=DAO, role="province-admin")
hong_is_no_admin = RoleRevoked(person=HONG, role="province-admin")
dao_represents = RoleGranted(person=DAO, role="member-representative", agency=STP)


def revoke(role: Role, agency: AgencyId | UnsetType = UNSET) -> RevokeRole:
    return RevokeRole(person=DAO, role=role, agency=agency)


def test_administrator_revokes_a_role() -> None:
    given(dao, dao_represents).when(revoke("member-representative", STP), ADMIN).then(
        RoleRevoked(person=DAO, role="member-representative", agency=STP)
    )


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, representing(STP), secretary_of("b"), operator()])
def test_nobody_else_revokes_a_role(may: Authority) -> None:
    given(dao, dao_represents).when(revoke("member-representative", STP), may).then_rejected(NotEmpowered)


def test_unknown_person_has_no_role_to_lose() -> None:
    given(hong_is_admin).when(revoke("auditor"), ADMIN).then_rejected(NoSuchPerson)


def test_role_not_held_is_not_revoked() -> None:
    given(dao, dao_represents).when(revoke("auditor"), ADMIN).then_recorded_nothing()


def test_role_of_another_scope_is_not_revoked() -> None:
    given(dao, dao_represents).when(revoke("member-representative", SNV), ADMIN).then_recorded_nothing()


def test_role_without_its_scope_is_refused_and_not_passed_over() -> None:
    given(dao, dao_represents).when(revoke("member-representative"), ADMIN).then_rejected(RoleScopeMismatch)


def test_one_of_two_administrators_is_revoked() -> None:
    given(dao, dao_is_admin, hong_is_admin).when(revoke("province-admin"), ADMIN).then(dao_is_no_admin)


def test_last_administrator_stays() -> None:
    given(dao, dao_is_admin).when(revoke("province-admin"), ADMIN).then_rejected(LastAdministrator)


def test_administrator_stays_where_the_other_was_revoked() -> None:
    history = (dao, dao_is_admin, hong_is_admin, hong_is_no_admin)
    given(*history).when(revoke("province-admin"), ADMIN).then_rejected(LastAdministrator)


def test_other_roles_make_no_administrator() -> None:
    auditor = RoleGranted(person=HONG, role="auditor")
    given(dao, dao_is_admin, auditor).when(revoke("province-admin"), ADMIN).then_rejected(LastAdministrator)


def test_last_administrator_loses_other_roles() -> None:
    given(dao, dao_is_admin, dao_represents).when(revoke("member-representative", STP), ADMIN).then(
        RoleRevoked(person=DAO, role="member-representative", agency=STP)
    )


def test_who_is_no_administrator_is_not_revoked_beside_the_last_one() -> None:
    given(dao, hong_is_admin).when(revoke("province-admin"), ADMIN).then_recorded_nothing()
