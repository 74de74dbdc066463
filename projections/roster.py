"""Who is there: agencies with their names by date, blocs with their members by date; on any day.

Figures: `agencies/{agency}/name`, `agencies/{agency}/aliases`, `blocs/{bloc}/name`, `blocs/{bloc}/members`, their
number, and `blocs/{bloc}/members/{agency}`, each on the day.
"""

from collections.abc import Sequence
from datetime import date
from itertools import islice
from typing import ClassVar, Final

from msgspec import UNSET
from msgspec.structs import replace

from emulation_saas.agencies.events import AgencyAliasAdded, AgencyRegistered, AgencyRenamed
from emulation_saas.blocs.events import (
    BlocEstablished,
    BlocEvent,
    MemberAdmitted,
    MemberWithdrawn,
)
from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.kernel.ids import AgencyId
from emulation_saas.projecting.figures import Figure, FigureRule, Figures
from emulation_saas.projecting.projection import WHOLE, Projection
from emulation_saas.projecting.views import Asked, DocumentView, View
from emulation_saas.provinces.events import ProvinceOpened
from projections.names import NameFrom, borne_on
from projections.roster_shapes import (
    AgenciesDocument,
    Agency,
    AgencyDocument,
    AgencyLine,
    Bloc,
    BlocDocument,
    BlocLine,
    BlocsDocument,
    MemberLine,
    Register,
)

_NAME: Final = FigureRule("roster.name-of-the-day@1", "The last name to take effect by the day; null: none", "latest")
_ALIASES: Final = FigureRule("roster.aliases@1", "All that documents also write")
_BLOC: Final = FigureRule("roster.established-as@1", "The name under which the bloc was established", "latest")
_MEMBER: Final = FigureRule("roster.member-on-the-day@1", "The membership that spans the day; null: none", "latest")
_MEMBERS: Final = FigureRule("roster.members-on-the-day@1", "How many are members on the day", "count")


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

    def figures(self, state: Register, on: date) -> Figures:
        figures: dict[str, Figure] = {}
        for handle, agency in state.agencies.items():
            figures |= {f"agencies/{handle}/{name}": figure for name, figure in _figures_of_agency(agency, on).items()}
        for bloc, known in state.blocs.items():
            figures |= _figures_of_bloc(f"blocs/{bloc}", known, on)
        return figures

    @property
    def views(self) -> Sequence[View[Register]]:
        return VIEWS


def _figures_of_agency(agency: Agency, on: date) -> Figures:
    borne = borne_on(agency.names, on)
    registered_at = agency.names[0].position
    return {
        "name": Figure(
            None if borne is None else borne.name, _NAME, at=tuple(given.position for given in agency.names)
        ),
        "aliases": Figure(list(agency.aliases), _ALIASES, at=(registered_at, *sorted(set(agency.aliases.values())))),
    }


def _figures_of_bloc(folder: str, bloc: Bloc, on: date) -> Figures:
    figures: dict[str, Figure] = {}
    for agency, decided_at in bloc.decided_at.items():
        span = next((span for span in bloc.membership.intervals[agency] if span.covers(on)), None)
        value = None if span is None else {"since": span.start, "until": span.end}
        figures[f"{folder}/members/{agency}"] = Figure(value, _MEMBER, at=decided_at)
    if bloc.established is not None:
        figures[f"{folder}/name"] = Figure(bloc.established.name, _BLOC, at=(bloc.established_at,))
        members = tuple(f"{folder}/members/{agency}" for agency in bloc.membership.on(on))
        figures[f"{folder}/members"] = Figure(len(members), _MEMBERS, at=(bloc.established_at,), inputs=members)
    return figures


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
        about="agencies",
        summary="The agencies of a day",
        document=AgenciesDocument,
        is_dated=True,
        is_paged=True,
        key=WHOLE,
        render=_agencies,
    ),
    DocumentView(
        path="/agencies/{agency}",
        about="agencies/{agency}",
        summary="An agency and its name on a day",
        document=AgencyDocument,
        is_dated=True,
        key=WHOLE,
        render=_agency,
    ),
    DocumentView(
        path="/blocs",
        about="blocs",
        summary="The blocs of a day",
        document=BlocsDocument,
        is_dated=True,
        is_paged=True,
        key=WHOLE,
        render=_blocs,
    ),
    DocumentView(
        path="/blocs/{bloc}",
        about="blocs/{bloc}",
        summary="A bloc and its members on a day",
        document=BlocDocument,
        is_dated=True,
        key=WHOLE,
        render=_bloc,
    ),
)
