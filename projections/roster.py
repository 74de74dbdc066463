"""Who is there: agencies with their names by date, blocs with their members by date; on any day.

Figures: `agencies/{agency}/name`, `agencies/{agency}/aliases`, `blocs/{bloc}`, `blocs/{bloc}/{agency}`.
"""

from collections.abc import Sequence
from datetime import date
from itertools import islice
from typing import ClassVar, Final

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from emulation_saas.agencies.events import AgencyAliasAdded, AgencyRegistered, AgencyRenamed
from emulation_saas.blocs.events import (
    BlocEstablished,
    BlocEvent,
    BlocKind,
    MemberAdmitted,
    Membership,
    MemberWithdrawn,
)
from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.projecting.projection import WHOLE, Projection
from emulation_saas.projecting.views import Asked, Document, DocumentView, Listing, View, whole
from emulation_saas.provinces.events import ProvinceOpened
from projections.names import NameFrom, borne_on


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


class Roster(Projection[Register]):
    """Who is there, under which name, and who is a member of what; on any day."""

    name: ClassVar[str] = "roster"
    version: ClassVar[int] = 1
    reads: ClassVar[tuple[type[Event], ...]] = (
        ProvinceOpened,
        AgencyRegistered,
        AgencyRenamed,
        AgencyAliasAdded,
        BlocEstablished,
        MemberAdmitted,
        MemberWithdrawn,
    )
    is_province_wide: ClassVar[bool] = True

    def key(self, event: Event) -> str:
        return WHOLE

    def tags_of(self, key: str) -> list[str]:
        return []

    def initial(self) -> Register:
        return Register()

    def evolve(self, state: Register, recorded: AnyRecorded) -> Register:
        position = recorded.position
        match recorded.event:
            case ProvinceOpened():  # there is a document, and nothing in it yet
                return state
            case AgencyRegistered(agency=agency, name=name, aliases=aliases, code=code, effective_on=day):
                known = Agency(
                    names=(NameFrom(name=name, effective_on=day, position=position),),
                    aliases=dict.fromkeys(aliases, position),
                    code=code,
                )
                return replace(state, agencies={**state.agencies, agency: known})
            case AgencyRenamed(agency=agency, name=name, effective_on=day):
                known = state.agencies[agency]
                names = (*known.names, NameFrom(name=name, effective_on=day, position=position))
                return replace(state, agencies={**state.agencies, agency: replace(known, names=names)})
            case AgencyAliasAdded(agency=agency, alias=alias):
                known = state.agencies[agency]
                noted = replace(known, aliases={**known.aliases, alias: position})
                return replace(state, agencies={**state.agencies, agency: noted})
            case event:
                return replace(state, blocs={**state.blocs, event.bloc: _bloc_after(state, event, position)})

    def reasons(self, state: Register, figure: str) -> list[int]:
        match figure.split("/"):
            case ["agencies", agency, "name"] if AgencyId(agency) in state.agencies:
                return [named.position for named in state.agencies[AgencyId(agency)].names]
            case ["agencies", agency, "aliases"] if AgencyId(agency) in state.agencies:
                return sorted(set(state.agencies[AgencyId(agency)].aliases.values()))
            case ["blocs", bloc] if BlocId(bloc) in state.blocs:
                return [state.blocs[BlocId(bloc)].established_at]
            case ["blocs", bloc, agency] if BlocId(bloc) in state.blocs:
                return list(state.blocs[BlocId(bloc)].decided_at.get(AgencyId(agency), ()))
            case _:
                return []

    @property
    def views(self) -> Sequence[View[Register]]:
        return VIEWS


