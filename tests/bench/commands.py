"""(b) `ProvinceLog.execute` without HTTP, against the stock recorders of `eventsourcing` on the same server."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec

from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.bench.callers import BALLOTS_A_PROCESS, Done, Job, Setting
from tests.bench.figures import Row, medians
from tests.bench.world import World, build
from tests.database import empty_database, fresh_database, named
from tests.logs import running_logs

PROCESSES: Final = 2
CALLERS: Final = (1, 16, 64, 128)
PROVINCES: Final = 32
VOTERS: Final = 64
SECONDS: Final = 1.5
SECONDS_QUICK: Final = 0.5
REPOSITORY: Final = Path(__file__).parents[2]
TITLE: Final = (
    "(b) One vote decided and recorded, without HTTP, with an idempotency key; commands/s. Against one event appended\n"
    "    (same bytes) by the stock recorders of eventsourcing 9.5.6: as many threads, a pool of 16 a process.\n"
    "    Callers, their process and the database share this machine's cores."
)
Kind = Literal["log", "application", "dcb"]


class Case(msgspec.Struct, frozen=True):
    """One thing that is measured."""

    kind: Kind
    callers: int
    processes: int = 1
    provinces: int = 1
    is_apart: bool = False
    """Whether each process has provinces of its own (D-091)."""

    def of(self, process: int) -> list[int]:
        """Return the numbers of the provinces in which a process votes."""
        return [*range(process, self.provinces, self.processes)] if self.is_apart else [*range(self.provinces)]

    @property
    def name(self) -> str:
        """What its figure is called."""
        where = f"_{self.provinces}_provinces{'_apart' * self.is_apart}" if self.provinces > 1 else ""
        return f"{_NAMES[self.kind]}_{self.callers}{where}{'_2_processes' if self.processes > 1 else ''}_per_s"


_NAMES: Final[dict[Kind, str]] = {"log": "execute", "application": "stock_application", "dcb": "stock_dcb"}
_KINDS: Final[tuple[Kind, ...]] = ("log", "application", "dcb")


def cases(*, quick: bool) -> list[Case]:
    """Return what is measured in each round."""
    callers = (64,) if quick else CALLERS
    return [
        *(Case(kind, many) for many in callers for kind in _KINDS),
        *(Case(kind, many, processes=2) for many in callers if many > 1 for kind in _KINDS),
        *(
            Case("log", many, processes, PROVINCES, is_apart)
            for many in (64, 128)
            for processes, is_apart in ((1, False), (2, False), (2, True))
            if not quick or many == 64
        ),
    ]


def measure(
    server: EmbeddedPostgres, *, rounds: int, quick: bool, say: Callable[[str], None]
) -> tuple[dict[str, float], list[Row]]:
    """Measure all cases in turns, so that the machine's moods meet all of them."""
    log_url = asyncio.run(fresh_database(server))
    stock_url = asyncio.run(empty_database(server, "stock"))
    say(f"(b) opening {PROVINCES} provinces")
    worlds = asyncio.run(_built(log_url))
    measured: list[dict[str, float]] = []
    stock_superuser = named(server.superuser_url, "stock")
    assert stock_url
    with _processes(log_url, stock_superuser, worlds) as do:
        for number in range(rounds):
            figures: dict[str, float] = {}
            for case in cases(quick=quick):
                say(f"(b) round {number + 1} of {rounds}: {case.name}")
                figures[case.name] = do(case, SECONDS_QUICK if quick else SECONDS)
            measured.append(figures)
    return _compared(medians(measured), cases(quick=quick))


def _compared(figures: dict[str, float], measured: list[Case]) -> tuple[dict[str, float], list[Row]]:
    rows: list[Row] = []
    for case in measured:
        rate = figures[case.name]
        where = (
            f"{case.callers} caller{'s' * (case.callers > 1)}, {case.processes} process{'es' * (case.processes > 1)}"
        )
        if case.kind != "log":
            rows.append(Row(f"  stock {case.kind} recorder, {where}", rate, "/s"))
            continue
        if case.provinces > 1:
            shared = " with provinces of their own" * case.is_apart
            rows.append(Row(f"execute, {case.provinces} provinces, {where}{shared}", rate, "/s"))
            continue
        stock = {kind: figures[Case(kind, case.callers, case.processes).name] for kind in _KINDS if kind != "log"}
        suffix = "_2_processes" if case.processes > 1 else ""
        for kind, against in stock.items():
            short = "stock" if kind == "application" else "stock_dcb"
            figures[f"execute_{case.callers}_vs_{short}_ratio{suffix}"] = rate / against
        demanded = 8.0 if case.callers == 64 and case.processes == 1 else None
        rows.append(
            Row(f"execute, {where}", rate, "/s", "stock application recorder", rate / stock["application"], demanded)
        )
        if case.processes > 1:
            ratio = figures[f"execute_{case.callers}_two_processes_ratio"] = (
                rate / figures[Case("log", case.callers).name]
            )
            rows.append(Row("  one hot province, two processes against one", rate, "/s", "one process", ratio))
    return figures, rows


async def _built(url: str) -> list[World]:
    """Open the hot province and the many; the hot one is the first of them."""
    async with running_logs(url) as logs:
        ballots = PROCESSES * BALLOTS_A_PROCESS
        hot = await build(logs, "tinh-0", voters=VOTERS, ballots=ballots)
        return [hot, *[await build(logs, f"tinh-{n}", voters=2, ballots=ballots) for n in range(1, PROVINCES)]]


@contextmanager
def _processes(log_url: str, stock_url: str, worlds: list[World]) -> "Generator[Callable[[Case, float], float]]":
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(REPOSITORY)]))}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.bench.callers"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(PROCESSES)
    ]
    for number, process in enumerate(processes):
        _write(process, msgspec.json.encode(Setting(number, log_url, stock_url, worlds)))
        if _read(process) != b"ready\n":
            raise RuntimeError("a process of callers did not start")

    def do(case: Case, seconds: float) -> float:
        chosen = processes[: case.processes]
        for number, process in enumerate(chosen):
            job = Job(case.kind, case.callers // case.processes, case.of(number), seconds)
            _write(process, msgspec.json.encode(job))
        done = [msgspec.json.decode(_read(process), type=Done) for process in chosen]
        return sum(each.events / each.seconds for each in done)

    try:
        yield do
    finally:
        for process in processes:
            process.communicate()


def _write(process: "subprocess.Popen[bytes]", line: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(line + b"\n")
    process.stdin.flush()


def _read(process: "subprocess.Popen[bytes]") -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()
