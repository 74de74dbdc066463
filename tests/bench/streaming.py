"""(g) Server-Sent Events: 1, 100 and 1 000 subscribers of one province while votes are recorded at a steady pace.

Latency is from the vote's answer to the event's bytes at a subscriber. Beside it: the stock subscription of
`eventsourcing` (one subscriber; more of them take two connections each), and a process that writes the same bytes to as
many sockets, as often. What subscribers cost the database is what it does with them less what it does without.
"""

import asyncio
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from eventsourcing.dcb.postgres_tt import PostgresDCBRecorderTT

from emulation_saas.http.local_issuer import LocalIssuer
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.serving import worker_environment
from emulation_saas.streams.tails import PAUSE_S
from tests.bench.fanout import Write, Written
from tests.bench.figures import Row, medians
from tests.bench.listeners import Delivered, Listen, Measure
from tests.bench.load import Sender
from tests.bench.pacing import Pace, Paced
from tests.bench.serving import Partner, Worker, partner, serving, unbound, with_tests
from tests.bench.stock import stock_datastore
from tests.bench.subscribed import followed
from tests.bench.world import BLOC, YEAR, World, build
from tests.database import empty_database, fresh_database, named, superuser
from tests.logs import keep_master_key, running_logs

SUBSCRIBERS: Final = (0, 1, 100, 1_000)
"""None of them as well: what appends alone cost."""
VOTERS: Final = 64
PER_S: Final = 300
SECONDS: Final = 5.0
SECONDS_QUICK: Final = 2.0
PERCENTILES: Final = (50, 99)
TITLE: Final = (
    f"(g) Streams of one province at {PER_S} appends/s over HTTP, one worker: from a vote's answer to its bytes at\n"
    "    each subscriber. Appends, subscribers, worker and database share this machine's cores."
)
_COUNT: Final = (
    "SELECT sum(calls)::bigint FROM pg_stat_statements JOIN pg_database ON dbid = pg_database.oid WHERE datname = $1"
)


class _Service:
    """A worker under votes, with whoever subscribes."""

    def __init__(
        self, server: EmbeddedPostgres, name: str, worker: Worker, voting: Partner, listening: Partner
    ) -> None:
        self._server = server
        self._name = name
        self._worker = worker
        self._voting = voting
        self._listening = listening

    def measured(self, subscribers: int, pace: Pace, listen: Listen) -> dict[str, float]:
        """Return the figures of so many subscribers; of none, what there is."""
        if subscribers:
            self._listening.tell(listen)
            assert self._listening.hear(int) == subscribers
        queries, cpu_s, began = asyncio.run(self._queries()), self._worker.cpu_s(), monotonic()
        self._voting.tell(pace)
        paced = self._voting.hear(Paced)
        took_s = monotonic() - began
        figures = {
            f"sse_{subscribers}_queries_per_s": (asyncio.run(self._queries()) - queries) / took_s,
            f"sse_{subscribers}_cpu": (self._worker.cpu_s() - cpu_s) / took_s,
            f"sse_{subscribers}_appends_per_s": len(paced.answered) / paced.seconds,
        }
        if subscribers:
            self._listening.tell(Measure(paced.answered))
            figures |= _latencies(f"sse_{subscribers}", self._listening.hear(Delivered))
        return figures

    async def _queries(self) -> int:
        async with superuser(self._server, "postgres") as root:
            count: int = await root.fetchval(_COUNT, self._name)
            return count


