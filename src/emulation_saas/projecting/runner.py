"""Keeps every projection of every province up with its log. Several processes may do so; one is at work at a time.

    tail ──▶ batch ──▶ take the province's checkpoints ──▶ load, fold, write, move checkpoints ──▶ commit
                            │ another process holds them          │ an event cannot be folded
                            └─▶ wait, ask again                   └─▶ roll back, record the quarantine, again

Documents and checkpoints move in one transaction, so a process that dies leaves no trace of a half-done batch, and none
is done twice; one that hangs in the middle loses its batch to others after 3 s. Nothing is kept between batches but the
position: whoever takes the checkpoints reads what he needs.
A quarantine is recorded in a transaction of its own before the batch that found it is folded again, so that what made
the batch fail cannot take the record of it along.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

import structlog

from emulation_saas.kernel.cancelling import raise_if_cancelled
from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.log import LogGapError, ProvinceLog, ProvinceLogs
from emulation_saas.postgres.database import Database
from emulation_saas.projecting.folding import SNAPSHOT_EVERY, Poison, Stored, fold_keeping, poisons, written
from emulation_saas.projecting.projection import WHOLE, AnyProjection
from emulation_saas.projecting.rebuild import rebuild
from emulation_saas.projecting.storing import Checkpoints, Store

if TYPE_CHECKING:
    from emulation_saas.kernel.ids import ProvinceId

BATCH_EVENTS_MAX: Final = 5_000
"""Events folded in one transaction; a smaller batch costs more, a larger one holds its checkpoints longer."""
PACE_S: Final = 0.05
"""A province's documents are written at most so often: under load a batch grows instead."""
TAKEN_PAUSE_S: Final = 0.1
"""How long to leave a batch to another process before looking again."""
HEARD_EVERY: Final = 500
"""Events folded for a projection, after which the database is told that this process is not hung."""
PROVINCES_EVERY_S: Final = 1.0
"""How often new provinces are looked for."""
RETRY_FIRST_S: Final = 0.1
RETRY_MAX_S: Final = 5.0

_log: Final = structlog.stdlib.get_logger("emulation_saas.projecting")


class _PoisonFoundError(Exception):
    """Leaves the transaction of a batch in which events could not be folded."""

    def __init__(self, found: Sequence[Poison]) -> None:
        super().__init__(found)
        self.found = found


