"""One province from its opening to the year under way: each bloc by itself, so that many commands queue at once."""

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Final

from emulation_saas.generating.beginnings import begin_year, review_year
from emulation_saas.generating.blocs import MEMBERS_MAX, Bloc, bloc_of, enter_bloc, enter_change
from emulation_saas.generating.conference import confer
from emulation_saas.generating.contesting import contest_scores
from emulation_saas.generating.desk import COMMANDS_AT_ONCE, Desk
from emulation_saas.generating.roster import Roster, enter_roster, roster_of
from emulation_saas.generating.scoring import appraise, claim, rate_and_rank
from emulation_saas.generating.under_way import call_roll
from emulation_saas.kernel.ids import OPERATOR
from emulation_saas.kernel.use_cases import Acting, Selector
from emulation_saas.log import ProvinceLog, ProvinceLogs
from emulation_saas.years.events import YearClosed
from emulation_saas.years.use_cases import CloseYear

YEAR_NOW: Final = 2026
"""The year that is under way; the years before it are closed. No clock is asked: a plan is the same on any day."""
YEARS_MAX: Final = 28
EVENTS_A_YEAR: Final = 196
"""About how many events a bloc's closed year leads to."""
BLOCS_AT_ONCE: Final = 48
"""Blocs of a province that go on at the same time: enough commands queue for a full batch."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one province is made from: the same plan gives the same facts."""

    province: str
    seed: int
    blocs: int
    years: int

    @property
    def closed(self) -> range:
        """The years that are closed."""
        return range(YEAR_NOW - self.years, YEAR_NOW)

    def chance(self, place: str) -> Random:
        """Return the chance by which a place is made, whatever happens elsewhere."""
        return Random(f"{self.seed}/{self.province}/{place}")  # noqa: S311 - it makes up data, and guards nothing

    def roster(self) -> Roster:
        """Return who there is."""
        described = f"--seed {self.seed} --blocs {self.blocs} --years {self.years}"
        return roster_of(self.province, agencies=self.blocs * MEMBERS_MAX + MEMBERS_MAX, described=described)

    def bloc(self, roster: Roster, number: int) -> Bloc:
        """Return the bloc of a number, counted from 1."""
        return bloc_of(roster, number, self.closed, self.chance(f"bloc-{number}"))


def blocs_for(events: int, *, years: int) -> int:
    """Return how many blocs it takes for about so many events in so many closed years."""
    return max(1, round(events / (EVENTS_A_YEAR * years + EVENTS_A_YEAR // 6)))


async def generate(logs: ProvinceLogs, plan: Plan) -> ProvinceLog:
    """Make a province, or go on with it where it was left; return its log.

    Raises:
        ProvinceHandleTaken: the province holds something else: it was opened otherwise, or from another plan.
        OutcomeUnknownError: the database failed; the same plan goes on where it was.
    """
    roster = plan.roster()
    await logs.open(plan.province, roster.opening(), by=Acting(OPERATOR))
    log = await logs.find(plan.province)
    if log is None:  # pragma: no cover - it was opened just now
        raise LookupError(plan.province)
    turns = asyncio.Semaphore(COMMANDS_AT_ONCE)
    if not (await log.authority(roster.council)).is_council:
        await enter_roster(Desk(log, turns, "roster"), roster, plan.chance("roster"))
    closings = await log.recorded([Selector(types=[YearClosed])])
    done = {(each.event.bloc, each.event.year) for each in closings}
    running = asyncio.Semaphore(BLOCS_AT_ONCE)

    async def run(number: int) -> None:
        async with running:
            bloc = plan.bloc(roster, number)
            if (bloc.bloc, plan.closed[0]) not in done:
                await enter_bloc(Desk(log, turns, f"{bloc.bloc}"), roster, bloc, plan.closed[0])
            for year in plan.closed:
                if (bloc.bloc, year) not in done:
                    await _closed_year(Desk(log, turns, f"{bloc.bloc}/{year}"), plan, roster, bloc, year)
            await _year_now(Desk(log, turns, f"{bloc.bloc}/{YEAR_NOW}"), plan, bloc)

    async with asyncio.TaskGroup() as group:
        for number in range(1, plan.blocs + 1):
            group.create_task(run(number))
    return log


async def _closed_year(desk: Desk, plan: Plan, roster: Roster, bloc: Bloc, year: int) -> None:
    chance = plan.chance(f"{bloc.bloc}/{year}")
    await begin_year(desk, bloc, year, is_past=True)
    await enter_change(desk, roster, bloc, year)
    await review_year(desk, bloc, year, chance, is_past=True)
    sheets = await claim(desk, bloc, year, chance)
    appraised = await appraise(desk, bloc, year, sheets, chance)
    await rate_and_rank(desk, bloc, year, chance)
    await contest_scores(desk, roster, bloc, year, appraised, chance)
    await confer(desk, roster, bloc, year, chance)
    await desk.enter(bloc.secretary, CloseYear(bloc=bloc.bloc, year=year))


async def _year_now(desk: Desk, plan: Plan, bloc: Bloc) -> None:
    chance = plan.chance(f"{bloc.bloc}/{YEAR_NOW}")
    await begin_year(desk, bloc, YEAR_NOW, is_past=False)
    await review_year(desk, bloc, YEAR_NOW, chance, is_past=False)
    await call_roll(desk, bloc, YEAR_NOW, chance)