def _bloc_after(state: Register, event: BlocEvent, position: int) -> Bloc:
    bloc = state.blocs.get(event.bloc, Bloc())
    membership = bloc.membership.after(event)
    match event:
        case BlocEstablished():
            return Bloc(established=event, established_at=position, membership=membership)
        case MemberAdmitted(agency=agency) | MemberWithdrawn(agency=agency):
            decided_at = {**bloc.decided_at, agency: (*bloc.decided_at.get(agency, ()), position)}
            return replace(bloc, membership=membership, decided_at=decided_at)
        case _:  # pragma: no cover - `reads` names no other
            return bloc


def _agency(state: Register, asked: Asked) -> AgencyDocument | None:
    agency = state.agencies.get(asked.where.agency)
    borne = None if agency is None else borne_on(agency.names, asked.valid_on)
    if agency is None or borne is None:
        return None
    return AgencyDocument(
        agency=asked.where.agency,
        name=borne.name,
        aliases=list(agency.aliases),
        code=agency.code,
        names=list(agency.names),
    )


def _agencies(state: Register, asked: Asked) -> AgenciesDocument:
    named = (
        AgencyLine(agency=handle, name=borne.name, code=agency.code)
        for handle, agency in sorted(state.agencies.items())
        if handle > asked.after and (borne := borne_on(agency.names, asked.valid_on)) is not None
    )
    lines = list(islice(named, asked.limit + 1))
    agencies, following = lines[: asked.limit], lines[asked.limit :]
    return AgenciesDocument(agencies=agencies, next=agencies[-1].agency if following else UNSET)


def _bloc(state: Register, asked: Asked) -> BlocDocument | None:
    bloc = state.blocs.get(asked.where.bloc)
    if bloc is None or bloc.established is None or bloc.established.effective_on > asked.valid_on:
        return None
    return BlocDocument(
        bloc=asked.where.bloc,
        name=bloc.established.name,
        aliases=bloc.established.aliases,
        kind=bloc.established.kind,
        effective_on=bloc.established.effective_on,
        legal_basis=bloc.established.legal_basis,
        members=[_member(state, bloc, agency, asked.valid_on) for agency in bloc.membership.on(asked.valid_on)],
    )


def _member(state: Register, bloc: Bloc, agency: AgencyId, day: date) -> MemberLine:
    span = next(span for span in bloc.membership.intervals[agency] if span.covers(day))
    known = state.agencies.get(agency)
    borne = None if known is None else borne_on(known.names, day)
    return MemberLine(
        agency=agency,
        name=UNSET if borne is None else borne.name,
        since=span.start,
        until=UNSET if span.end is None else span.end,
    )


def _blocs(state: Register, asked: Asked) -> BlocsDocument:
    existing = (
        BlocLine(
            bloc=handle,
            name=bloc.established.name,
            kind=bloc.established.kind,
            members=len(bloc.membership.on(asked.valid_on)),
        )
        for handle, bloc in sorted(state.blocs.items())
        if handle > asked.after and bloc.established is not None and bloc.established.effective_on <= asked.valid_on
    )
    lines = list(islice(existing, asked.limit + 1))
    blocs, following = lines[: asked.limit], lines[asked.limit :]
    return BlocsDocument(blocs=blocs, next=blocs[-1].bloc if following else UNSET)


VIEWS: Final[Sequence[View[Register]]] = (
    DocumentView(
        path="/agencies",
        summary="The agencies of a day",
        document=AgenciesDocument,
        is_dated=True,
        is_paged=True,
        key=whole,
        render=_agencies,
    ),
    DocumentView(
        path="/agencies/{agency}",
        summary="An agency and its name on a day",
        document=AgencyDocument,
        is_dated=True,
        key=whole,
        render=_agency,
    ),
    DocumentView(
        path="/blocs",
        summary="The blocs of a day",
        document=BlocsDocument,
        is_dated=True,
        is_paged=True,
        key=whole,
        render=_blocs,
    ),
    DocumentView(
        path="/blocs/{bloc}",
        summary="A bloc and its members on a day",
        document=BlocDocument,
        is_dated=True,
        key=whole,
        render=_bloc,
    ),
)
