"""Granting roles: to persons who are registered, with exactly the scope that the role's kind demands."""

from datetime import date

import pytest
from msgspec import UNSET, UnsetType

from emulation_saas.access.events import NoSuchPerson, PersonRegistered, RoleGranted, RoleRevoked
from emulation_saas.access.use_cases import GrantRole, RoleScopeMismatch
from emulation_saas.agencies.events import AgencyRegistered
from emulation_saas.blocs.events import BlocEstablished, MemberAdmitted
from emulation_saas.kernel.authority import Authority, Role, operator
from emulation_saas.kernel.ids import AgencyId, BlocId, PersonId
from emulation_saas.kernel.rejections import NotEmpowered
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, representing, secretary_of

DAO = PersonId("p-daodaodao2")
HONG = PersonId("p-honghong23")
STP = AgencyId("so-tu-phap")
SNV = AgencyId("so-noi-vu")
TM1 = BlocId("tham-muu-1")
TM2 = BlocId("tham-muu-2")

dao = PersonRegistered(person=DAO, issuer="https://id.example.vn", sub="dao", name="Đặng Văn Đào")
stp = AgencyRegistered(agency=STP, name="Sở Tư pháp", aliases=[], effective_on=date(2010, 1, 1))
tm1 = BlocEstablished(
    bloc=TM1,
    name="Khối Thi đua các cơ quan tham mưu I",
    aliases=[],
    kind="khoi",
    effective_on=date(2020, 1, 1),
    legal_basis="QĐ 12/2020",
)

SCOPED: list[tuple[Role, AgencyId | UnsetType, BlocId | UnsetType, str | UnsetType]] = [
    ("province-admin", UNSET, UNSET, UNSET),
    ("council-member", UNSET, UNSET, UNSET),
    ("auditor", UNSET, UNSET, UNSET),
    ("integrator", UNSET, UNSET, UNSET),
    ("member-representative", STP, UNSET, UNSET),
    ("bloc-secretary", UNSET, TM1, UNSET),
    ("expert", UNSET, TM1, "cai-cach"),
]
"""Each role with the one scope it may have."""
WELL_SCOPED = {(role, *(part is not UNSET for part in scope)) for role, *scope in SCOPED}


def grant(
    role: Role,
    agency: AgencyId | UnsetType = UNSET,
    bloc: BlocId | UnsetType = UNSET,
    criterion: str | UnsetType = UNSET,
) -> GrantRole:
    return GrantRole(person=DAO, role=role, agency=agency, bloc=bloc, criterion=criterion)


@pytest.mark.parametrize(("role", "agency", "bloc", "criterion"), SCOPED)
def test_administrator_grants_each_role_with_its_scope(
    role: Role, agency: AgencyId | UnsetType, bloc: BlocId | UnsetType, criterion: str | UnsetType
) -> None:
    given(dao, stp, tm1).when(grant(role, agency, bloc, criterion), ADMIN).then(
        RoleGranted(person=DAO, role=role, agency=agency, bloc=bloc, criterion=criterion)
    )


@pytest.mark.parametrize("role", [role for role, *_ in SCOPED])
@pytest.mark.parametrize("has_agency", [True, False])
@pytest.mark.parametrize("has_bloc", [True, False])
@pytest.mark.parametrize("has_criterion", [True, False])
def test_role_has_no_other_scope(role: Role, *, has_agency: bool, has_bloc: bool, has_criterion: bool) -> None:
    attempt = grant(
        role, STP if has_agency else UNSET, TM1 if has_bloc else UNSET, "cai-cach" if has_criterion else UNSET
    )
    tried = given(dao, stp, tm1).when(attempt, ADMIN)
    if (role, has_agency, has_bloc, has_criterion) in WELL_SCOPED:
        tried.then(
            RoleGranted(person=DAO, role=role, agency=attempt.agency, bloc=attempt.bloc, criterion=attempt.criterion)
        )
    else:
        tried.then_rejected(RoleScopeMismatch)


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, representing(STP), secretary_of(TM1), operator()])
def test_nobody_else_grants_a_role(may: Authority) -> None:
    given(dao).when(grant("province-admin"), may).then_rejected(NotEmpowered)


def test_unknown_person_gets_no_role() -> None:
    hong = PersonRegistered(person=HONG, issuer="https://id.example.vn", sub="hong", name="Trương Hồng Giang")
    given(hong).when(grant("auditor"), ADMIN).then_rejected(NoSuchPerson)


def test_unknown_agency_is_represented_by_nobody() -> None:
    given(dao, stp, tm1).when(grant("member-representative", SNV), ADMIN).then_rejected(RoleScopeMismatch)


def test_unknown_bloc_has_no_secretary() -> None:
    admitted = MemberAdmitted(bloc=TM2, agency=STP, effective_on=date(2021, 1, 1), legal_basis="QĐ 1/2021")
    given(dao, stp, tm1, admitted).when(grant("bloc-secretary", bloc=TM2), ADMIN).then_rejected(RoleScopeMismatch)


def test_role_held_is_not_granted_again() -> None:
    held = RoleGranted(person=DAO, role="auditor")
    given(dao, held).when(grant("auditor"), ADMIN).then_recorded_nothing()


def test_role_of_another_scope_is_another_role() -> None:
    snv = AgencyRegistered(agency=SNV, name="Sở Nội vụ", aliases=[], effective_on=date(2010, 1, 1))
    held = RoleGranted(person=DAO, role="member-representative", agency=STP)
    given(dao, stp, snv, held).when(grant("member-representative", SNV), ADMIN).then(
        RoleGranted(person=DAO, role="member-representative", agency=SNV)
    )


def test_role_of_another_person_is_another_role() -> None:
    given(dao, RoleGranted(person=HONG, role="auditor")).when(grant("auditor"), ADMIN).then(
        RoleGranted(person=DAO, role="auditor")
    )


def test_role_revoked_can_be_granted_again() -> None:
    granted, revoked = RoleGranted(person=DAO, role="auditor"), RoleRevoked(person=DAO, role="auditor")
    given(dao, granted, revoked).when(grant("auditor"), ADMIN).then(granted)


def test_conflict_of_interest_is_recorded_and_not_refused() -> None:
    represents = RoleGranted(person=DAO, role="member-representative", agency=STP)
    given(dao, stp, tm1, represents).when(grant("expert", bloc=TM1, criterion="cai-cach"), ADMIN).then(
        RoleGranted(person=DAO, role="expert", bloc=TM1, criterion="cai-cach")
    )


def test_other_facts_grant_nothing() -> None:
    admitted = MemberAdmitted(bloc=TM1, agency=STP, effective_on=date(2021, 1, 1), legal_basis="QĐ 1/2021")
    assert GrantRole.evolve(GrantRole.initial(), admitted) == GrantRole.initial()
