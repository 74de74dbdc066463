"""Register a person, grant a role, revoke a role."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.access.authority import RoleHeld
from emulation_saas.access.events import NoSuchPerson, PersonRegistered, RoleGranted, RoleRevoked
from emulation_saas.agencies.events import AgencyRegistered
from emulation_saas.blocs.events import BlocEstablished
from emulation_saas.kernel.authority import Authority, Role
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BlocId, PersonId
from emulation_saas.kernel.rejections import Conflict, Invalid, NotEmpowered
from emulation_saas.kernel.use_cases import Selector, UseCase
from emulation_saas.privacy.events import PersonErased

_ADMIN: Final = RoleHeld("province-admin")
_SCOPES: Final[dict[Role, set[str]]] = {
    "member-representative": {"agency"},
    "bloc-secretary": {"bloc"},
    "expert": {"bloc", "criterion"},
}
"""What a role must name; a role that is not listed names nothing."""


class PersonAlreadyRegistered(Conflict):
    """The issuer and subject are bound to a person already."""

    code = "person-already-registered"


class PersonIdTaken(Conflict):
    """The id belongs to another person."""

    code = "person-id-taken"


class RoleScopeMismatch(Invalid):
    """The role's scope is not the one its kind demands, or is unknown to the province."""

    code = "role-scope-mismatch"


class LastAdministrator(Conflict):
    """The province would be left without an administrator."""

    code = "last-administrator"


class Persons(msgspec.Struct, frozen=True):
    """Everybody registered so far. Sealed fields have no tags, so there is no narrower view."""

    by_id: dict[PersonId, PersonRegistered] = {}
    by_token: dict[tuple[str, str], PersonId] = {}

    def without(self, person: PersonId) -> "Persons":
        """Return the same after a person was erased: the id stays taken, the token is free again."""
        erased = PersonRegistered(person=person, issuer=None, sub=None, name=None)
        by_id = {**self.by_id, person: erased} if person in self.by_id else self.by_id
        return Persons(by_id, {token: bound for token, bound in self.by_token.items() if bound != person})


