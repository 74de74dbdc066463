"""The disk is full: writes are refused and come back by themselves; nothing that was acknowledged is lost.

Method. The data lie on a small file system in memory. Clients write; a file takes all the space that is left, until no
command is answered any more. Reading must still be possible where the database is up. Then the file is removed, and
clients must be answered again, without anybody's doing. The mutant's clients take every answer for `done`.
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Final

import httpx

from tests.faults.load import ADMIN, PROVINCE, Behaviour, Load, under_load
from tests.faults.power import SMALL_LOG, command, unmounted
from tests.faults.trials import CLIENTS, Experiment, Outcome, Say, alter, chance, judged_in
from tests.serving import served

DISK: Final = "size=320m,mode=0755"
STUCK_S: Final = 4.0
"""Without an answer for so long, the disk is taken to be full."""
PIECE: Final = 1 << 16


@asynccontextmanager
async def small_disk(folder: Path) -> AsyncGenerator[Path]:
    """Lend a small file system while inside."""
    await command("mkdir", folder)
    await command("mount", "-t", "tmpfs", "-o", DISK, "tmpfs", folder)
    try:
        yield folder
    finally:
        await unmounted(folder)


def fill(ballast: Path) -> None:
    """Take all the space there is, and that others give back meanwhile."""
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(PIECE))
        except OSError:
            return


async def keep_full(load: Load, ballast: Path) -> None:
    """Keep the disk full until no command has been answered for a while."""
    last, since_s = load.acknowledged, monotonic()
    async with asyncio.timeout(60):
        while monotonic() - since_s < STUCK_S:
            fill(ballast)
            await asyncio.sleep(0.05)
            if load.acknowledged != last and load.behaviour == "right":
                last, since_s = load.acknowledged, monotonic()


async def can_be_read(load: Load) -> bool:
    """Tell whether the service answers a question about its log."""
    async with load.connected() as client:
        try:
            answer = await client.get(
                f"/v1/provinces/{PROVINCE}/events?limit=1", headers=load.authorization(ADMIN), timeout=5
            )
        except httpx.TransportError:
            return False
    return answer.status_code == 200


async def disks(tries: int, place: Path, say: Say, *, is_mutant: bool) -> Outcome:
    """Fill the disk so often."""
    rng, outcome = chance("disk"), Outcome()
    behaviour: Behaviour = "credulous" if is_mutant else "right"
    outcome.told["readable"] = 0
    async with small_disk(place / "disk") as disk:
        with served(disk) as service:
            await alter(service.data, SMALL_LOG)
            load = Load(service, rng, behaviour, abandoned=0.0)
            ballast = place / "disk" / "ballast"
            async with under_load(load, CLIENTS):
                for _ in range(tries):
                    await load.more(50)
                    await keep_full(load, ballast)
                    outcome.told["readable"] += await can_be_read(load)
                    await asyncio.to_thread(os.unlink, ballast)
                    began_s = monotonic()
                    await load.more(1)
                    took_s = monotonic() - began_s
                    outcome.told["back_after_s"] = max(outcome.told.get("back_after_s", 0.0), took_s)
                    outcome.tries += 1
                    say(f"{outcome.tries} of {tries} times full, back after {took_s:.1f} s")
                await load.more(50)
            outcome.count(load)
            await asyncio.to_thread(service.stop)
        outcome.found.add(await judged_in(disk / "data", load.ledgers.values()))
    return outcome


EXPERIMENTS: Final = {
    "disk-full": Experiment(disks, 5, 1, "clients that take every answer for `done`", mutant_tries=1, needs_root=True)
}
