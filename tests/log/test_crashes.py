"""Kills under load: what was acknowledged is there, what is there was asked for, and once.

Method
1. A real service (a supervisor, two workers, an embedded PostgreSQL with fsync on) on a data directory of its own.
2. Four clients send commands over HTTP, one after another: single events, events with sealed fields, commands that
   change nothing, openings of provinces. Each command has its own Idempotency-Key. A client that has no answer, or a
   503, sends the same again with the same key until it has one; three in a hundred requests are abandoned on purpose.
   Any other answer fails the test.
3. Meanwhile one kind of process is killed, at a random moment after at least 25 more commands were answered: a worker
   (SIGKILL), the whole service by its supervisor (SIGKILL; then started anew), the database (in turns: immediate stop,
   SIGKILL of the postmaster, SIGKILL of one session; the supervisor or the postmaster starts it again).
4. The clients finish what they have begun. Then every command is sent once more with its key: the answer must be the
   same, byte for byte.
5. The service is stopped and the log is read past it. For each province: positions have no gap; every answered event is
   stored at its position as answered; every stored event was answered to exactly one command and speaks of it; every
   key is stored once; the Merkle root of the stored bytes is the head's; recorded times never decrease (`ledger.py`).
6. The same without processes: two processes' worth of the log in this one, whose callers are cancelled at random and
   whose database sessions are terminated at random (I1 to I4 of the faults' invariants).

`EMULATION_KILLS` says how many kills of each kind (3; `make crash`: 20).
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest

from emulation_saas.kernel.use_cases import UseCase
from emulation_saas.log import Accepted
from emulation_saas.log.faults import OutcomeUnknownError
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.database import superuser
from tests.log.ledger import Ledger
from tests.log.load import Load, order, under_load
from tests.logs import Opened, open_province, register, running_logs
from tests.serving import Served, children, command_line, served

KILLS: Final = int(os.environ.get("EMULATION_KILLS", "3"))
SEED: Final = int(os.environ.get("EMULATION_SEED", "20240130"))
CLIENTS: Final = 4
ANSWERS_BETWEEN_KILLS: Final = 25
_ANY_SESSION: Final = """
SELECT pid FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'
ORDER BY state = 'active' DESC, random() LIMIT 1
"""
CALLERS: Final = 16
COMMANDS_EACH: Final = 40
CANCELLED: Final = 0.2
"""Share of calls whose caller is cancelled, sooner or later."""


async def until(condition: Callable[[], bool], *, seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for happens to another process
            await asyncio.sleep(0.02)


async def kill_worker(service: Served, rng: random.Random, _: int) -> None:
    await until(lambda: len(service.worker_pids()) > 0)
    victim = rng.choice(service.worker_pids())
    os.kill(victim, signal.SIGKILL)
    await until(lambda: victim not in service.worker_pids())


async def kill_service(service: Served, _: random.Random, __: int) -> None:
    service.kill()
    service.start()


async def kill_database(service: Served, rng: random.Random, number: int) -> None:
    await until(lambda: service.database_pid() is not None)
    victim = service.database_pid()
    assert victim is not None
    if number % 3 == 2:  # all sessions end, and the postmaster recovers
        sessions = [pid for pid in children(victim) if b"emulation_app" in command_line(pid)]
        assert sessions, "no session of the service was there"
        os.kill(rng.choice(sessions), signal.SIGKILL)
        return
    os.kill(victim, signal.SIGKILL if number % 3 else signal.SIGQUIT)
    await until(lambda: service.database_pid() not in {None, victim})


KINDS: Final = {"worker": kill_worker, "service": kill_service, "database": kill_database}


@pytest.mark.parametrize("kind", KINDS)
async def test_kills_lose_nothing_and_invent_nothing(
    kind: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(f"{SEED}-{kind}")  # noqa: S311 - seeded, to be done again; no secret
    with served(place) as service:
        load = Load(service, rng)
        await load.open()
        began = monotonic()

        async def disturb() -> None:
            for number in range(KILLS):
                await load.more(ANSWERS_BETWEEN_KILLS)
                await asyncio.sleep(rng.uniform(0, 0.1))
                await KINDS[kind](service, rng, number)
            await load.more(ANSWERS_BETWEEN_KILLS)

        await under_load(load, CLIENTS, disturb)
        took_s = monotonic() - began
        await demand_same_answers(load)
        service.wait_until_ready()
        assert service.stop()[0] == 0
    events = await demand_truth(load, service.data)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{kind}: {load.acknowledged} acknowledged, {load.retried} retried, {KILLS} kills in {took_s:.1f} s, "
            f"{events} events, longest pause {load.gap_max_s:.2f} s, lost 0, invented 0, twice 0 (seed {SEED})\n"
        )


async def demand_same_answers(load: Load) -> None:
    """Send each command of the busy province once more with its key: `answered` demands the same answer."""
    admin = load.ledgers["bac-song"]
    async with httpx.AsyncClient(base_url=load.service.url, timeout=15, trust_env=False) as client:
        again = Load(load.service, load.rng, tokens=load.tokens)
        for key in [key for key in admin.sent if not key.startswith("open-")]:
            number, turn = key.removeprefix("c").split("-")
            await again.settle(client, order(int(number), int(turn)))
    assert again.ledgers["bac-song"].answers == {
        key: answer for key, answer in admin.answers.items() if not key.startswith("open-")
    }


async def demand_truth(load: Load, data: Path) -> int:
    """Read every province's log past the service and return how many events there are."""
    server = EmbeddedPostgres(data, report=lambda _: None)
    server.start()
    try:
        return sum([await ledger.demand_truth(server, server.url) for ledger in load.ledgers.values()])
    finally:
        server.stop()


