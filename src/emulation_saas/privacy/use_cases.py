"""Erase a person, put a person's data on hold and lift that, put a day's digest of the access log on record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

import msgspec

from emulation_saas.access.events import NoSuchPerson, PersonRegistered, RoleGranted, RoleRevoked
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import PersonId
from emulation_saas.kernel.rejections import Conflict, NotEmpowered
from emulation_saas.kernel.use_cases import Selector, UseCase
from emulation_saas.privacy.events import AccessLogDigested, HoldLifted, HoldPlaced, PersonErased

_Role: TypeAlias = tuple[object, ...]
"""A role and its scope."""


class LegalHold(Conflict):
    """The person's data are on legal hold."""

    code = "legal-hold"


class PersonStillEmpowered(Conflict):
    """The person still holds a role. Revoke it first."""

    code = "person-still-empowered"


class AlreadyOnHold(Conflict):
    """The person's data are on hold already, for another reason."""

    code = "already-on-hold"


class NotOnHold(Conflict):
    """The person's data were never on hold."""

    code = "not-on-hold"


class DataOf(msgspec.Struct, frozen=True, kw_only=True):
    """What must be known of one person before anything is done about that person's data."""

    is_registered: bool = False
    roles: frozenset[_Role] = frozenset()
    erased: frozenset[str] = frozenset()
    """Ids of the keys that have come to their end."""
    hold: HoldPlaced | None = None
    was_held: bool = False


@dataclass(frozen=True)
class _OnPerson(UseCase[DataOf]):
    """What an administrator does about one person's data."""

    person: PersonId
    kids: tuple[str, ...] | None
    """Ids of the keys that the person has, looked up beforehand; None where it was not for the actor to look them up.
    Who stands on paper only is known by them alone."""

    def facts(self) -> Sequence[Selector]:
        return [
            Selector(
                types=[PersonRegistered, RoleGranted, RoleRevoked, PersonErased, HoldPlaced, HoldLifted],
                tags=[f"person:{self.person}"],
            )
        ]

    @staticmethod
    def initial() -> DataOf:
        return DataOf()

    @staticmethod
    def evolve(view: DataOf, event: Event) -> DataOf:
        replace = msgspec.structs.replace
        match event:
            case PersonRegistered():
                return replace(view, is_registered=True)
            case RoleGranted() | RoleRevoked():
                return replace(view, roles=_roles_after(view.roles, event))
            case PersonErased(kids=kids):
                return replace(view, erased=view.erased | set(kids))
            case HoldPlaced():
                return replace(view, hold=event, was_held=True)
            case HoldLifted():
                return replace(view, hold=None)
            case _:
                return view

    def require_known(self, view: DataOf, may: Authority) -> frozenset[str]:
        """Return the ids of the person's keys.

        Raises:
            NotEmpowered: the actor is no administrator, or was none when the keys were to be looked up.
            NoSuchPerson: nothing was ever recorded of the person.
        """
        if not may.is_admin or self.kids is None:
            raise NotEmpowered
        if not (view.is_registered or self.kids or view.erased):
            raise NoSuchPerson
        return frozenset(self.kids)


@dataclass(frozen=True)
class ErasePerson(_OnPerson):
    """The personal fields about a person become unreadable, for ever and for everybody."""

    legal_basis: str
    document_no: str

    def decide(self, view: DataOf, may: Authority, now: datetime) -> Sequence[Event]:
        kids = sorted(self.require_known(view, may) - view.erased)
        if not kids:
            return []  # asked again: nothing has been recorded of the person since
        if view.hold is not None:
            raise LegalHold(view.hold.legal_basis)
        if view.roles:
            raise PersonStillEmpowered
        return [PersonErased(person=self.person, kids=kids, legal_basis=self.legal_basis, document_no=self.document_no)]


@dataclass(frozen=True)
class PlaceHold(_OnPerson):
    """A person's data must be kept: nobody may erase them until the hold is lifted."""

    legal_basis: str
    because: str

    def decide(self, view: DataOf, may: Authority, now: datetime) -> Sequence[Event]:
        self.require_known(view, may)
        placed = HoldPlaced(person=self.person, legal_basis=self.legal_basis, because=self.because)
        if view.hold == placed:
            return []
        if view.hold is not None:
            raise AlreadyOnHold(view.hold.legal_basis)
        return [placed]


@dataclass(frozen=True)
class LiftHold(_OnPerson):
    """A person's data need not be kept any longer."""

    because: str

    def decide(self, view: DataOf, may: Authority, now: datetime) -> Sequence[Event]:
        self.require_known(view, may)
        if view.hold is not None:
            return [HoldLifted(person=self.person, because=self.because)]
        if not view.was_held:
            raise NotOnHold
        return []


@dataclass(frozen=True)
class DigestAccessLog(UseCase[bool]):
    """The service itself puts the digest of a finished day on record, once."""

    day: date
    entries: int
    sha256: str

    def facts(self) -> Sequence[Selector]:
        return [Selector(types=[AccessLogDigested], tags=[f"day:{self.day}"])]

    @staticmethod
    def initial() -> bool:
        return False

    @staticmethod
    def evolve(view: bool, event: Event) -> bool:  # noqa: FBT001 - the view is whether it was digested
        return view or isinstance(event, AccessLogDigested)

    def decide(self, view: bool, may: Authority, now: datetime) -> Sequence[Event]:  # noqa: FBT001 - as above
        if not may.is_operator:
            raise NotEmpowered
        return [] if view else [AccessLogDigested(day=self.day, entries=self.entries, sha256=self.sha256)]


def _roles_after(held: frozenset[_Role], event: RoleGranted | RoleRevoked) -> frozenset[_Role]:
    role = {(event.role, event.agency, event.bloc, event.criterion)}
    return held | role if isinstance(event, RoleGranted) else held - role
