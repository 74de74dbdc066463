"""Bridges: what is visible of each province's log, carried to a broker, in order and once, by one process at a time.

    cursor held ─▶ joined: how the broker's record ends ─▶ agreed with the log ─▶ tail ─▶ extended ─▶ cursor moved

The log is the truth and the broker a copy of it. Whoever takes a bridge asks the broker what it has, and goes on from
there: further than the cursor where only the cursor was lost, and behind it where the broker lost what it had
acknowledged. Where the broker has what the log has not, one of them is from before a restore: nothing is sent over it.
A process that has lost its hold without noticing is stopped by the broker, which takes an event only after the one it
was sent behind.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, Protocol
from uuid import uuid4

import structlog

from emulation_saas.kernel.cancelling import end, raise_if_cancelled
from emulation_saas.kernel.events import Visibility
from emulation_saas.log import Entry, ProvinceLog, ProvinceLogs
from emulation_saas.postgres.database import Database
from emulation_saas.streams.cursors import Cursor, Cursors
from emulation_saas.streams.tails import Tails

WINDOW: Final = 256
"""Events that a broker may have been sent and not acknowledged yet."""
HELD_FOR: Final = timedelta(seconds=3.5)
"""So that another process takes over within 5 s of a death, looking for it once a second."""
KEEP_EVERY_S: Final = 1.0
LOOK_EVERY_S: Final = 1.0
RETRY_FIRST_S: Final = 0.1
RETRY_MAX_S: Final = 5.0

Carried = Literal["public", "unsealed"]
"""Which events a broker is sent: those that everybody in the province may read, or all but the sealed ones."""
_CARRIED: Final[Mapping[Carried, frozenset[Visibility]]] = {
    "public": frozenset({Visibility.PUBLIC}),
    "unsealed": frozenset(Visibility) - {Visibility.SEALED},
}
State = Literal["elsewhere", "carrying", "unreachable", "other-history", "failed"]
"""What became of a province's bridge in this process; `elsewhere`: another one holds it."""

_log: Final = structlog.stdlib.get_logger("emulation_saas.streams")


class BrokerError(Exception):
    """The broker cannot be reached, or did not take what it was sent; it is tried again."""


class OtherHistoryError(Exception):
    """The broker holds an event that the log does not: one of them was restored, and nothing may be sent over it."""


class _HoldLostError(Exception):
    """Another process has taken the cursor."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last event that a broker holds of a province."""

    position: int
    body: bytes


class Joined(Protocol):
    """A connection to what a broker holds of one province."""

    last: Last | None
    was_emptied: bool
    """There is no last event, and there were some: they were removed there, by age or by hand."""

    async def extend(self, entries: Sequence[Entry]) -> None:
        """Send what follows the last event; return once all of it is acknowledged.

        Raises:
            BrokerError: some of it was not.
        """
        ...

    async def lost(self) -> None:
        """Wait until the connection is gone."""
        ...


class Broker(Protocol):
    """A broker to which provinces' logs are carried."""

    @property
    def name(self) -> str:
        """Of its cursors."""
        ...

    def joined(self, handle: str) -> AbstractAsyncContextManager[Joined]:
        """Connect to what it holds of a province.

        Raises:
            BrokerError: it cannot be reached, or refuses us.
            OtherHistoryError: it holds what no bridge has sent.
        """
        ...


class Bridge:
    """Carries every province's log to a broker until it is cancelled."""

    def __init__(
        self, logs: ProvinceLogs, database: Database, tails: Tails, broker: Broker, *, carried: Carried = "public"
    ) -> None:
        """Take the logs to follow and where they go."""
        self._logs = logs
        self._database = database
        self._tails = tails
        self._broker = broker
        self._carried = _CARRIED[carried]
        self._carriers: dict[str, _Carrier] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def states(self) -> dict[str, State]:
        """What became of each province in this process, by handle."""
        return {handle: carrier.state for handle, carrier in self._carriers.items()}

    async def run(self) -> None:
        """Carry every province there is or will be, until cancelled."""
        try:
            while True:
                await self._look_for_provinces()
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await end(self._tasks)

    async def _look_for_provinces(self) -> None:
        try:
            for log in await self._logs.all():
                if log.handle not in self._carriers:
                    cursors = Cursors(self._database, log.province, "bridge")
                    carrier = _Carrier(log, cursors, self._tails, self._broker, self._carried)
                    self._carriers[log.handle] = carrier
                    self._tasks.append(asyncio.create_task(carrier.run()))
        except Exception as error:  # noqa: BLE001 - asyncpg raises outside its own classes when the server dies
            raise_if_cancelled()
            _log.warning("provinces-unknown", exc_info=error)


