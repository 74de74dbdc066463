"""Clocks jump: recorded time never decreases, never runs away, and no command is lost to a wrong clock.

Method. Three processes' worth of the log write to one province, each by a clock of its own that jumps at random: right,
1.5 s off, 3 s off, two hours back, three days ahead. Who is answered that the outcome is unknown asks another process,
with the same key. In the end each event's recorded time is held against the time at which PostgreSQL committed it: it
may be ahead by the 2 s that two clocks may be apart. In the mutant the database does not judge clocks.

Not tried: the clock of the database itself. It is one clock, so its jumps are those of all committers together.
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from emulation_saas.kernel.clock import utc_now
from emulation_saas.log import Accepted
from emulation_saas.log.faults import OutcomeUnknownError
from tests.database import fresh_database, start_database, superuser
from tests.faults.ledger import Ledger
from tests.faults.load import PROVINCE
from tests.faults.trials import Experiment, Outcome, Say, chance, judged
from tests.logs import Opened, open_province, register, running_logs

if TYPE_CHECKING:
    from emulation_saas.postgres.embedded import EmbeddedPostgres

PROCESSES: Final = 3
CALLERS: Final = 12
JUMPS_S: Final = (0.0, 0.0, 1.5, -1.5, 3.0, -3.0, -7_200.0, 259_200.0)
EVERY_S: Final = 0.1
AHEAD_MAX_S: Final = 2.1
"""What a clock may be ahead, and a little for the way to the commit's own reading."""
_RAN_AWAY: Final = """
SELECT count(*) FROM events WHERE extract(EPOCH FROM recorded_at - pg_xact_commit_timestamp(xmin)) > $1
"""


class Clock:
    """A machine's clock that jumps."""

    ahead_s = 0.0

    def __call__(self) -> datetime:
        """Return what it shows."""
        return utc_now() + timedelta(seconds=self.ahead_s)


async def clocks(tries: int, place: Path, say: Say, *, is_mutant: bool) -> Outcome:
    """Let clocks jump so often."""
    server = await asyncio.to_thread(start_database, place)
    try:
        return await jumped(server, tries, say, is_mutant=is_mutant)
    finally:
        await asyncio.to_thread(server.stop)


async def jumped(server: "EmbeddedPostgres", tries: int, say: Say, *, is_mutant: bool) -> Outcome:
    """Let clocks jump so often, with a database of a server."""
    rng, outcome = chance("clocks"), Outcome()
    url = await fresh_database(server)
    name = urlsplit(url).path.removeprefix("/")
    if is_mutant:
        text = (files("emulation_saas.postgres") / "migrations" / "0003_pre_append_v1.sql").read_text("utf-8")
        async with superuser(server, name) as connection:
            await connection.execute(
                text.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replace("> 2 ", "> 1e9 ")
            )
    ledger = Ledger(PROVINCE)
    async with AsyncExitStack() as stack:
        shown = [Clock() for _ in range(PROCESSES)]
        logs = [await stack.enter_async_context(running_logs(url, clock=clock)) for clock in shown]
        opened = await open_province(logs[0])
        processes = [Opened(log, opened.admin) for each in logs if (log := await each.find(PROVINCE)) is not None]
        ledger.opened_through = (await opened.log.head()).position
        callers = Callers(processes, ledger, rng, outcome)
        async with asyncio.TaskGroup() as tasks:
            for number in range(CALLERS):
                tasks.create_task(callers.call(number))
            for number in range(tries):
                shown[number % PROCESSES].ahead_s = rng.choice(JUMPS_S)
                await asyncio.sleep(EVERY_S)
                outcome.tries += 1
                if outcome.tries % 50 == 0:
                    say(f"{outcome.tries} of {tries} jumps, {outcome.acknowledged} acknowledged")
            for clock in shown:
                clock.ahead_s = 0.0
            callers.stopping = True
    outcome.told["retried"] = ledger.retried
    outcome.found.add(await judged(server, url, [ledger]))
    async with superuser(server, name) as connection:
        ran_away: int = await connection.fetchval(_RAN_AWAY, AHEAD_MAX_S)
    if ran_away:
        outcome.found.wrong.append(f"{ran_away} events were recorded as of more than {AHEAD_MAX_S} s ahead")
    return outcome


@dataclass
class Callers:
    """Who asks, each one command after another, of any process."""

    processes: Sequence[Opened]
    ledger: Ledger
    rng: random.Random
    outcome: Outcome
    stopping: bool = False
    _last_s: float = 0.0

    async def call(self, number: int) -> None:
        """Register agencies until told to stop."""
        turn = 0
        while not self.stopping:
            key = f"k{number}-{turn}"
            self.ledger.send(key, key)
            self.ledger.answered(key, await self._settled(key))
            now_s = monotonic()
            self.outcome.worst_gap_s = max(self.outcome.worst_gap_s, now_s - (self._last_s or now_s))
            self._last_s, self.outcome.acknowledged, turn = now_s, self.outcome.acknowledged + 1, turn + 1

    async def _settled(self, key: str) -> Accepted:
        """Ask until it is answered."""
        while True:
            process = self.rng.choice(self.processes)
            try:
                return await process.log.execute(register(key), by=process.acting(key))
            except OutcomeUnknownError:
                self.ledger.retried += 1
                await asyncio.sleep(0.02)


EXPERIMENTS: Final = {"clocks": Experiment(clocks, 300, 20, "a database that does not judge clocks")}