@asynccontextmanager
async def sessions_ended_at_random(server: EmbeddedPostgres, url: str, rng: random.Random) -> AsyncGenerator[list[int]]:
    """Terminate one of the log's database sessions every now and then; lend the list of them."""
    ended: list[int] = []
    name = urlsplit(url).path.removeprefix("/")

    async def end_sessions() -> None:
        async with superuser(server) as connection:
            while True:
                await asyncio.sleep(rng.uniform(0.01, 0.06))
                pid = await connection.fetchval(_ANY_SESSION, name)
                if pid is not None and await connection.fetchval("SELECT pg_terminate_backend($1)", pid):
                    ended.append(pid)

    ending = asyncio.create_task(end_sessions())
    try:
        yield ended
    finally:
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)


async def settle(province: Opened, key: str, use_case: UseCase[Any], ledger: Ledger, rng: random.Random) -> Accepted:
    """Execute until it is answered; now and then the caller is cancelled."""
    while True:
        asking = asyncio.ensure_future(province.log.execute(use_case, by=province.acting(key)))
        if rng.random() < CANCELLED:
            await asyncio.sleep(rng.uniform(0, 0.02))
            asking.cancel()
        await asyncio.wait([asking])
        fault = None if asking.cancelled() else asking.exception()
        if not asking.cancelled() and fault is None:
            return asking.result()
        if fault is not None and not isinstance(fault, OutcomeUnknownError):
            raise fault
        ledger.retried += 1


async def test_ended_sessions_and_cancelled_callers_lose_nothing(
    server: EmbeddedPostgres, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(SEED)  # noqa: S311 - as above
    async with running_logs(database_url, app_max=4) as here, running_logs(database_url, app_max=4) as there:
        opened = await open_province(here)
        other = await there.find("bac-song")
        assert other is not None
        ledger = Ledger("bac-song")
        first = (await opened.log.head()).position
        processes = [opened, Opened(other, opened.admin)]

        async def caller(number: int) -> None:
            for turn in range(COMMANDS_EACH):
                key, agency = f"k{number}-{turn}", f"a{number}-{turn - turn % 2}"
                ledger.send(key, agency)
                answer = await settle(rng.choice(processes), key, register(agency), ledger, rng)
                ledger.answered(key, answer)

        async with sessions_ended_at_random(server, database_url, rng) as ended, asyncio.TaskGroup() as tasks:
            for number in range(CALLERS):
                tasks.create_task(caller(number))
        for key in list(ledger.sent):
            who, turn = key.removeprefix("k").split("-")
            agency = f"a{who}-{int(turn) - int(turn) % 2}"
            ledger.answered(key, await opened.log.execute(register(agency), by=opened.acting(key)))
        ledger.opened_through = first
        events = await ledger.demand_truth(server, database_url)
    assert ended, "no session was ended: nothing was tried"
    with capsys.disabled():
        sys.stdout.write(
            f"\nsessions: {len(ledger.answers)} acknowledged, {ledger.retried} retried, {len(ended)} ended, "
            f"{events} events, lost 0, invented 0, twice 0 (seed {SEED})\n"
        )