def measure(
    server: EmbeddedPostgres, folder: Path, *, rounds: int, quick: bool, say: Callable[[str], None]
) -> tuple[dict[str, float], list[Row]]:
    """Measure service, stock and bare in turns, so that the machine's moods meet all of them."""
    _count_statements(server)
    url = asyncio.run(fresh_database(server))
    asyncio.run(empty_database(server, "stock"))
    world = asyncio.run(_built(url))
    issuer = LocalIssuer(folder)
    keep_master_key(folder)
    senders = [Sender(issuer.issue(voter.sub), voter.agency) for voter in world.voters]
    here = f"/v1/provinces/{world.province}"
    votes = f"{here}/blocs/{BLOC}/years/{YEAR}/ballots/{world.ballots[0]}/votes"
    env = with_tests(worker_environment(unbound(folder), url=url, local=True))
    seconds = SECONDS_QUICK if quick else SECONDS
    measured: list[dict[str, float]] = []
    with ExitStack() as stack:
        program = [sys.executable, "-m", "emulation_saas", "worker"]
        worker = stack.enter_context(serving(program, env=env, log=folder / "worker.log", health="/health/ready"))
        voting, listening, bare = (
            stack.enter_context(partner(f"tests.bench.{module}", env)) for module in ("pacing", "listeners", "fanout")
        )
        bare_port = bare.hear(int)
        stock = stack.enter_context(stock_datastore(named(server.superuser_url, "stock")))
        recorder = PostgresDCBRecorderTT(stock)
        recorder.create_table()
        service = _Service(server, urlsplit(url).path.removeprefix("/"), worker, voting, listening)
        pace = Pace(worker.port, votes, senders, PER_S, seconds)
        voting.tell(pace)  # warm
        voting.hear(Paced)
        tokens = [sender.token for sender in senders]
        for number in range(rounds):
            figures: dict[str, float] = {}
            for subscribers in SUBSCRIBERS:
                say(f"(g) round {number + 1} of {rounds}: {subscribers} subscribers")
                after = asyncio.run(_head(url, world.province))
                listen = Listen(worker.port, f"{here}/events?after={after}", tokens, subscribers)
                figures |= service.measured(subscribers, pace, listen)
                if subscribers:
                    figures |= _bare(bare, bare_port, listening, subscribers, seconds)
            say(f"(g) round {number + 1} of {rounds}: stock subscription")
            took = followed(recorder, per_s=PER_S, seconds=seconds)
            figures |= {f"sse_stock_1_p{share}_ms": took[len(took) * share // 100] for share in PERCENTILES}
            measured.append(figures)
    return _compared(medians(measured))


def _bare(bare: Partner, port: int, listening: Partner, subscribers: int, seconds: float) -> dict[str, float]:
    listening.tell(Listen(port, "/", [""], subscribers))
    assert listening.hear(int) == subscribers
    bare.tell(Write(PER_S, PAUSE_S, seconds))
    written = bare.hear(Written)
    listening.tell(Measure(written.answered))
    figures = _latencies(f"sse_bare_{subscribers}", listening.hear(Delivered))
    return figures | {f"sse_bare_{subscribers}_cpu": written.cpu_s / written.seconds}


def _latencies(name: str, delivered: Delivered) -> dict[str, float]:
    if delivered.missing:
        raise RuntimeError(f"{name}: {delivered.missing} deliveries did not come")
    return {f"{name}_p50_ms": delivered.p50_ms, f"{name}_p99_ms": delivered.p99_ms}


def _compared(figures: dict[str, float]) -> tuple[dict[str, float], list[Row]]:
    rows = [
        Row("appends with nobody listening", figures["sse_0_appends_per_s"], "/s"),
        Row("", figures["sse_0_queries_per_s"], "queries/s"),
        Row("", figures["sse_0_cpu"], "cores"),
    ]
    for subscribers in SUBSCRIBERS[1:]:
        name = f"sse_{subscribers}"
        rows += [
            Row(f"{subscribers} subscriber{'s' * (subscribers > 1)}, p50", figures[f"{name}_p50_ms"], "ms"),
            Row("", figures[f"{name}_p99_ms"], "ms p99"),
            Row("", figures[f"{name}_queries_per_s"], "queries/s"),
            Row("", figures[f"{name}_cpu"], "cores"),
            Row("  bare write of the same bytes, p50", figures[f"sse_bare_{subscribers}_p50_ms"], "ms"),
            Row("", figures[f"sse_bare_{subscribers}_p99_ms"], "ms p99"),
            Row("", figures[f"sse_bare_{subscribers}_cpu"], "cores"),
        ]
    rows += [
        Row("  stock subscription, 1 subscriber, p50", figures["sse_stock_1_p50_ms"], "ms"),
        Row("", figures["sse_stock_1_p99_ms"], "ms p99"),
    ]
    return figures, rows


def _count_statements(server: EmbeddedPostgres) -> None:
    """Have the database count its statements; it starts again for that."""

    async def do(statement: str) -> None:
        async with superuser(server) as root:
            await root.execute(statement)

    asyncio.run(do("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'"))
    server.stop()
    server.start()
    asyncio.run(do("CREATE EXTENSION pg_stat_statements"))


async def _built(url: str) -> World:
    async with running_logs(url) as logs:
        return await build(logs, "bo-phieu", voters=VOTERS, ballots=1)


async def _head(url: str, province: str) -> int:
    async with running_logs(url) as logs:
        log = await logs.find(province)
        assert log is not None
        return (await log.head()).position
