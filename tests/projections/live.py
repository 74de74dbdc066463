"""A province with a real log and real documents, into which any events can be told."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, Final

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.kernel.ids import OPERATOR
from emulation_saas.kernel.use_cases import Acting, Selector, UseCase
from emulation_saas.log import ProvinceLog, ProvinceLogs
from emulation_saas.postgres.database import Database, open_database
from emulation_saas.projecting import Runner
from emulation_saas.projecting.folding import Documents
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.projecting.storing import Store
from emulation_saas.projecting.views import KEY_END, Scope
from projections import PROJECTIONS
from tests.logs import open_province, running_logs
from tests.projections.histories import STEPS, tell

EVENTS_MAX: Final = 100
"""Of one command."""
ALL: Final = Scope(first="", last=KEY_END, documents_max=100_000)
PATIENCE_S: Final = 20.0


@dataclass(frozen=True)
class Tell(UseCase[None]):
    """These events happened; nothing is decided."""

    events: tuple[Event, ...]

    def facts(self) -> Sequence[Selector]:
        return []

    @staticmethod
    def initial() -> None:
        return None

    @staticmethod
    def evolve(view: None, event: Event) -> None:
        del event
        return view

    def decide(self, view: None, may: Authority, now: datetime) -> Sequence[Event]:
        del view, may, now
        return self.events


@dataclass(frozen=True)
class Place:
    """A province, its log, and the database in which its documents lie."""

    logs: ProvinceLogs
    log: ProvinceLog
    database: Database

    async def tell(self, *events: Event) -> int:
        """Record events; return the head's position."""
        position = 0
        for first in range(0, len(events), EVENTS_MAX):
            told = Tell(events[first : first + EVENTS_MAX])
            position = (await self.log.execute(told, by=Acting(OPERATOR))).position
        return position

    async def tell_one_by_one(self, events: Sequence[Event]) -> None:
        """Record events, each by a command of its own."""
        for event in events:
            await self.tell(event)

    async def history(self) -> list[AnyRecorded]:
        """Return everything that was recorded."""
        return await self.log.recorded()

    async def stored(self, projection: AnyProjection) -> Documents:
        """Return the documents of a projection as they are stored."""
        async with self.database.in_province(self.log.province) as connection:
            span = await Store(connection, self.log.province).span(projection, ALL)
        return {} if span is None else span.documents

    async def checkpoint(self, projection: AnyProjection) -> int:
        """Return how far a projection is; -1 when it was never built."""
        async with self.database.in_province(self.log.province) as connection:
            known = await Store(connection, self.log.province).checkpoints([projection])
        return known.get(projection.name, -1)

    async def reached(self, position: int, projections: Sequence[AnyProjection] = PROJECTIONS) -> None:
        """Wait until all projections stand at a position."""
        await eventually(
            lambda: self._are_at(position, projections), f"projections did not reach {position} in {PATIENCE_S} s"
        )

    async def _are_at(self, position: int, projections: Sequence[AnyProjection]) -> bool:
        return min([await self.checkpoint(projection) for projection in projections]) >= position


@asynccontextmanager
async def place(url: str) -> AsyncGenerator[Place]:
    """Lend an open province."""
    async with running_logs(url) as logs, open_database(url) as database:
        opened = await open_province(logs)
        yield Place(logs, opened.log, database)


@asynccontextmanager
async def running(
    there: Place, projections: Sequence[AnyProjection] = PROJECTIONS, *, runner: type[Runner] = Runner
) -> AsyncGenerator[Runner]:
    """Keep the documents up while inside."""
    kept_up_by = runner(there.logs, there.database, projections, pace_s=0.0)
    task = asyncio.create_task(kept_up_by.run())
    try:
        yield kept_up_by
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=PATIENCE_S)
        assert task.cancelled()


async def eventually(is_so: Callable[[], Any], otherwise: str) -> None:
    """Wait until something is so."""
    for _ in range(int(PATIENCE_S / 0.02)):
        if await is_so():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(otherwise)


def told(seed: int, steps: int = 120) -> list[Event]:
    """Return one of the random histories, without what only a log can say."""
    chance = Random(seed)  # noqa: S311 - the same each time
    history = tell([(chance.choice(STEPS), chance.randrange(2**40)) for _ in range(steps)])
    return [recorded.event for recorded in history if not recorded.event.type.startswith("log.")]