@dataclass(frozen=True)
class RegisterPerson(UseCase[Persons]):
    """A token's issuer and subject are bound to a person id, minted beforehand."""

    person: PersonId
    issuer: str
    sub: str
    name: str

    def facts(self) -> Sequence[Selector]:
        return [Selector(types=[PersonRegistered, PersonErased])]

    @staticmethod
    def initial() -> Persons:
        return Persons()

    @staticmethod
    def evolve(view: Persons, event: Event) -> Persons:
        match event:
            case PersonRegistered(person=person, issuer=str(issuer), sub=str(sub)):
                return Persons({**view.by_id, person: event}, {**view.by_token, (issuer, sub): person})
            case PersonRegistered(person=person):
                return Persons({**view.by_id, person: event}, view.by_token)
            case PersonErased(person=person):
                return view.without(person)
            case _:
                return view

    def decide(self, view: Persons, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.is_admin:
            raise NotEmpowered
        registered = PersonRegistered(person=self.person, issuer=self.issuer, sub=self.sub, name=self.name)
        if view.by_id.get(self.person) == registered:
            return []
        bound = view.by_token.get((self.issuer, self.sub))
        if bound is not None:
            raise PersonAlreadyRegistered(f"bound to {bound}")
        if self.person in view.by_id:
            raise PersonIdTaken
        return [registered]


class Roles(msgspec.Struct, frozen=True):
    """Who holds which roles among the persons selected, and whether person and scope are known to the province."""

    is_registered: bool = False
    is_agency_registered: bool = False
    is_bloc_established: bool = False
    held: dict[PersonId, frozenset[RoleHeld]] = {}

    def holds(self, person: PersonId, role: RoleHeld) -> bool:
        """Tell whether a person holds a role with exactly this scope."""
        return role in self.held.get(person, ())

    def after(self, event: RoleGranted | RoleRevoked) -> "Roles":
        """Return the same after a role was given or taken."""
        held, role = self.held.get(event.person, frozenset()), {RoleHeld.by(event)}
        held = held | role if isinstance(event, RoleGranted) else held - role
        return msgspec.structs.replace(self, held={**self.held, event.person: held})


@dataclass(frozen=True)
class _OnRole(UseCase[Roles]):
    """What is done to one person's role, knowing that person's roles and the scope."""

    person: PersonId
    role: Role
    agency: AgencyId | UnsetType = UNSET
    bloc: BlocId | UnsetType = UNSET
    criterion: str | UnsetType = UNSET

    def facts(self) -> Sequence[Selector]:
        return [
            Selector(types=[PersonRegistered, PersonErased, RoleGranted, RoleRevoked], tags=[f"person:{self.person}"])
        ]

    @staticmethod
    def initial() -> Roles:
        return Roles()

    @staticmethod
    def evolve(view: Roles, event: Event) -> Roles:
        match event:
            case PersonRegistered():
                return msgspec.structs.replace(view, is_registered=True)
            case PersonErased():  # bound to no token any longer: a role would be nobody's
                return msgspec.structs.replace(view, is_registered=False)
            case AgencyRegistered():
                return msgspec.structs.replace(view, is_agency_registered=True)
            case BlocEstablished():
                return msgspec.structs.replace(view, is_bloc_established=True)
            case RoleGranted() | RoleRevoked():
                return view.after(event)
            case _:
                return view

    @property
    def wanted(self) -> RoleHeld:
        """The role as the person would hold it."""
        return RoleHeld(self.role, self.agency, self.bloc, self.criterion)

    def require_scope(self) -> None:
        """Refuse a role whose scope is not the one its kind demands."""
        scope = {"agency": self.agency, "bloc": self.bloc, "criterion": self.criterion}
        demanded = _SCOPES.get(self.role, set())
        if {name for name, value in scope.items() if value is not UNSET} != demanded:
            raise RoleScopeMismatch(f"{self.role} names: {', '.join(sorted(demanded)) or 'nothing'}")


@dataclass(frozen=True)
class GrantRole(_OnRole):
    """An administrator gives a person a role."""

    def facts(self) -> Sequence[Selector]:
        selectors = [*super().facts()]
        if self.agency is not UNSET:
            selectors.append(Selector(types=[AgencyRegistered], tags=[f"agency:{self.agency}"]))
        if self.bloc is not UNSET:
            selectors.append(Selector(types=[BlocEstablished], tags=[f"bloc:{self.bloc}"]))
        return selectors

    def decide(self, view: Roles, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.is_admin:
            raise NotEmpowered
        if not view.is_registered:
            raise NoSuchPerson
        self.require_scope()
        if self.agency is not UNSET and not view.is_agency_registered:
            raise RoleScopeMismatch(f"no agency is registered as {self.agency}")
        if self.bloc is not UNSET and not view.is_bloc_established:
            raise RoleScopeMismatch(f"no bloc is established as {self.bloc}")
        if view.holds(self.person, self.wanted):
            return []
        return [
            RoleGranted(
                person=self.person, role=self.role, agency=self.agency, bloc=self.bloc, criterion=self.criterion
            )
        ]


@dataclass(frozen=True)
class RevokeRole(_OnRole):
    """An administrator takes a role from a person; the last administrator's stays."""

    def facts(self) -> Sequence[Selector]:
        if self.role != "province-admin":
            return super().facts()
        return [  # whether another administrator is left, everybody's roles tell
            Selector(types=[PersonRegistered, PersonErased], tags=[f"person:{self.person}"]),
            Selector(types=[RoleGranted, RoleRevoked]),
        ]

    def decide(self, view: Roles, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.is_admin:
            raise NotEmpowered
        if not view.is_registered:
            raise NoSuchPerson
        self.require_scope()
        if not view.holds(self.person, self.wanted):
            return []
        if self.wanted == _ADMIN and sum(_ADMIN in held for held in view.held.values()) == 1:
            raise LastAdministrator
        return [
            RoleRevoked(
                person=self.person, role=self.role, agency=self.agency, bloc=self.bloc, criterion=self.criterion
            )
        ]
