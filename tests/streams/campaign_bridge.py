"""The bridge to NATS, whose server is killed while others write: its stream must be the visible log, byte for byte.

Method. Sixteen writers append to the real log. Two worker processes of the service carry it to a real server, which is
killed (SIGKILL) as often as told; every eighth time a worker dies as well, and every fiftieth time the server's store
is gone when it comes back. Each cut comes once the stream has grown since the last one, and the writers wait for the
cuts, so that there is always more to send. In the end what a consumer of the stream is given is compared with what is
stored.
"""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Final

from emulation_saas.access.use_cases import RegisterPerson
from emulation_saas.kernel.events import Visibility
from emulation_saas.kernel.ids import mint_person
from tests.database import fresh_database, start_database
from tests.logs import ISSUER, Opened, open_province, register, running_logs
from tests.serving import Served, served
from tests.streams.broker import NatsServer, held, messages, nats_server
from tests.streams.following import Figures, differences
from tests.streams.stage import WRITERS, folder_for_all
from tests.streams.waiting import until

WORKERS: Final = 2
STREAM: Final = "td-bac-song"
WORKER_DIES_EVERY: Final = 8
STORE_GONE_EVERY: Final = 50
HIDDEN_EVERY: Final = 5
"""One in so many events is one that the stream must not have."""
AHEAD: Final = 1.5
"""How far the writers may be before the cuts, measured in what they write between two of them."""
SEED: Final = 20240130


@dataclass
class _Trial:
    """What is going on."""

    service: Served
    broker: NatsServer
    opened: Opened
    events: int
    cuts: int
    say: Callable[[str], None]
    chance: Random = field(default_factory=lambda: Random(SEED))  # noqa: S311 - moments of deaths are no secrets
    written: int = 0
    cut: int = 0
    workers_killed: int = 0
    stores_gone: int = 0

    async def write(self, writer: int) -> None:
        """Record this writer's share, a command an event."""
        for number in range(writer, self.events, WRITERS):
            await until(partial(self._is_near, number))
            await self._record(number)
            self.written += 1

    async def break_it(self) -> None:
        """Kill the server as often as told, each time once it has taken something more."""
        while self.cut < self.cuts:
            before = await held(self.broker.url, STREAM)
            await until(partial(self.has, before + 1))
            await asyncio.sleep(self.chance.random() * 0.05)
            number = self.cut + 1
            self.broker.kill()
            if number % STORE_GONE_EVERY == 0:
                shutil.rmtree(self.broker.store)
                self.stores_gone += 1
            if number % WORKER_DIES_EVERY == 0 and (pids := self.service.worker_pids()):
                os.kill(self.chance.choice(pids), signal.SIGKILL)
                self.workers_killed += 1
            self.cut = number
            await asyncio.to_thread(self.broker.start)
            if number % 10 == 0:
                self.say(f"{number} cuts, {self.written} events")

    async def has(self, wanted: int) -> bool:
        """Tell whether the stream holds so many messages."""
        return await held(self.broker.url, STREAM) >= wanted

    async def _is_near(self, number: int) -> bool:
        return self.cut == self.cuts or number <= (self.cut + AHEAD) * self.events / self.cuts

    async def _record(self, number: int) -> None:
        by = self.opened.acting()
        if number % HIDDEN_EVERY:
            await self.opened.log.execute(register(f"so-{number}"), by=by)
        else:
            person = RegisterPerson(person=mint_person(), issuer=ISSUER, sub=f"sub-{number}", name="Nguyễn Văn A")
            await self.opened.log.execute(person, by=by)


async def run(*, events: int, cuts: int, say: Callable[[str], None], url: str | None = None) -> Figures:
    """Record so many events while so much is killed; return what was seen.

    Args:
        events: how many are recorded.
        cuts: how often the server is killed.
        say: told how far it is.
        url: the database to use; None: one on a server of its own.
    """
    async with _trial(events, cuts, say, url) as trial:
        began_s = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(trial.break_it())
            for writer in range(WRITERS):
                tasks.create_task(trial.write(writer))
        log = trial.opened.log
        entries = await log.entries(after=0, through=(await log.head()).position, limit=10**9)
        visible = [entry for entry in entries if log.visibility_of(entry.type) is Visibility.PUBLIC]
        await until(partial(trial.has, len(visible)))
        came = [message.body for message in await messages(trial.broker.url, STREAM)]
        return {
            **differences(came, visible),
            "events": len(came),
            "hidden": len(entries) - len(visible),
            "cuts": trial.cut,
            "cuts_missing": cuts - trial.cut,
            "workers_killed": trial.workers_killed,
            "stores_gone": trial.stores_gone,
            "seconds": round(time.monotonic() - began_s, 1),
        }


@asynccontextmanager
async def _trial(events: int, cuts: int, say: Callable[[str], None], url: str | None) -> AsyncGenerator[_Trial]:
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(folder_for_all())
        if url is None:
            server = await asyncio.to_thread(start_database, folder)
            stack.callback(server.stop)
            url = await fresh_database(server)
        broker = stack.enter_context(nats_server(folder))
        settings = {"EMULATION_NATS_URL": broker.url}
        service = stack.enter_context(served(folder, workers=WORKERS, database_url=url, settings=settings))
        logs = await stack.enter_async_context(running_logs(url))
        yield _Trial(service, broker, await open_province(logs), events, cuts, say)
