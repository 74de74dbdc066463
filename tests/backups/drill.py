"""The restore drill: the data directory is lost under load; what was acknowledged is there again, and how soon.

    python -m tests.backups.drill [--seconds N] [--writers N] [--mutant dropped|asynchronous]

Method
1. An embedded server in a data directory of its own acknowledges no commit before `backup stream`, another process, has
   it on its disk, too. Writers send commands to one province through the real log and note what was acknowledged.
2. Under that load a full backup is taken, and an incremental one.
3. Under that load the postmaster is killed and the whole data directory removed. The backups and the streamed log stay.
4. They are restored into a new data directory. The clock stops when a command is acknowledged there.
5. Every acknowledged event must be at its position with its content; positions have no gap; every byte hashes to the
   leaf that is stored, and all leaves to the root of the head.

Each mutant takes away what makes this true, and the drill must notice: `dropped` removes the newest file of the
streamed log; `asynchronous` lets commits not wait for the stream, which is killed half a second earlier.
Progress goes to stderr, a JSON object to stdout and to build/drill.json. Exit status 1: something acknowledged was lost
(with a mutant: it was not noticed).
"""

import argparse
import asyncio
import json
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from emulation_saas.backups.restoring import restored
from emulation_saas.backups.shelf import Shelf
from emulation_saas.backups.source import source_at
from emulation_saas.backups.taking import Policy, Taken, take
from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log.frontier import Frontier, leaf_hash
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.serving import embedded_database, prepare
from emulation_saas.settings import Settings
from tests.backups.streaming import Streamed, streamed
from tests.logs import Opened, logs_of, open_province, register, running_logs

if TYPE_CHECKING:
    from emulation_saas.log import ProvinceLog, ProvinceLogs

MUTANTS: Final = ("dropped", "asynchronous")
FIGURES: Final = Path("build/drill.json")
ALONE_S: Final = 0.5
"""That the server of the mutant goes on without a stream."""
_PAGE: Final = 1_000
Say = Callable[[str], None]


@dataclass
class Acknowledged:
    """What writers were told: position -> the agency that the event there registers."""

    at: dict[int, str] = field(default_factory=dict)
    unknown: int = 0
    """Commands without an answer."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one drill has shown."""

    mutant: str | None
    acknowledged: int
    unknown: int
    lost: int
    events_restored: int
    full_bytes: int
    incremental_bytes: int
    restore_s: float
    """Until the restored server ran."""
    rto_s: float
    """Until a command was acknowledged again."""


async def drill(place: Path, *, seconds: float, writers: int, mutant: str | None, say: Say) -> Figures:
    """Run one drill in an empty directory that every user may enter."""
    shelf = Shelf(place / "backups")
    server = embedded_database(Settings(data=place / "data", synchronous=mutant != "asynchronous"), say)
    server.start()
    try:
        await prepare(server.url, lambda _: None)
        with streamed(place / "data", shelf.root, place / "stream.log") as stream:
            stream.wait_until_streaming()
            told, taken = await _until_lost(
                server, shelf, stream, seconds=seconds, writers=writers, mutant=mutant, say=say
            )
            shutil.rmtree(place / "data")
            if mutant != "asynchronous":
                assert stream.stop() == 0
    finally:
        server.stop()
    if mutant == "dropped":
        shelf.segments()[-1].unlink()
    say(f"lost the data directory; {len(told.at)} commands were acknowledged, {told.unknown} had no answer")
    began_s = time.monotonic()
    with restored(shelf, place / "again", until=None, report=say):
        restore_s = time.monotonic() - began_s
    async with _running_again(place / "again", say) as log:
        events = (await log.head()).position
        lost = await _lost(log, told, events)
        await _accepts(log)
        rto_s = time.monotonic() - began_s
    return Figures(
        mutant=mutant,
        acknowledged=len(told.at),
        unknown=told.unknown,
        lost=lost,
        events_restored=events,
        full_bytes=taken[0].size_bytes,
        incremental_bytes=taken[1].size_bytes,
        restore_s=round(restore_s, 2),
        rto_s=round(rto_s, 2),
    )