class _Carrier:
    """Carries one province whenever no other process does."""

    def __init__(
        self, log: ProvinceLog, cursors: Cursors, tails: Tails, broker: Broker, carried: frozenset[Visibility]
    ) -> None:
        self._log = log
        self._cursors = cursors
        self._tails = tails
        self._broker = broker
        self._carried = carried
        self._holder = uuid4()
        self._retry_s = RETRY_FIRST_S
        self._said = ""
        self.state: State = "elsewhere"

    async def run(self) -> None:
        """Take the province when it is free; whatever goes wrong, begin again at what the broker has."""
        while True:
            try:
                await self._carry_if_free()
            except Exception as error:  # noqa: BLE001 - as above; a gap in the log is said aloud and stops this province
                self._become("failed", error)
            if self.state == "elsewhere":
                await asyncio.sleep(LOOK_EVERY_S)
            else:
                await asyncio.sleep(self._retry_s)
                self._retry_s = min(self._retry_s * 2, RETRY_MAX_S)

    async def _carry_if_free(self) -> None:
        name = self._broker.name
        cursor = await self._cursors.hold(name, self._holder, held_for=HELD_FOR)
        if cursor is None:
            self._become("elsewhere")
            await self._cursors.open(name, position=0)  # the first time; later it is there
            return
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep())
                tasks.create_task(self._carry(cursor, tasks))
        except* _HoldLostError:
            self._become("elsewhere")
        except* BrokerError as errors:
            self._become("unreachable", errors.exceptions[0])
        except* OtherHistoryError as errors:
            self._become("other-history", errors.exceptions[0])
        finally:
            await self._cursors.let_go(name, self._holder)

    async def _keep(self) -> None:
        """Hold the cursor until that fails."""
        while True:
            await asyncio.sleep(KEEP_EVERY_S)
            if await self._cursors.hold(self._broker.name, self._holder, held_for=HELD_FOR) is None:
                raise _HoldLostError

    async def _carry(self, cursor: Cursor, tasks: asyncio.TaskGroup) -> None:
        """Send what the broker has not, then what is new, until something goes wrong."""
        async with self._broker.joined(self._log.handle) as joined:
            position = await _agreed(self._log, joined, cursor)
            await self._move(cursor.position, position)
            self._become("carrying")
            tasks.create_task(_fail_when_lost(joined))
            while True:
                page = await self._tails.after(self._log, position)
                for start in range(0, len(page), WINDOW):
                    window = page[start : start + WINDOW]
                    shown = [entry for entry in window if self._log.visibility_of(entry.type) in self._carried]
                    if shown:
                        await joined.extend(shown)
                    await self._move(position, window[-1].position)
                    position = window[-1].position
                    self._retry_s = RETRY_FIRST_S

    async def _move(self, expected: int, position: int) -> None:
        moved = await self._cursors.move_held(self._broker.name, self._holder, expected=expected, position=position)
        if not moved:
            raise _HoldLostError

    def _become(self, state: State, error: BaseException | None = None) -> None:
        """Note what became of it, and say it when it is news."""
        self.state = state
        news = f"{state} {error or ''}"
        if news == self._said:
            return
        self._said = news
        told = {"province": self._log.handle, "broker": self._broker.name, "state": state}
        if error is None:
            _log.info("bridge", **told)
        else:
            _log.error("bridge", **told, reason=str(error), exc_info=error if state == "failed" else None)


async def _fail_when_lost(joined: Joined) -> None:
    await joined.lost()
    raise BrokerError("the connection was lost")


async def _agreed(log: ProvinceLog, joined: Joined, cursor: Cursor) -> int:
    """Return the position to go on from: what the broker really has, if the log has it, too.

    Raises:
        OtherHistoryError: the log has not come so far, or has another event there.
    """
    last = joined.last
    if last is None:
        return cursor.position if joined.was_emptied else 0
    found = await log.entries(after=last.position - 1, through=last.position)
    if not found:
        head = (await log.head()).position
        raise OtherHistoryError(f"the broker holds position {last.position}, and the log ends at {head}")
    if found[0].body != last.body:
        raise OtherHistoryError(f"the broker holds another event at position {last.position} than the log")
    return last.position
