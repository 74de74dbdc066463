"""(a) A durable roll-call vote over HTTP, against a handler that reads the same body and answers at once."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from emulation_saas.http.local_issuer import LocalIssuer
from emulation_saas.serving import worker_environment
from tests.bench.figures import Row, medians
from tests.bench.load import Job, Outcome, Sender
from tests.bench.serving import partner, serving, unbound, with_tests
from tests.bench.world import BLOC, YEAR, World, build
from tests.logs import keep_master_key, running_logs

CONNECTIONS: Final = (1, 16, 64)
VOTERS: Final = 64
ROUNDS: Final = {1: 12, 16: 40, 64: 100}
"""Votes of each voter in one measurement, by connections; even, see `load`."""
ROUNDS_WARM: Final = 20
TITLE: Final = (
    "(a) One durable roll-call vote over HTTP: token, body, idempotency key, decision, event on disk; votes/s.\n"
    "    One worker. Load generator, worker and database share this machine's cores; so do generator and bare handler."
)


def measure(
    url: str, folder: Path, *, rounds: int, quick: bool, say: Callable[[str], None]
) -> tuple[dict[str, float], list[Row]]:
    """Measure service and bare handlers in turns, so that the machine's moods meet all of them."""
    world = asyncio.run(_built(url))
    issuer = LocalIssuer(folder)
    keep_master_key(folder)
    senders = [Sender(issuer.issue(voter.sub), voter.agency) for voter in world.voters]
    path = f"/v1/provinces/{world.province}/blocs/{BLOC}/years/{YEAR}/ballots/{world.ballots[0]}/votes"
    env = with_tests(worker_environment(unbound(folder), url=url, local=True))
    bare = [sys.executable, "-m", "tests.bench.bare"]
    programs = {
        "vote": ([sys.executable, "-m", "emulation_saas", "worker"], "/health/ready"),
        "bare": (bare, "/health/live"),
        "surrounded": ([*bare, "--surrounded"], "/health/live"),
    }
    measured: list[dict[str, float]] = []
    with ExitStack() as stack:
        ports = {
            name: stack.enter_context(serving(program, env=env, log=folder / f"{name}.log", health=health)).port
            for name, (program, health) in programs.items()
        }
        generator = stack.enter_context(partner("tests.bench.load", env))

        def send(job: Job) -> Outcome:
            generator.tell(job)
            return generator.hear(Outcome)

        jobs = {
            (name, connections): Job(port, path, connections, ROUNDS[connections] // (4 if quick else 1) & ~1, senders)
            for name, port in ports.items()
            for connections in CONNECTIONS
        }
        for name, port in ports.items():
            _require_accepted(name, send(Job(port, path, VOTERS, ROUNDS_WARM, senders)))
        for number in range(rounds):
            figures: dict[str, float] = {}
            for (name, connections), job in jobs.items():
                say(f"(a) round {number + 1} of {rounds}: {name}, {connections} connections")
                outcome = send(job)
                _require_accepted(name, outcome)
                figures[f"http_{name}_{connections}_per_s"] = outcome.accepted / outcome.seconds
                figures[f"http_{name}_{connections}_p50_ms"] = outcome.p50_ms
                figures[f"http_{name}_{connections}_p99_ms"] = outcome.p99_ms
            measured.append(figures)
    return _compared(medians(measured))


def _compared(figures: dict[str, float]) -> tuple[dict[str, float], list[Row]]:
    rows: list[Row] = []
    for connections in CONNECTIONS:
        rate = {name: figures[f"http_{name}_{connections}_per_s"] for name in ("vote", "bare", "surrounded")}
        ratio = figures[f"http_vote_{connections}_ratio"] = rate["vote"] / rate["bare"]
        figures[f"http_vote_{connections}_surrounded_ratio"] = rate["vote"] / rate["surrounded"]
        where = f"{connections} connection{'s' * (connections > 1)}"
        demanded = 0.5 if connections == VOTERS else None
        rows += [
            Row(f"vote, {where}", rate["vote"], "/s", "bare handler", ratio, demanded),
            Row("", figures[f"http_vote_{connections}_p50_ms"], "ms p50"),
            Row("", figures[f"http_vote_{connections}_p99_ms"], "ms p99"),
            Row(
                f"bare handler with the service's surroundings, {where}",
                rate["surrounded"],
                "/s",
                "bare handler",
                rate["surrounded"] / rate["bare"],
            ),
            Row(f"bare handler, {where}", rate["bare"], "/s"),
        ]
    return figures, rows


async def _built(url: str) -> World:
    async with running_logs(url) as logs:
        return await build(logs, "bo-phieu", voters=VOTERS, ballots=1)


def _require_accepted(name: str, outcome: Outcome) -> None:
    if outcome.others:
        raise RuntimeError(f"{name} answered {outcome.others}")
