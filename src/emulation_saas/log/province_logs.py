"""The logs of all provinces, as one process has them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg

from emulation_saas.kernel.authority import Authority, operator
from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.ids import OPERATOR, ProvinceId, is_handle
from emulation_saas.kernel.use_cases import Acting, UseCase
from emulation_saas.log.accepted import Accepted
from emulation_saas.log.batch import events_of
from emulation_saas.log.codec import Codec
from emulation_saas.log.committer import Committer
from emulation_saas.log.course import Unwatched, Watch
from emulation_saas.log.keyring import Keyring, demand_master_key
from emulation_saas.log.master_key import MasterKey
from emulation_saas.log.opening import open_log
from emulation_saas.log.powers import AuthorityFold
from emulation_saas.log.province_log import ProvinceLog
from emulation_saas.log.reading import STATEMENTS
from emulation_saas.log.room import NO_LIMIT, Room
from emulation_saas.log.waking import Waker
from emulation_saas.postgres.database import Database


class ProvinceLogs:
    """The logs of all provinces, for this process: found by handle, opened by platform operators."""

    def __init__(
        self,
        database: Database,
        codec: Codec,
        fold: AuthorityFold,
        *,
        origin: str,
        master: MasterKey,
        clock: Callable[[], datetime] = utc_now,
        room: Room = NO_LIMIT,
        watching: Callable[[str], Watch] = lambda _: Unwatched(),
    ) -> None:
        """Know no province yet. For each, by its handle, `watching` returns who is told how its commands fare."""
        self._database = database
        self._codec = codec
        self._fold = fold
        self._origin = origin
        self._master = master
        self._clock = clock
        self._room = room
        self._watching = watching
        self.waker = Waker(database)
        self._logs: dict[str, ProvinceLog] = {}
        self._committers: dict[ProvinceId, Committer] = {}

    @asynccontextmanager
    async def running(self) -> "AsyncGenerator[ProvinceLogs]":
        """Keep readers awake while inside; at the end, wait for what is being committed.

        Raises:
            MasterKeyError: the personal keys of this database were wrapped by another master key.
        """
        await demand_master_key(self._database, self._master)
        await self.waker.start()
        try:
            yield self
        finally:
            for committer in self._committers.values():
                await committer.close()
            await self.waker.stop()

    async def find(self, handle: str) -> ProvinceLog | None:
        """Return the log of a handle; None when there is no such province."""
        log = self._logs.get(handle)
        if log is None and is_handle(handle):
            rows = await self._database.fetch(STATEMENTS["find_province"], handle)
            log = self._bound(handle, ProvinceId(rows[0]["province_id"])) if rows else None
        return log

    async def all(self) -> list[ProvinceLog]:
        """Return the logs of all provinces, by handle."""
        rows = await self._database.fetch(STATEMENTS["all_provinces"])
        return [self._bound(row["handle"], ProvinceId(row["province_id"])) for row in rows]

    def known(self) -> list[ProvinceLog]:
        """Return the logs that this process has been asked for since it began."""
        return list(self._logs.values())

    async def open(self, handle: str, use_case: UseCase[Any], *, by: Acting) -> Accepted:
        """Open a province's log, if it is not there, and decide on it what opening a province means.

        A log whose opening was interrupted holds position 1 only; asking again completes it.

        Raises:
            Rejection: refused; the handle is not taken by it unless it was before.
        """
        log = await self.find(handle)
        if log is None:
            events_of(use_case, use_case.initial(), operator() if by.person == OPERATOR else _nobody(by), self._clock())
            await open_log(
                self._database, self._codec, handle=handle, origin=self._origin, acting=by, now=self._clock()
            )
            log = await self.find(handle)
        if log is None:  # pragma: no cover - the registry never forgets a handle
            raise asyncpg.InterfaceError(handle)
        return await log.execute(use_case, by=by)

    def _bound(self, handle: str, province: ProvinceId) -> ProvinceLog:
        log = self._logs.get(handle)
        if log is None:
            committer = Committer(
                province,
                self._database,
                self._codec,
                self._fold,
                keyring=Keyring(self._database, province, self._master),
                clock=self._clock,
                moved=self.waker.moved,
                room=self._room,
                watch=self._watching(handle),
            )
            log = ProvinceLog(
                province,
                handle,
                database=self._database,
                codec=self._codec,
                committer=committer,
                fold=self._fold,
                waker=self.waker,
                clock=self._clock,
            )
            self._logs[handle] = log
            self._committers[province] = committer
        return log


def _nobody(by: Acting) -> Authority:
    return Authority(person=by.person)
