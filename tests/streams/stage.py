"""What a campaign of the streams needs: a database, a worker process, a province in the middle of a roll call."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from emulation_saas.http.local_issuer import LocalIssuer
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Entry, ProvinceLog
from emulation_saas.log.reading import NO_LIMIT
from emulation_saas.serving import worker_environment
from tests.bench.serving import Worker, serving, unbound
from tests.bench.world import OPTIONS, World, build, vote
from tests.database import fresh_database, start_database
from tests.logs import keep_master_key, running_logs

PROVINCE: Final = "bac-song"
WRITERS: Final = 16
AHEAD_MAX: Final = 1_000
"""How far the writers may be before who follows, so that it is cut off while they write and not afterwards."""
REPOSITORY: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Stage:
    """A service, and the log that others write to meanwhile."""

    port: int
    log: ProvinceLog
    world: World
    issuer: LocalIssuer

    async def token(self) -> str:
        """Return a token of the administrator, who may see every event."""
        return self.issuer.issue(f"{PROVINCE}/admin", lifetime=timedelta(minutes=5))

    async def write(self, events: int, *, followed_to: Callable[[], int]) -> None:
        """Let 16 writers record so many events together, each by a command of its own."""
        before = (await self.log.head()).position
        shares = [events // WRITERS + (writer < events % WRITERS) for writer in range(WRITERS)]
        await asyncio.gather(*(self._votes(*each, before, followed_to) for each in enumerate(shares)))

    async def _votes(self, writer: int, votes: int, before: int, followed_to: Callable[[], int]) -> None:
        voter = self.world.voters[writer]
        for number in range(votes):
            while before + number * WRITERS - followed_to() > AHEAD_MAX:  # noqa: ASYNC110 - now and then is enough
                await asyncio.sleep(0.01)
            cast = vote(voter, self.world.ballots[0], OPTIONS[number % len(OPTIONS)])
            await self.log.execute(cast, by=Acting(voter.person))

    async def entries(self) -> list[Entry]:
        """Return the whole log as it is stored."""
        entries: list[Entry] = []
        while page := await self.log.entries(after=len(entries), through=NO_LIMIT):
            entries += page
        return entries


@contextmanager
def folder_for_all() -> Generator[Path]:
    """Lend a directory that every user may enter, as root's server runs as another one."""
    with tempfile.TemporaryDirectory(prefix="emulation-streams-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@asynccontextmanager
async def staged(url: str | None = None) -> AsyncGenerator[Stage]:
    """Lend a stage in a database, and leave nothing of it; None: one on a server of its own."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(folder_for_all())
        if url is None:
            server = await asyncio.to_thread(start_database, folder)
            stack.callback(server.stop)
            url = await fresh_database(server)
        keep_master_key(folder)
        issuer = LocalIssuer(folder)
        logs = await stack.enter_async_context(running_logs(url))
        world = await build(logs, PROVINCE, voters=WRITERS, ballots=1)
        log = await logs.find(PROVINCE)
        assert log is not None
        path = os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])])
        worker: AbstractContextManager[Worker] = serving(
            [sys.executable, "-m", "emulation_saas", "worker"],
            env=worker_environment(unbound(folder), url=url, local=True) | {"PYTHONPATH": path},
            log=folder / "worker.log",
            health="/health/ready",
        )
        serves = await asyncio.to_thread(worker.__enter__)
        stack.push_async_callback(asyncio.to_thread, worker.__exit__, None, None, None)
        yield Stage(serves.port, log, world, issuer)
