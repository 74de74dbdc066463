"""A log that is full begins nothing new, and goes on with whatever has begun."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date
from typing import Final

import pytest

from emulation_saas.agencies.events import AgencyRegistered, AgencyRenamed
from emulation_saas.agencies.use_cases import RenameAgency
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId
from emulation_saas.log import MasterKey
from emulation_saas.log.room import LogFull, Room
from emulation_saas.postgres.database import open_database
from emulation_saas.wiring import BEGINNINGS, logs_of
from tests.builders import AGENCY
from tests.logs import MASTER_KEY, Opened, open_province, register

DAY: Final = date(2020, 1, 1)
REGISTERED: Final = AgencyRegistered(agency=AGENCY, name="Sở Nội vụ", aliases=[], effective_on=DAY)
RENAMED: Final = AgencyRenamed(agency=AGENCY, name="Sở khác", effective_on=DAY, legal_basis="QĐ 1")


@pytest.mark.parametrize(
    ("position", "event", "fits"), [(9, REGISTERED, True), (10, REGISTERED, False), (10, RENAMED, True)]
)
def test_the_last_place_is_taken_and_the_one_after_it_only_by_what_goes_on(
    position: int, event: Event, *, fits: bool
) -> None:
    room = Room(10, BEGINNINGS)
    if fits:
        room.demand(position, [event])
        return
    with pytest.raises(LogFull):
        room.demand(position, [event])


def test_what_goes_on_takes_along_nothing_that_begins() -> None:
    with pytest.raises(LogFull):
        Room(10, BEGINNINGS).demand(9, [RENAMED, REGISTERED])


@asynccontextmanager
async def small(url: str, events_max: int) -> AsyncGenerator[Opened]:
    """Lend a province whose log is to hold so many events."""
    async with open_database(url) as database:
        made = logs_of(database, origin="log.test", master=MasterKey(MASTER_KEY), events_max=events_max)
        async with made.running() as logs:
            yield await open_province(logs)


async def test_a_full_log_refuses_before_it_appends(database_url: str) -> None:
    async with small(database_url, events_max=6) as province:
        assert (await province.log.head()).position == 5
        taken = await province.log.execute(register("noi-vu"), by=province.acting("k"))
        assert taken.position == 6
        with pytest.raises(LogFull):
            await province.log.execute(register("tai-chinh"), by=province.acting())
        assert (await province.log.head()).position == 6
        assert await province.log.execute(register("noi-vu"), by=province.acting("k")) == taken, "asked again"
        renaming = RenameAgency(
            agency=AgencyId("noi-vu"), name="Sở khác", effective_on=date(2021, 1, 1), legal_basis="Q"
        )
        assert (await province.log.execute(renaming, by=province.acting())).position == 7
