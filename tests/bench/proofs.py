"""(e) Proofs from the database at 100 000 events, beside one indexed row; the log signed, exported, verified, replayed.

The events are those of fifty blocs' years, written by the real codec. `verify` is the command as an auditor runs it on
the exported file, its start included.
"""

import asyncio
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

import uvloop

from emulation_saas.audit.exports import Span, exported
from emulation_saas.audit.receipts import receipt
from emulation_saas.audit.signing import Signer, named_vkeys
from emulation_saas.log import Codec, ProvinceLog, Registry
from emulation_saas.postgres.database import Database, open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.projecting.digesting import digest_at
from emulation_saas.projecting.finding import Finder
from emulation_saas.wiring import EVENT_TYPES
from projections import PROJECTIONS
from tests.bench.figures import Row, medians
from tests.bench.rebuilding import fill
from tests.database import fresh_database, superuser
from tests.logs import open_province, running_logs
from tests.scenario import ADMIN

EVENTS: Final = 100_000
EVENTS_QUICK: Final = 20_000
ASKED: Final = 500
TITLE: Final = "(e) Proofs, export and offline checks of a log; proofs of random positions at random sizes"


def measure(
    server: EmbeddedPostgres, *, rounds: int, quick: bool, say: Callable[[str], None]
) -> tuple[dict[str, float], list[Row]]:
    """Fill a log, sign and export it, then ask for proofs and rows in turns."""
    figures = uvloop.run(_measured(server, rounds, EVENTS_QUICK if quick else EVENTS, say))
    proof, row = figures["inclusion_proof_ms"], figures["one_row_ms"]
    figures["inclusion_proof_vs_row_ratio"] = proof / row
    rows = [
        Row("inclusion proof, median", proof, "ms", "one indexed row", proof / row),
        Row("consistency proof, median", figures["consistency_proof_ms"], "ms"),
        Row("receipt, signed before, median", figures["receipt_ms"], "ms"),
        Row("one indexed row, median", row, "ms"),
        Row("first checkpoint: every event hashed again", figures["first_checkpoint_events_per_s"], "events/s"),
        Row("tiles of a log that has none", figures["tiles_events_per_s"], "events/s"),
        Row("export into a file", figures["export_events_per_s"], "events/s"),
        Row("verify export, of that file", figures["verify_export_events_per_s"], "events/s"),
        Row("verify replay, of that file", figures["replay_events_per_s"], "events/s"),
    ]
    return figures, rows


async def _measured(server: EmbeddedPostgres, rounds: int, events: int, say: Callable[[str], None]) -> dict[str, float]:
    url = await fresh_database(server)
    async with (
        running_logs(url) as logs,
        open_database(url) as database,
        superuser(server, urlsplit(url).path.removeprefix("/")) as root,
    ):
        opened = await open_province(logs)
        say(f"(e) writing {events} events")
        first = await fill(root, Codec(Registry(EVENT_TYPES)), opened, events)
        log, last = opened.log, first - 1 + events
        say("(e) signing, exporting, verifying, replaying")
        with tempfile.TemporaryDirectory() as folder:
            figures = await _once(log, database, last, Path(folder) / "log.tar")
        await root.execute("ANALYZE")
        measured: list[dict[str, float]] = []
        for number in range(rounds):
            say(f"(e) round {number + 1} of {rounds}: proofs and rows")
            measured.append(await _asked(log, Signer(database), last, random.Random(number)))  # noqa: S311 - a case
    return figures | medians(measured)


async def _once(log: ProvinceLog, database: Database, last: int, path: Path) -> dict[str, float]:
    signer = Signer(database)
    figures: dict[str, float] = {}
    began = perf_counter()
    await log.tree.grow(last)
    figures["tiles_events_per_s"] = last / (perf_counter() - began)
    began = perf_counter()
    await signer.newest(log)
    figures["first_checkpoint_events_per_s"] = last / (perf_counter() - began)
    began = perf_counter()
    with path.open("wb") as file:
        async for piece in exported(signer, log, Span.of(1, last)):
            file.write(piece)
    figures["export_events_per_s"] = last / (perf_counter() - began)
    digest = (await digest_at(Finder(database, PROJECTIONS), log, ADMIN, str(last))).digest
    (vkey,) = await named_vkeys(log)
    for name, check in (
        ("verify_export_events_per_s", ("export", str(path))),
        ("replay_events_per_s", ("replay", str(path), "--digest", digest)),
    ):
        command = [sys.executable, "-m", "emulation_saas", "verify", *check, "--vkey", vkey]
        began = perf_counter()
        await asyncio.to_thread(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
        figures[name] = last / (perf_counter() - began)
    return figures


async def _asked(log: ProvinceLog, signer: Signer, events: int, chance: random.Random) -> dict[str, float]:
    took: dict[str, list[float]] = {}
    for _ in range(ASKED):
        size = chance.randint(1, events)
        position, first = chance.randint(1, size), chance.randint(1, size)
        for name, asked in (
            ("inclusion_proof_ms", log.tree.inclusion(position, size)),
            ("one_row_ms", log.entries(after=position - 1, through=position)),
            ("consistency_proof_ms", log.tree.consistency(first, size)),
            ("receipt_ms", receipt(signer, log, position)),
        ):
            began = perf_counter()
            await asked
            took.setdefault(name, []).append((perf_counter() - began) * 1_000)
    return {name: median(times) for name, times in took.items()}
