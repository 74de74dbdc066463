"""What every experiment is, and what is demanded after each: the universal invariants.

An experiment breaks something while clients write, as often as it is told to. It is run as it is, and must find nothing
wrong; and as its mutant, with something broken on purpose, and must find that.
"""

import asyncio
import random
import shutil
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from emulation_saas.log.master_key import MasterKey, read_master_key
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.serving import MASTER_KEY
from projections import PROJECTIONS
from tests.database import superuser
from tests.faults.ledger import Found, Ledger, stored_log
from tests.faults.load import Load
from tests.logs import logs_of
from tests.projections.live import Place
from tests.projections.test_laws import by_hand, states_of

SEED: Final = 20240130
CLIENTS: Final = 4

Say = Callable[[str], None]


@dataclass
class Outcome:
    """What one run came to."""

    tries: int = 0
    """How often something was broken."""
    acknowledged: int = 0
    worst_gap_s: float = 0.0
    """The longest time in which nothing was acknowledged while clients were asking."""
    found: Found = field(default_factory=Found)
    told: dict[str, float] = field(default_factory=dict)
    """What else was measured."""

    def count(self, load: Load) -> None:
        """Take in what the clients have seen."""
        self.acknowledged += load.acknowledged
        self.worst_gap_s = max(self.worst_gap_s, load.gap_max_s)
        self.told["retried"] = self.told.get("retried", 0) + load.retried


class Run(Protocol):
    """Runs an experiment."""

    def __call__(self, tries: int, place: Path, say: Say, *, is_mutant: bool) -> Awaitable[Outcome]:
        """Break something so often; return what came of it.

        Args:
            tries: how often.
            place: an empty directory.
            say: told how far it is.
            is_mutant: with something broken that must be found.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Experiment:
    """One kind of fault."""

    run: Run
    tries: int
    """Of a full run."""
    quick: int
    """Of a quick one."""
    mutant: str
    """What is broken on purpose."""
    mutant_tries: int = 20
    needs_root: bool = False
    """Whether file systems are mounted for it."""


def chance(name: str) -> random.Random:
    """Return the same chance each time."""
    return random.Random(f"{SEED}-{name}")  # noqa: S311 - to be done again; no secret


@contextmanager
def a_place() -> Generator[Path]:
    """Lend an empty directory that every user may enter, short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="emulation-faults-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def database_in(data: Path) -> AsyncGenerator[EmbeddedPostgres]:
    """Lend the embedded database of a service that is stopped."""
    server = EmbeddedPostgres(data, report=lambda _: None)
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)


async def alter(data: Path, settings: Mapping[str, str]) -> None:
    """Set up the database of a service that runs otherwise than it should be, from now on."""
    server = EmbeddedPostgres(data, report=lambda _: None)
    with server.at_hand():
        async with superuser(server) as connection:
            for name, value in settings.items():
                await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            await connection.execute("SELECT pg_reload_conf()")


async def judged_in(data: Path, ledgers: Iterable[Ledger], *, documents: bool = True) -> Found:
    """Judge the logs in the data directory of a service that is stopped."""
    async with database_in(data) as server:
        return await judged(server, server.url, ledgers, master=read_master_key(data / MASTER_KEY), documents=documents)


async def judged(
    server: EmbeddedPostgres,
    url: str,
    ledgers: Iterable[Ledger],
    *,
    master: MasterKey | None = None,
    documents: bool = True,
) -> Found:
    """Hold what callers were told against what a database holds, past the service.

    Args:
        server: of the database.
        url: of the database.
        ledgers: what callers were told, by province.
        master: the service's master key; None: that of the tests.
        documents: whether to compare the documents, too.
    """
    found = Found()
    async with superuser(server, url.partition("?")[0].rpartition("/")[2]) as connection:
        for ledger in ledgers:
            found.add(ledger.compare(await stored_log(connection, ledger.province)))
    if documents:
        found.wrong += await _untrue_documents(url, master)
    return found


async def _untrue_documents(url: str, master: MasterKey | None) -> list[str]:
    """Return the documents that are not what their events, folded by hand, say at their checkpoint."""
    found: list[str] = []
    async with open_database(url) as database, logs_of(database, master=master) as logs:
        for log in await logs.all():
            there = Place(logs, log, database)
            history = await log.recorded()
            for projection in PROJECTIONS:
                checkpoint = await there.checkpoint(projection)
                live = await there.stored(projection)
                if states_of(live) != by_hand(projection, history[: max(checkpoint, 0)]):
                    found.append(f"{log.handle}: {projection.name} is not what its events say at {checkpoint}")
                if checkpoint > len(history):
                    found.append(f"{log.handle}: {projection.name} is ahead of the log")
    return found
