"""Rebuilding: a projection's documents are made again from the log, in memory, and put in place at once.

While it folds, the documents that are there go on being read and kept up. At the end it holds the checkpoint and, once
nobody has got further, swaps documents, quarantine and checkpoint in one transaction: readers see the old ones or the
new ones, and the live runner goes on from there.
"""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from emulation_saas.log import ProvinceLog
from emulation_saas.postgres.database import Database
from emulation_saas.projecting.folding import Documents, Stored, fold_keeping, poisons, written
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.projecting.replaying import parts_of, without_cycle_search
from emulation_saas.projecting.storing import Store

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
        progress: told after every part.
    """
    folding = _Folding(log, projection)
    head = (await log.head()).position
    with without_cycle_search():
        await folding.go_on(head, progress)
    while True:
        documents = written(projection, folding.documents, folding.documents)  # before the checkpoint is held
        stopped = poisons(projection, folding.documents, folding.documents)
        async with database.in_province(log.province) as connection:
            store = Store(connection, log.province)
            await store.be_heard()
            reached = await store.hold_checkpoint(projection)
            if reached <= folding.position:
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
        self.position = 0
        self.events = 0
        self.documents: Documents = {}
        self.snapshots: list[Stored] = []

    async def go_on(self, through: int, progress: Progress | None = None) -> None:
        """Fold what follows, up to and including a position."""
        projection = self._projection
        async with aclosing(parts_of(self._log, projection.reads, after=self.position, through=through)) as parts:
            async for part, reached in parts:
                _, snapshots = fold_keeping(projection, self.documents, part, after=self.position, through=reached)
                self.snapshots += snapshots
                self.position = reached
                self.events += len(part)
                if progress is not None:
                    progress(reached, through)
