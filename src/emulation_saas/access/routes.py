"""The commands of access over HTTP."""

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from emulation_saas.access.use_cases import GrantRole, RegisterPerson, RevokeRole
from emulation_saas.http.bodies import Body, Line
from emulation_saas.kernel.authority import Role
from emulation_saas.kernel.ids import AgencyId, BlocId, Handle, Person, PersonId, mint_person
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted, ProvinceLog


class PersonBody(Body, frozen=True, kw_only=True):
    """A person to register: who the token names, and the id to bind it to; absent, one is minted."""

    issuer: Line
    sub: Line
    name: Line
    person: Person | UnsetType = UNSET
    """The id of somebody who so far stood only on paper."""


class RoleBody(Body, frozen=True, kw_only=True):
    """A role with its scope: agency of a representative, bloc of a secretary, bloc and criterion of an expert."""

    person: Person
    role: Role
    agency: Handle | UnsetType = UNSET
    bloc: Handle | UnsetType = UNSET
    criterion: Handle | UnsetType = UNSET

    def scope(self) -> tuple[AgencyId | UnsetType, BlocId | UnsetType]:
        """Return the handles of agency and bloc as what they are."""
        return (
            UNSET if self.agency is UNSET else AgencyId(self.agency),
            UNSET if self.bloc is UNSET else BlocId(self.bloc),
        )


@post("/persons", summary="Register a person")
async def register_person(
    data: JSONBody[PersonBody], acting: NamedDependency[Acting], log: NamedDependency[ProvinceLog]
) -> Accepted:
    """Bind a token's issuer and subject to an opaque person id, which roles are then granted to."""
    registration = RegisterPerson(
        person=mint_person() if data.person is UNSET else PersonId(data.person),
        issuer=data.issuer,
        sub=data.sub,
        name=data.name,
        time=data.entered(),
    )
    return await log.execute(registration, by=acting)


@post("/roles", summary="Grant a role to a person")
async def grant_role(
    data: JSONBody[RoleBody], acting: NamedDependency[Acting], log: NamedDependency[ProvinceLog]
) -> Accepted:
    """Give a person a role, with the scope that its kind demands."""
    agency, bloc = data.scope()
    grant = GrantRole(
        person=PersonId(data.person),
        role=data.role,
        agency=agency,
        bloc=bloc,
        criterion=data.criterion,
        time=data.entered(),
    )
    return await log.execute(grant, by=acting)


@post("/roles/revoke", summary="Revoke a person's role")
async def revoke_role(
    data: JSONBody[RoleBody], acting: NamedDependency[Acting], log: NamedDependency[ProvinceLog]
) -> Accepted:
    """Take a role from a person; the province keeps at least one administrator."""
    agency, bloc = data.scope()
    revocation = RevokeRole(
        person=PersonId(data.person),
        role=data.role,
        agency=agency,
        bloc=bloc,
        criterion=data.criterion,
        time=data.entered(),
    )
    return await log.execute(revocation, by=acting)


ROUTES = (register_person, grant_role, revoke_role)
