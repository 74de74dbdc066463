"""Who is who, and who may do what: persons bound to tokens, roles granted and revoked."""

from typing import Annotated, ClassVar

from msgspec import UNSET, UnsetType

from emulation_saas.kernel.authority import Role
from emulation_saas.kernel.events import Event, Personal, Visibility
from emulation_saas.kernel.ids import AgencyId, BlocId, PersonId
from emulation_saas.kernel.rejections import NotFound


class NoSuchPerson(NotFound):
    """No person is known under this id."""

    code = "no-such-person"


class PersonRegistered(Event, frozen=True, kw_only=True):
    """A token's issuer and subject were bound to an opaque person id."""

    type: ClassVar[str] = "access.person-registered.v1"
    visibility: ClassVar[Visibility] = Visibility.COUNCIL
    person: PersonId
    issuer: Annotated[str | None, Personal("person")]
    sub: Annotated[str | None, Personal("person")]
    name: Annotated[str | None, Personal("person")]

    def tags(self) -> list[str]:
        """Return the tag of the person."""
        return [f"person:{self.person}"]

    def subject(self) -> str | None:
        """Return the person."""
        return f"persons/{self.person}"


class _RoleEvent(Event, frozen=True, kw_only=True):
    """A role with its scope: agency of a representative, bloc of a secretary, bloc and criterion of an expert."""

    person: PersonId
    role: Role
    agency: AgencyId | UnsetType = UNSET
    bloc: BlocId | UnsetType = UNSET
    criterion: str | UnsetType = UNSET

    def tags(self) -> list[str]:
        """Return the tags of the person and of the role's scope."""
        tags = [f"person:{self.person}"]
        if self.agency is not UNSET:
            tags.append(f"agency:{self.agency}")
        if self.bloc is not UNSET:
            tags.append(f"bloc:{self.bloc}")
        return tags

    def subject(self) -> str | None:
        """Return the person."""
        return f"persons/{self.person}"


class RoleGranted(_RoleEvent, frozen=True, kw_only=True):
    """A person was given a role."""

    type: ClassVar[str] = "access.role-granted.v1"
    visibility: ClassVar[Visibility] = Visibility.COUNCIL


class RoleRevoked(_RoleEvent, frozen=True, kw_only=True):
    """A person lost a role."""

    type: ClassVar[str] = "access.role-revoked.v1"
    visibility: ClassVar[Visibility] = Visibility.COUNCIL


EVENTS = (PersonRegistered, RoleGranted, RoleRevoked)
