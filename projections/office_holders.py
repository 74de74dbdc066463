"""Who holds a bloc's offices in a year, on a day: of elections and appointments made by that day, the last recorded.

One document a bloc. Figures: `{for_year}/{office}`.
"""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.blocs.events import BlocEstablished, BlocEvent
from emulation_saas.kernel.authority import Office
from emulation_saas.kernel.clock import day_of
from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId
from emulation_saas.offices.events import OfficeAppointed, OfficeElected, OfficeEvent
from emulation_saas.projecting.figures import Figure, FigureRule, Figures
from emulation_saas.projecting.projection import Projection
from emulation_saas.projecting.views import Asked, Document, DocumentView, Position, View


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who got an office, how, and on which day."""

    office: Office
    agency: AgencyId
    because: Literal["elected", "appointed"]
    ballot: BallotId | UnsetType = UNSET
    authority: str | UnsetType = UNSET
    document_no: str | UnsetType = UNSET
    since: date
    position: Position


_HOLDER: Final = FigureRule("office_holders.last-given@1", "The last that was given by the day; null: none", "latest")


class Holders(msgspec.Struct, frozen=True, kw_only=True):
    """The state: all holders of a bloc's offices, by the year served, in the order of recording."""

    years: dict[int, tuple[Holder, ...]] = {}


class OfficesDocument(Document, frozen=True, kw_only=True):
    """Who holds the bloc's offices in the year served, on the day; and who did before."""

    bloc: BlocId
    for_year: int
    offices: list[Holder]
    earlier: list[Holder]


class OfficeHolders(Projection[Holders]):
    """Who holds which office."""

    name: ClassVar[str] = "office_holders"
    version: ClassVar[int] = 1
    reads: ClassVar[tuple[type[Event], ...]] = (BlocEstablished, OfficeElected, OfficeAppointed)

    def key(self, event: BlocEvent | OfficeEvent) -> str:
        return event.bloc

    def tags_of(self, key: str) -> list[str]:
        return [f"bloc:{key}"]

    def initial(self) -> Holders:
        return Holders()

    def evolve(self, state: Holders, recorded: AnyRecorded) -> Holders:
        since, position = day_of(recorded.time), recorded.position
        match recorded.event:
            case OfficeElected() as elected:
                holder = Holder(
                    office=elected.office,
                    agency=elected.agency,
                    because="elected",
                    ballot=elected.ballot,
                    since=since,
                    position=position,
                )
                return _having(state, elected.for_year, holder)
            case OfficeAppointed() as appointed:
                holder = Holder(
                    office=appointed.office,
                    agency=appointed.agency,
                    because="appointed",
                    authority=appointed.authority,
                    document_no=appointed.document_no,
                    since=since,
                    position=position,
                )
                return _having(state, appointed.for_year, holder)
            case _:  # the bloc was established: there is a document, and no holder yet
                return state

    def figures(self, state: Holders, on: date) -> Figures:
        figures: dict[str, Figure] = {}
        for year, holders in state.years.items():
            for office in {holder.office for holder in holders}:
                of_office = [holder for holder in holders if holder.office == office]
                by_then = [holder for holder in of_office if holder.since <= on][-1:]
                at = tuple(holder.position for holder in by_then or of_office)
                figures[f"{year}/{office}"] = Figure(by_then[0].agency if by_then else None, _HOLDER, at=at)
        return figures

    @property
    def views(self) -> Sequence[View[Holders]]:
        return VIEWS


def _having(state: Holders, year: int, holder: Holder) -> Holders:
    return Holders(years={**state.years, year: (*state.years.get(year, ()), holder)})


def _of(state: Holders, year: int, asked: Asked) -> OfficesDocument:
    known = [holder for holder in state.years.get(year, ()) if holder.since <= asked.valid_on]
    last = {holder.office: holder for holder in known}
    return OfficesDocument(
        bloc=asked.where.bloc,
        for_year=year,
        offices=[last[office] for office in ORDER if office in last],
        earlier=[holder for holder in known if holder is not last[holder.office]],
    )


def _on_day(state: Holders, asked: Asked) -> OfficesDocument:
    return _of(state, asked.valid_on.year, asked)


def _in_year(state: Holders, asked: Asked) -> OfficesDocument:
    return _of(state, asked.where.year, asked)


ORDER: Final[tuple[Office, ...]] = ("head", "deputy")

VIEWS: Final[Sequence[View[Holders]]] = (
    DocumentView(
        path="/blocs/{bloc}/offices",
        summary="Who holds the bloc's offices on a day",
        document=OfficesDocument,
        is_dated=True,
        key="{bloc}",
        render=_on_day,
    ),
    DocumentView(
        path="/blocs/{bloc}/years/{year}/offices",
        about="{year}",
        summary="Who holds the bloc's offices of a year",
        document=OfficesDocument,
        is_dated=True,
        key="{bloc}",
        render=_in_year,
    ),
)
