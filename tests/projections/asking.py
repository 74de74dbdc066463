"""Asking a real log through the reader, as a route does."""
# ruff: noqa: ANN401 - answers are read as callers read them, whatever their type

from datetime import date
from typing import Any

import msgspec

from emulation_saas.agencies.events import AgencyRegistered
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import AgencyId, BallotId, DisputeId
from emulation_saas.projecting import AnyProjection, Reader
from emulation_saas.projecting.reading import Query, Reading
from emulation_saas.projecting.refusals import NoSuchDocument
from emulation_saas.projecting.views import View, Where
from projections.pledge_book import PledgeBook
from projections.roster import Roster
from projections.standings import Standings
from projections.timeline import Timeline
from tests.projections.histories import AGENCIES, BLOCS, YEARS
from tests.projections.live import Place
from tests.scenario import ADMIN

WHERES = [
    Where(bloc=bloc, year=year, agency=agency, ballot=BallotId("b-0"), dispute=DisputeId("d-0"))
    for bloc in BLOCS
    for year in YEARS
    for agency in AGENCIES[:1]
]
LONG_AGO = date(2020, 1, 1)


def agency(handle: str) -> AgencyRegistered:
    return AgencyRegistered(agency=AgencyId(handle), name=f"Sở {handle}", aliases=[], effective_on=LONG_AGO)


def view_of(projection: AnyProjection, ending: str) -> tuple[AnyProjection, View[Any]]:
    return projection, next(view for view in projection.views if view.path.endswith(ending))


ROSTER = view_of(Roster(), "/agencies")
STANDINGS = view_of(Standings(), "/standings")
TIMELINE = view_of(Timeline(), "/timeline")
PLEDGE = view_of(PledgeBook(), "/pledge")


async def ask(
    there: Place,
    question: tuple[AnyProjection, View[Any]],
    where: Where | None = None,
    *,
    may: Authority = ADMIN,
    log: Any = None,
    wait_max_s: float = 5.0,
    **query: Any,
) -> Reading:
    reader = Reader(there.database, wait_max_s=wait_max_s)
    return await reader.read(log or there.log, may, question, where or WHERES[0], Query(**query))


async def found(there: Place, *question: Any, **query: Any) -> Any:
    """Return the answer's document as a caller reads it; None where there is none."""
    try:
        return msgspec.json.decode((await ask(there, *question, **query)).body)
    except NoSuchDocument:
        return None