class Runner:
    """Folds what is new, for all provinces of this process, until it is cancelled."""

    def __init__(
        self, logs: ProvinceLogs, database: Database, projections: Sequence[AnyProjection], *, pace_s: float = PACE_S
    ) -> None:
        """Take the logs to follow and the projections to keep."""
        self._logs = logs
        self._database = database
        self._projections = list(projections)
        self._pace_s = pace_s
        self.reached: dict[ProvinceId, int] = {}
        """How far each province's documents are, as far as this process knows; missing while they are first built."""

    async def run(self) -> None:
        """Keep up with every province there is or will be, until cancelled.

        Whenever the server was lost, each begins again at its checkpoints: batches that nobody waited for may be gone.
        """
        following: dict[str, asyncio.Task[None]] = {}
        losses = 0
        async with asyncio.TaskGroup() as tasks:
            while True:
                if losses != self._logs.waker.losses:
                    losses = self._logs.waker.losses
                    for task in following.values():
                        task.cancel()
                    following.clear()
                try:
                    for log in await self._logs.all():
                        if log.handle not in following:
                            following[log.handle] = tasks.create_task(self._follow(log))
                except Exception as error:  # noqa: BLE001 - asyncpg raises outside its own classes when the server dies
                    raise_if_cancelled()
                    _log.warning("provinces-unknown", exc_info=error)
                await asyncio.sleep(PROVINCES_EVERY_S)

    async def _follow(self, log: ProvinceLog) -> None:
        """Keep up with one province; begin again at its checkpoints whatever goes wrong."""
        pause_s = RETRY_FIRST_S
        while True:
            started = monotonic()
            try:
                await self.keep_up(log)
            except Exception:  # noqa: BLE001 - as above; a gap in the log is said aloud and stops this province
                raise_if_cancelled()
                _log.exception("projecting-failed", province=log.handle)
                self.reached.setdefault(log.province, 0)
            await asyncio.sleep(pause_s)
            was_long = monotonic() - started > RETRY_MAX_S
            pause_s = RETRY_FIRST_S if was_long else min(pause_s * 2, RETRY_MAX_S)

    async def keep_up(self, log: ProvinceLog) -> None:
        """Build what was never built, then follow the log.

        Raises:
            LogGapError: a position is missing between the checkpoint and the next event.
        """
        position = self.reached[log.province] = await self._begin(log)
        tail = cast("AsyncGenerator[list[AnyRecorded]]", log.tail(position))
        async with aclosing(tail):
            async for page in tail:
                for first in range(0, len(page), BATCH_EVENTS_MAX):
                    batch = page[first : first + BATCH_EVENTS_MAX]
                    await self._hand_in(log, batch, after=position)
                    position = self.reached[log.province] = batch[-1].position
                await asyncio.sleep(self._pace_s)

    async def _begin(self, log: ProvinceLog) -> int:
        """Build the projections that have no checkpoint; return the position of the one that is furthest behind."""
        async with self._database.in_province(log.province) as connection:
            known = await Store(connection, log.province).checkpoints(self._projections)
        for projection in self._projections:
            if projection.name not in known:
                known[projection.name] = (await rebuild(log, self._database, projection)).position
                await self._forget_old(log, projection)
        return min(known.values(), default=0)

    async def _forget_old(self, log: ProvinceLog, projection: AnyProjection) -> None:
        """Remove versions before the last one: that one may still be read by the release that is being replaced."""
        async with self._database.in_province(log.province) as connection:
            await Store(connection, log.province).forget_versions_before(projection, projection.version - 1)

    async def _hand_in(self, log: ProvinceLog, batch: Sequence[AnyRecorded], *, after: int) -> None:
        """See to it that a batch is folded, by this process or another."""
        for expected, recorded in enumerate(batch, start=after + 1):
            if recorded.position != expected:
                msg = f"{log.handle}: position {recorded.position} came where {expected} was due"
                raise LogGapError(msg)
        while True:
            try:
                if await self._fold_batch(log, batch):
                    return
            except _PoisonFoundError as poisoned:
                await self._quarantine(log, poisoned.found)
            else:
                await asyncio.sleep(TAKEN_PAUSE_S * random.uniform(0.5, 1.5))  # noqa: S311 - spreads retries, no secret

    async def _fold_batch(self, log: ProvinceLog, batch: Sequence[AnyRecorded]) -> bool:
        """Fold a batch in one transaction; False when another process is at work on this province."""
        last = batch[-1].position
        async with self._database.in_province_lazily(log.province) as connection:
            store = Store(connection, log.province)
            await store.be_heard()
            reached = await store.checkpoints(self._projections, take=True)
            if len(reached) < len(self._projections):
                return False
            behind = [projection for projection in self._projections if reached[projection.name] < last]
            if behind:
                await self._fold_into(store, behind, reached, batch)
                await store.move_checkpoints(behind, last)
        return True

    async def _fold_into(
        self,
        store: Store,
        behind: Sequence[AnyProjection],
        reached: Checkpoints,
        batch: Sequence[AnyRecorded],
    ) -> None:
        first, last = batch[0].position, batch[-1].position
        unread: dict[str, Sequence[AnyRecorded]] = {}
        wanted: dict[str, tuple[AnyProjection, set[str]]] = {}
        for projection in behind:
            after = reached[projection.name]
            if after < first - 1:
                msg = f"{projection.name} stands at {after}, and the next event in hand is {first}"
                raise LogGapError(msg)
            read_types = projection.read_types
            events = [recorded for recorded in batch[after - first + 1 :] if type(recorded.event) in read_types]
            keys = {key for recorded in events for key in projection.keys_of(recorded)}
            if projection.is_province_wide and after // SNAPSHOT_EVERY < last // SNAPSHOT_EVERY:
                keys.add(WHOLE)
            unread[projection.name], wanted[projection.name] = events, (projection, keys)
        found = await store.documents(wanted)
        fresh: list[tuple[AnyProjection, Stored]] = []
        bad: list[Poison] = []
        for projection in behind:
            documents = found[projection.name]
            known = {key for key, folded in documents.items() if folded.is_quarantined}
            touched, snapshots = fold_keeping(
                projection, documents, unread[projection.name], after=reached[projection.name], through=last
            )
            fresh += [(projection, stored) for stored in written(projection, documents, touched)]
            bad += poisons(projection, documents, touched - known)
            await store.store_snapshots(projection, snapshots)
            if len(unread[projection.name]) >= HEARD_EVERY:
                await store.be_heard()
            await asyncio.sleep(0)  # folding does not wait by itself: others in this process are due
        if bad:
            raise _PoisonFoundError(bad)
        await store.store(fresh)

    async def _quarantine(self, log: ProvinceLog, found: Sequence[Poison]) -> None:
        async with self._database.in_province(log.province) as connection:
            await Store(connection, log.province).quarantine(found)
        for poison in found:
            _log.error(
                "document-quarantined",
                province=log.handle,
                projection=poison.projection,
                key=poison.key,
                position=poison.position,
                reason=poison.reason,
            )
