"""(e) Proofs from the database at 100 000 events, beside one indexed row; and the whole log signed and exported.

The events are synthetic bytes of the usual length, with the leaf hashes and the head that belong to them.
"""

import random
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import uvloop

from emulation_saas.audit.exports import Span, exported
from emulation_saas.audit.receipts import receipt
from emulation_saas.audit.signing import Signer
from emulation_saas.log import ProvinceLog
from emulation_saas.log.frontier import Frontier
from emulation_saas.postgres.database import Database, open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.bench.figures import Row, medians
from tests.database import fresh_database, superuser
from tests.logs import open_province, running_logs

if TYPE_CHECKING:
    from tests.database import Connection

EVENTS: Final = 100_000
EVENTS_QUICK: Final = 20_000
ASKED: Final = 500
TITLE: Final = "(e) Proofs and exports of a log; proofs of random positions at random sizes"
# $1 the province, $2 the last position.
_FILLING: Final = """
INSERT INTO events
SELECT $1, n, 'bench.synthetic.v1', now(), e.body, sha256('\\x00'::bytea || e.body)
FROM generate_series((SELECT max(position) + 1 FROM events), $2) AS n
CROSS JOIN LATERAL (SELECT convert_to(replace('{text}', '{n}', n::text), 'UTF8')) AS e (body)
"""
_TEXT: Final = (
    '{"actor":"operator","commandid":"0190c3f2","data":{"text":"%s"},"id":"{n}",'
    '"recordedtime":"2024-01-30T02:00:05.123456Z","time":"2024-01-30T02:00:05Z"}'
) % ("x" * 260)


def measure(
    server: EmbeddedPostgres, *, rounds: int, quick: bool, say: Callable[[str], None]
) -> tuple[dict[str, float], list[Row]]:
    """Fill a log, sign and export it, then ask for proofs and rows in turns."""
    figures = uvloop.run(_measured(server, rounds, EVENTS_QUICK if quick else EVENTS, say))
    proof, row = figures["inclusion_proof_ms"], figures["indexed_row_ms"]
    figures["inclusion_proof_vs_row_ratio"] = proof / row
    rows = [
        Row("inclusion proof, median", proof, "ms", "one indexed row", proof / row),
        Row("consistency proof, median", figures["consistency_proof_ms"], "ms"),
        Row("receipt, signed before, median", figures["receipt_ms"], "ms"),
        Row("one indexed row, median", row, "ms"),
        Row("first checkpoint: every event hashed again", figures["first_checkpoint_events_per_s"], "events/s"),
        Row("tiles of a log that has none", figures["tiles_events_per_s"], "events/s"),
        Row("export", figures["export_events_per_s"], "events/s"),
    ]
    return figures, rows


async def _measured(server: EmbeddedPostgres, rounds: int, events: int, say: Callable[[str], None]) -> dict[str, float]:
    url = await fresh_database(server)
    async with (
        running_logs(url) as logs,
        open_database(url) as database,
        superuser(server, urlsplit(url).path.removeprefix("/")) as root,
    ):
        log = (await open_province(logs)).log
        say(f"(e) writing {events} events")
        await _fill(root, log, events)
        figures = await _once(log, database, events)
        await root.execute("ANALYZE")
        measured: list[dict[str, float]] = []
        for number in range(rounds):
            say(f"(e) round {number + 1} of {rounds}: proofs and rows")
            measured.append(await _asked(log, Signer(database), events, random.Random(number)))  # noqa: S311 - a case
    return figures | medians(measured)


async def _fill(root: "Connection", log: ProvinceLog, events: int) -> None:
    """Write the rest of a log and move its head there."""
    await root.execute(
        _FILLING.replace("$1", f"uuid '{log.province}'").replace("$2", str(events)).replace("{text}", _TEXT)
    )
    frontier = Frontier()
    for row in await root.fetch("SELECT leaf_hash FROM events ORDER BY position"):
        frontier.append(row["leaf_hash"])
    await root.execute(
        "UPDATE log_head SET position = $1, frontier = $2, root = $3", events, frontier.peaks, frontier.root()
    )


async def _once(log: ProvinceLog, database: Database, events: int) -> dict[str, float]:
    signer = Signer(database)
    figures: dict[str, float] = {}
    began = perf_counter()
    await log.tree.grow(events)
    figures["tiles_events_per_s"] = events / (perf_counter() - began)
    began = perf_counter()
    await signer.newest(log)
    figures["first_checkpoint_events_per_s"] = events / (perf_counter() - began)
    began = perf_counter()
    async for piece in exported(signer, log, Span.of(1, events)):
        del piece
    figures["export_events_per_s"] = events / (perf_counter() - began)
    return figures


async def _asked(log: ProvinceLog, signer: Signer, events: int, chance: random.Random) -> dict[str, float]:
    took: dict[str, list[float]] = {}
    for _ in range(ASKED):
        size = chance.randint(1, events)
        position, first = chance.randint(1, size), chance.randint(1, size)
        for name, asked in (
            ("inclusion_proof_ms", log.tree.inclusion(position, size)),
            ("indexed_row_ms", log.entries(after=position - 1, through=position)),
            ("consistency_proof_ms", log.tree.consistency(first, size)),
            ("receipt_ms", receipt(signer, log, position)),
        ):
            began = perf_counter()
            await asked
            took.setdefault(name, []).append((perf_counter() - began) * 1_000)
    return {name: median(times) for name, times in took.items()}
