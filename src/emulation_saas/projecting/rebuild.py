"""Rebuilding: a projection's documents are made again from the log, in memory, and put in place at once.

While it folds, the documents that are there go on being read and kept up. At the end it holds the checkpoint and, once
nobody has got further, swaps documents, quarantine and checkpoint in one transaction: readers see the old ones or the
new ones, and the live runner goes on from there.
"""

import asyncio
import gc
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.log import ProvinceLog
from emulation_saas.postgres.database import Database
from emulation_saas.projecting.folding import Documents, Stored, fold_keeping, poisons, written
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.projecting.storing import Store

WINDOW: Final = 4_000
"""Positions read at a time."""
SLICE: Final = 500
"""Events folded before others in this process get their turn, the reading of the next window among them."""
DENSE: Final = 4
"""From every fourth event on, reading all of a window costs less than looking for those that are read."""

Progress = Callable[[int, int], None]
"""Told the position reached and the head as it was at the beginning."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did."""

    position: int
    """At which the new documents are true."""
    events: int
    """How many events were folded."""
    documents: int
    quarantined: int


async def rebuild(
    log: ProvinceLog, database: Database, projection: AnyProjection, *, progress: Progress | None = None
) -> Rebuilt:
    """Make a projection's documents of one province again, from the log alone. Lifts its quarantine.

    Args:
        log: the province's log.
        database: where the documents lie.
        projection: which one.
        progress: told after every window.
    """
    folding = _Folding(log, projection)
    head = (await log.head()).position
    with _without_cycle_search():
        await folding.go_on(head, progress)
    while True:
        async with database.in_province(log.province) as connection:
            store = Store(connection, log.province)
            reached = await store.hold_checkpoint(projection)
            if reached <= folding.position:
                documents = written(projection, folding.documents, folding.documents)
                stopped = poisons(projection, folding.documents, folding.documents)
                await store.forget(projection)
                await store.store([(projection, stored) for stored in documents])
                await store.store_snapshots(projection, folding.snapshots)
                if stopped:
                    await store.quarantine(stopped)
                await store.move_checkpoints([projection], folding.position)
                return Rebuilt(folding.position, folding.events, len(documents), len(stopped))
        # Kept up meanwhile: the documents must not go back. To the head, so as to be ahead of who keeps them up; and
        # without the connection, as reading the log takes one, and all of a pool's may be held like this.
        await folding.go_on(max(reached, (await log.head()).position))


class _Folding:
    """A projection's documents while they are being made."""

    def __init__(self, log: ProvinceLog, projection: AnyProjection) -> None:
        self._log = log
        self._projection = projection
        self._is_dense = False
        self.position = 0
        self.events = 0
        self.documents: Documents = {}
        self.snapshots: list[Stored] = []

    async def go_on(self, through: int, progress: Progress | None = None) -> None:
        """Fold what follows, up to and including a position; the next window is read while one is folded."""
        coming = self._reading(self.position, through)
        try:
            while self.position < through:
                recorded = await coming
                window_end = min(self.position + WINDOW, through)
                coming = self._reading(window_end, through)
                await self._fold(recorded, window_end)
                if progress is not None:
                    progress(self.position, through)
        finally:
            coming.cancel()

    def _reading(self, after: int, through: int) -> "asyncio.Task[list[AnyRecorded]]":
        return asyncio.create_task(self._read(after, min(after + WINDOW, through)))

    async def _read(self, after: int, through: int) -> list[AnyRecorded]:
        if after >= through:
            return []
        selectors = [] if self._is_dense else [Selector(types=list(self._projection.reads))]
        recorded = await self._log.recorded(selectors, after=after, through=through)
        if self._is_dense:
            read_types = self._projection.read_types
            recorded = [each for each in recorded if type(each.event) in read_types]
        self._is_dense = len(recorded) * DENSE >= through - after
        return recorded

    async def _fold(self, recorded: Sequence[AnyRecorded], through: int) -> None:
        """Fold one window."""
        for first in range(0, len(recorded), SLICE):
            part = recorded[first : first + SLICE]
            is_last = first + SLICE >= len(recorded)
            self._take(part, through if is_last else part[-1].position)
            await asyncio.sleep(0)
        if not recorded:
            self._take((), through)
        self.events += len(recorded)

    def _take(self, part: Sequence[AnyRecorded], through: int) -> None:
        _, snapshots = fold_keeping(self._projection, self.documents, part, after=self.position, through=through)
        self.snapshots += snapshots
        self.position = through


@contextmanager
def _without_cycle_search() -> Generator[None]:
    """Let reference counts alone free what is folded: nothing in it is cyclic; looking takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