async def _until_lost(
    server: EmbeddedPostgres,
    shelf: Shelf,
    stream: Streamed,
    *,
    seconds: float,
    writers: int,
    mutant: str | None,
    say: Say,
) -> tuple[Acknowledged, list[Taken]]:
    """Load the server, take two backups, and kill it."""
    told = Acknowledged()
    async with _running(server.url) as logs:
        opened = await open_province(logs)
        writing = [asyncio.create_task(_write(opened, told, number)) for number in range(writers)]
        taken: list[Taken] = []
        for is_full in (True, False):
            await asyncio.sleep(seconds / 3)
            source = source_at(server.backup_url)
            backup = await asyncio.to_thread(take, shelf, source, Policy(), clock=utc_now, report=say, is_full=is_full)
            say(f"{backup.name}: {backup.size_bytes} bytes; {len(told.at)} commands acknowledged so far")
            taken.append(backup)
        await asyncio.sleep(seconds / 3)
        if mutant == "asynchronous":
            stream.kill()
            await asyncio.sleep(ALONE_S)
        server.kill()
        await asyncio.gather(*writing)
    assert [each.kind for each in taken] == ["full", "incremental"]
    return told, taken


@asynccontextmanager
async def _running(url: str) -> "AsyncGenerator[ProvinceLogs]":
    """Lend the logs on connections that are let go of, as nobody is there to close them with."""
    async with open_database(url) as database:
        async with logs_of(database) as logs:
            yield logs
        for pool in (database.app, database.keys, database.heads):
            pool.terminate()


async def _write(opened: Opened, told: Acknowledged, number: int) -> None:
    """Send one command after another until the server is gone."""
    turn = 0
    while True:
        agency = f"so-{number}-{turn}"
        turn += 1
        try:
            accepted = await opened.log.execute(register(agency), by=opened.acting())
        except Exception:  # noqa: BLE001 - whatever it is: there was no answer
            told.unknown += 1
            return
        told.at[accepted.position] = agency


@asynccontextmanager
async def _running_again(data: Path, say: Say) -> "AsyncGenerator[ProvinceLog]":
    server = EmbeddedPostgres(data, report=say)
    server.start()
    try:
        async with running_logs(server.url) as logs:
            log = await logs.find("bac-song")
            assert log is not None
            yield log
    finally:
        server.stop()


async def _lost(log: "ProvinceLog", told: Acknowledged, events: int) -> int:
    """Return how many acknowledged events are not there; demand that what is there is whole."""
    frontier, lost = Frontier(), dict(told.at)
    while frontier.size < events:
        for entry in await log.entries(after=frontier.size, through=events, limit=_PAGE):
            assert leaf_hash(entry.body) == entry.leaf_hash
            frontier.append(entry.leaf_hash)
            agency = lost.pop(entry.position, None)
            assert agency is None or f'"{agency}"'.encode() in entry.body
    assert frontier.root() == (await log.head()).root
    return len(lost)


async def _accepts(log: "ProvinceLog") -> None:
    recorded = await log.recorded(after=3, through=4)
    admin = recorded[0].event.person
    before = (await log.head()).position
    assert (await log.execute(register("sau-phuc-hoi"), by=Acting(admin))).position == before + 1


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> int:
    """Run the drill; 0 when nothing was lost, or when what a mutant lost was noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.backups.drill", description="Lose the data directory.")
    parser.add_argument("--seconds", type=float, default=15.0, help="of load, in all")
    parser.add_argument("--writers", type=int, default=8, help="that send one command after another")
    parser.add_argument("--mutant", choices=MUTANTS, help="take away what makes it safe")
    options = parser.parse_args()
    logging.disable(logging.ERROR)  # of connections lost there is no end
    place = Path(tempfile.mkdtemp(prefix="emulation-drill-"))
    place.chmod(0o755)
    try:
        figures = asyncio.run(
            drill(
                place,
                seconds=options.seconds,
                writers=options.writers,
                mutant=options.mutant,
                say=_say,
            )
        )
    finally:
        shutil.rmtree(place)
    text = json.dumps(vars(figures))
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(f"{text}\n", encoding="utf-8")
    sys.stdout.write(f"{text}\n")
    noticed = figures.lost > 0
    return int(noticed if options.mutant is None else not noticed)


if __name__ == "__main__":
    sys.exit(main())
