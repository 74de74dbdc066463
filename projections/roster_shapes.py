"""What the roster keeps of agencies and blocs, and what it answers."""

from datetime import date

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.blocs.events import BlocEstablished, BlocKind, Membership
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.projecting.views import Document, Listing
from projections.names import NameFrom


class Agency(msgspec.Struct, frozen=True, kw_only=True):
    """One agency, on all days."""

    names: tuple[NameFrom, ...]
    aliases: dict[str, int]
    """Each with the position that noted it."""
    code: str | UnsetType = UNSET


class Bloc(msgspec.Struct, frozen=True, kw_only=True):
    """One bloc, on all days."""

    established: BlocEstablished | None = None
    established_at: int = 0
    membership: Membership = Membership()
    decided_at: dict[AgencyId, tuple[int, ...]] = {}
    """Where each member was admitted and withdrawn."""


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """The state: everything by handle."""

    agencies: dict[AgencyId, Agency] = {}
    blocs: dict[BlocId, Bloc] = {}


class AgencyDocument(Document, frozen=True, kw_only=True):
    """An agency, what it is called on the day, and all names it was ever given."""

    agency: AgencyId
    name: str
    aliases: list[str]
    code: str | UnsetType = UNSET
    names: list[NameFrom]


class AgencyLine(msgspec.Struct, frozen=True, kw_only=True):
    """An agency as it is called on the day."""

    agency: AgencyId
    name: str
    code: str | UnsetType = UNSET


class AgenciesDocument(Listing, frozen=True, kw_only=True):
    """The agencies that bear a name on the day, by handle."""

    agencies: list[AgencyLine]


class MemberLine(msgspec.Struct, frozen=True, kw_only=True):
    """A member on the day, since when, and until when if that is decided."""

    agency: AgencyId
    name: str | UnsetType = UNSET
    since: date
    until: date | UnsetType = UNSET


class BlocDocument(Document, frozen=True, kw_only=True):
    """A bloc and its members on the day, in the order of their admission."""

    bloc: BlocId
    name: str
    aliases: list[str]
    kind: BlocKind
    effective_on: date
    legal_basis: str
    members: list[MemberLine]


class BlocLine(msgspec.Struct, frozen=True, kw_only=True):
    """A bloc, and how many members it has on the day."""

    bloc: BlocId
    name: str
    kind: BlocKind
    members: int


class BlocsDocument(Listing, frozen=True, kw_only=True):
    """The blocs that exist on the day, by handle."""

    blocs: list[BlocLine]
