"""The power is cut: what the disk has is what was flushed to it, and nothing else.

Method
1. The service keeps its data on a file system of its own, in a file that is mounted as a loop device.
2. Four clients write. At a random moment all processes of the service are stopped where they stand (SIGSTOP), and the
   file is copied: it holds what the file system was made to write by a flush (or wrote by itself), never what only the
   memory holds. What the clients have been told by then is noted. The service then goes on.
3. The copy is mounted, its database recovers from it as after a power cut, and is judged: log, documents, and by
   amcheck each index against its table. A database that does not come up again has lost everything.

What this cannot show: a disk that lies about flushing. No clients write while a copy is judged.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from emulation_saas.log.master_key import read_master_key
from emulation_saas.postgres.embedded import EmbeddedPostgresError
from emulation_saas.serving import MASTER_KEY
from tests.database import superuser
from tests.faults.ledger import Found, Ledger
from tests.faults.load import Load, under_load
from tests.faults.trials import CLIENTS, Experiment, Outcome, Say, alter, chance, database_in, judged
from tests.serving import Served, descendants, served

IMAGE_BYTES: Final = 640 * 1024 * 1024
UNMOUNTED_S: Final = 30.0
ANSWERS_BETWEEN: Final = 40
DOCUMENTS_EVERY: Final = 5
"""Cuts after which the documents are compared, too."""
SMALL_LOG: Final = {"max_wal_size": "64MB", "min_wal_size": "32MB"}
"""So that the disk stays small, and checkpoints are under way when the power goes."""
MUTANTS: Final[tuple[Mapping[str, str], ...]] = ({"synchronous_commit": "off"}, {"fsync": "off"})
_DAMAGED: Final = """
SELECT bt_index_check(c.oid, heapallindexed => true) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_am AS a ON a.oid = c.relam WHERE a.amname = 'btree' AND c.relpersistence = 'p' AND i.indisvalid
"""


async def command(*words: str | Path) -> None:
    """Run a program.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    await asyncio.to_thread(lambda: subprocess.run(words, check=True, capture_output=True))


async def unmounted(folder: Path) -> None:
    """Unmount a file system; the last process of a database ends a moment after its first."""
    async with asyncio.timeout(UNMOUNTED_S):
        while True:
            try:
                await command("umount", folder)
            except subprocess.CalledProcessError:
                await asyncio.sleep(0.2)
            else:
                return


@asynccontextmanager
async def mounted(image: Path, folder: Path) -> AsyncGenerator[Path]:
    """Mount a file as a file system while inside."""
    await command("mkdir", "-p", folder)
    await command("mount", "-o", "loop,noatime", image, folder)
    try:
        yield folder
    finally:
        await unmounted(folder)


async def new_image(image: Path) -> None:
    """Make a file with an empty file system."""
    await command("truncate", f"--size={IMAGE_BYTES}", image)
    await command("mkfs.ext4", "-q", "-F", image)


@asynccontextmanager
async def standing_still(service: Served) -> AsyncGenerator[None]:
    """Let no process of the service do anything while inside."""
    stopped: list[int] = []
    while new := [pid for pid in [service.pid, *descendants(service.pid)] if pid not in stopped]:
        for pid in new:  # whoever was just being started is found in the next round
            os.kill(pid, signal.SIGSTOP)
        stopped += new
    try:
        yield
    finally:
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)


async def cut(service: Served, load: Load, image: Path, copy: Path) -> list[Ledger]:
    """Copy what the disk has at one moment; return what callers were told by then."""
    async with standing_still(service):
        told = [ledger.copy() for ledger in load.ledgers.values()]
        load.pause()
        await command("cp", "--sparse=auto", image, copy)
    return told


async def judged_after(copy: Path, folder: Path, ledgers: list[Ledger], *, documents: bool) -> Found:
    """Recover from a copy, and judge."""
    found = Found()
    async with mounted(copy, folder):
        # These name a process that still lives here, and would not after a power cut.
        await command("rm", "-rf", folder / "data" / "pg" / "postmaster.pid", folder / "data" / "socket")
        try:
            async with database_in(folder / "data") as server:
                master = read_master_key(folder / "data" / MASTER_KEY)
                found.add(await judged(server, server.url, ledgers, master=master, documents=documents))
                async with superuser(server, "emulation") as connection:
                    await connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
                    await connection.fetch(_DAMAGED)
        except EmbeddedPostgresError as error:
            found.wrong.append(f"the database does not come up again: {error}")
            found.lost += sum(len(answer.events) for ledger in ledgers for answer in ledger.answers.values())
    return found


async def cuts(tries: int, place: Path, say: Say, *, settings: Mapping[str, str]) -> Outcome:
    """Cut the power so often, at a database that is set up so."""
    rng, outcome = chance("power"), Outcome()
    image, copy = place / "image", place / "copy"
    await new_image(image)
    async with mounted(image, place / "disk") as disk:
        disk.chmod(0o755)
        with served(disk) as service:
            await alter(service.data, {**SMALL_LOG, **settings})
            load = Load(service, rng)
            async with under_load(load, CLIENTS):
                for number in range(tries):
                    await load.more(ANSWERS_BETWEEN)
                    await asyncio.sleep(rng.uniform(0, 0.05))
                    told = await cut(service, load, image, copy)
                    is_fifth = number % DOCUMENTS_EVERY == 0 or number == tries - 1
                    outcome.found.add(await judged_after(copy, place / "copied", told, documents=is_fifth))
                    outcome.tries += 1
                    load.go_on()
                    if outcome.tries % 10 == 0:
                        say(f"{outcome.tries} of {tries} cuts, {load.acknowledged} acknowledged")
                    if settings and not outcome.found.is_clean:
                        break
            outcome.count(load)
            await asyncio.to_thread(service.stop)
    return outcome


async def power(tries: int, place: Path, say: Say, *, is_mutant: bool) -> Outcome:
    """Cut the power; each of the mutants must lose something."""
    if not is_mutant:
        return await cuts(tries, place, say, settings={})
    outcome = Outcome()
    for settings in MUTANTS:
        (folder := place / next(iter(settings))).mkdir(mode=0o755)
        mutant = await cuts(tries, folder, say, settings=settings)
        if mutant.found.is_clean:
            return Outcome()
        outcome.found.add(mutant.found)
    return outcome


EXPERIMENTS: Final = {
    "power": Experiment(
        power, 50, 2, "synchronous_commit = off, and fsync = off: both", mutant_tries=10, needs_root=True
    )
}
