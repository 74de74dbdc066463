"""`python -m tests.bench.growth`: what operations cost on one province's log as it grows from 1e5 to 1e7 events.

The first size is generated through the use cases, as `emulation-saas generate` does; the others are that history many
times over (`growing.py`). All sizes are asked in turns, so that the machine's moods meet all of them. Prints a table
and writes `build/growth.json`: per operation the median in ms at each size, and the ratio to the first. 1e7 events take
about 20 GB of disk and, on two quiet cores, most of an hour; with `--folder` what was made is kept, and gone on from.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Final

import msgspec
import uvloop

from emulation_saas.generating.provinces import Plan, generate
from emulation_saas.log import Codec, MasterKey, Registry
from emulation_saas.log.frontier import Frontier
from emulation_saas.log.keyring import Keyring
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.projecting.rebuild import rebuild
from emulation_saas.wiring import EVENT_TYPES
from projections.standings import Standings
from tests.bench.costs import OPERATIONS, Grown, grown, took_ms
from tests.bench.growing import grow, growth_of, indexes
from tests.database import empty_database, fresh_database, named, start_database, superuser
from tests.logs import MASTER_KEY, logs_of

if TYPE_CHECKING:
    from tests.database import Connection

OUTPUT: Final = Path(__file__).parents[2] / "build" / "growth.json"
PLAN: Final = Plan(province="lon-01", seed=1, blocs=48, years=10)
PLAN_QUICK: Final = Plan(province="lon-01", seed=1, blocs=2, years=1)
COPIES: Final = {"1e5": 0, "1e6": 9, "1e7": 99}
COPIES_QUICK: Final = {"1e5": 0, "1e6": 1}
RATIO_WANTED: Final = 1.5
Say = Callable[[str], None]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured."""

    sizes: dict[str, int]
    """The head of each log, by the name of its size."""
    made_s: dict[str, float]
    """How long making each log took in this run; 0 where it was there."""
    ms: dict[str, dict[str, float]]
    """By operation and size, the median."""
    ratio: dict[str, dict[str, float]]
    """The same, to that of the first size."""


def main() -> int:
    """Make the logs that are not there, ask, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny logs, each asked once, to see that it runs")
    parser.add_argument("--sizes", default="1e5,1e6,1e7", help="sizes, the first being what others are compared with")
    parser.add_argument("--only", default=",".join(OPERATIONS), help="operations to measure")
    parser.add_argument("--folder", type=Path, help="where the database is, and stays")
    parser.add_argument("--out", type=Path, default=OUTPUT, help="the file that is written")
    options = parser.parse_args()
    copies = COPIES_QUICK if options.quick else {size: COPIES[size] for size in options.sizes.split(",")}
    folder = options.folder or Path(tempfile.mkdtemp(prefix="emulation-growth-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # for root, whose server runs as another user
    try:
        server = start_database(folder)
        try:
            figures = uvloop.run(_measured(server, copies, options.only.split(","), quick=options.quick))
        finally:
            server.stop()
    finally:
        if options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))
    sys.stdout.write(f"{table(figures)}\n\n{options.out}\n")
    return 0


def table(figures: Figures) -> str:
    """Return the figures for people."""
    sizes = list(figures.sizes)
    lines = [f"{'ms, median':<48}" + "".join(f"{figures.sizes[size]:>14,}" for size in sizes)]
    for name, by_size in figures.ms.items():
        told = "".join(f"{by_size[size]:>14.3g}" for size in sizes)
        ratio = figures.ratio[name][sizes[-1]]
        verdict = "" if ratio <= RATIO_WANTED else f"  MORE than {RATIO_WANTED}"
        lines.append(f"{OPERATIONS[name][1]:<48}{told}  x {ratio:.2f}{verdict}")
    return "\n".join(lines)


async def _measured(server: EmbeddedPostgres, copies: dict[str, int], operations: list[str], *, quick: bool) -> Figures:
    plan = PLAN_QUICK if quick else PLAN
    made = {size: await _made(server, plan, size, many) for size, many in copies.items()}
    async with AsyncExitStack() as stack:
        logs = {
            size: await stack.enter_async_context(grown(size, _url(server, size), plan, many, seed))
            for seed, (size, many) in enumerate(copies.items())
        }
        ms: dict[str, dict[str, float]] = {}
        for name in operations:
            _say(name)
            ms[name] = await _asked(logs, name, 1 if quick else OPERATIONS[name][2])
        heads = {size: there.head for size, there in logs.items()}
    first = next(iter(copies))
    ratio = {name: {size: round(by_size[size] / by_size[first], 3) for size in by_size} for name, by_size in ms.items()}
    return Figures(sizes=heads, made_s=made, ms=ms, ratio=ratio)


async def _asked(logs: dict[str, Grown], name: str, times: int) -> dict[str, float]:
    """Ask all logs in turns; return the medians. The first turn warms up and does not count."""
    spent: dict[str, list[float]] = {size: [] for size in logs}
    for turn in range(times + 1):
        for size, there in logs.items():
            took = await took_ms(there, name)
            if turn:
                spent[size].append(took)
    return {size: round(median(times), 4) for size, times in spent.items()}


async def _made(server: EmbeddedPostgres, plan: Plan, size: str, copies: int) -> float:
    """Make the log of a size with its standings and its tree, as far as it is not there; return how long it took."""
    began = perf_counter()
    if await _is_there(server, _name(size)):
        return 0
    _say(f"making {size}")
    partial = f"{_name(size)}_partial"
    if copies:
        await _made(server, plan, "1e5", 0)
    if not await _is_there(server, partial):
        await (empty_database(server, partial, template=_name("1e5")) if copies else fresh_database(server, partial))
    async with (
        open_database(named(server.url, partial)) as database,
        logs_of(database) as logs,
        superuser(server, partial) as root,
    ):
        if copies:
            await _grow(server, plan, root, partial, copies)
        else:
            await generate(logs, plan)
        log = await logs.find(plan.province)
        assert log is not None
        _say("tree, standings")
        await log.root((await log.head()).position)
        await rebuild(log, database, Standings(), progress=_every(500_000))
        await root.execute("VACUUM (ANALYZE)")
    async with superuser(server) as root:
        await root.execute(f'ALTER DATABASE "{partial}" RENAME TO "{_name(size)}"')
    return round(perf_counter() - began, 1)


async def _grow(server: EmbeddedPostgres, plan: Plan, root: "Connection", partial: str, copies: int) -> None:
    """Add the copies of the first size to a copy of its database; the indexes are made afterwards."""
    async with (
        open_database(_url(server, "1e5")) as database,
        logs_of(database) as logs,
        superuser(server, _name("1e5")) as first_root,
        open_database(named(server.url, partial)) as grown_database,
        logs_of(grown_database) as grown_logs,
    ):
        first, growing = await logs.find(plan.province), await grown_logs.find(plan.province)
        assert first is not None
        assert growing is not None
        wanted, head = await indexes(first_root), await growing.head()
        end = (await first.head()).position
        codec, keyring = Codec(Registry(EVENT_TYPES)), Keyring(database, first.province, MasterKey(MASTER_KEY))
        growth = await growth_of(first_root, first, codec, keyring)
        if head.position < end + copies * growth.events:
            for name in await indexes(root):
                await root.execute(wanted[name][0])
            await grow(root, growth, Frontier(head.position, head.frontier), copies=copies, say=_say)
        await root.execute("SET maintenance_work_mem = '1GB'")
        for name, (_, made) in wanted.items():
            if name not in await indexes(root):
                _say(made)
                await root.execute(made)
        await root.execute("VACUUM (ANALYZE) events, event_tags, idempotency, log_head")


async def _is_there(server: EmbeddedPostgres, name: str) -> bool:
    async with superuser(server) as root:
        there: bool = await root.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name)
        return there


def _every(events: int) -> Callable[[int, int], None]:
    told = 0

    def tell(position: int, head: int) -> None:
        nonlocal told
        if position - told >= events:
            told = position
            _say(f"{position} of {head}")

    return tell


def _name(size: str) -> str:
    return f"growth_{size}"


def _url(server: EmbeddedPostgres, size: str) -> str:
    return named(server.url, _name(size))


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
