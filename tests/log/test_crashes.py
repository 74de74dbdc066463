"""Sessions end and callers go away under load: what was acknowledged is there, what is there was asked for, and once.

Method. Two processes' worth of the log in this one, whose callers are cancelled at random and whose database sessions
are terminated at random. Who is not answered asks again with the same key, of either. What killed processes leave
behind is tried by `tests/faults`.
"""

import asyncio
import os
import random
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from emulation_saas.kernel.use_cases import UseCase
from emulation_saas.log import Accepted
from emulation_saas.log.faults import OutcomeUnknownError
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.database import superuser
from tests.faults.ledger import Found, Ledger, stored_log
from tests.logs import Opened, open_province, register, running_logs

SEED: Final = int(os.environ.get("EMULATION_SEED", "20240130"))
_ANY_SESSION: Final = """
SELECT pid FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'
ORDER BY state = 'active' DESC, random() LIMIT 1
"""
CALLERS: Final = 16
COMMANDS_EACH: Final = 40
CANCELLED: Final = 0.2
"""Share of calls whose caller is cancelled, sooner or later."""


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
    rng = random.Random(SEED)  # noqa: S311 - seeded, to be done again; no secret
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
    async with superuser(server, urlsplit(database_url).path.removeprefix("/")) as connection:
        stored = await stored_log(connection, "bac-song")
    assert ledger.compare(stored) == Found()
    assert ended, "no session was ended: nothing was tried"
    with capsys.disabled():
        sys.stdout.write(
            f"\nsessions: {len(ledger.answers)} acknowledged, {ledger.retried} retried, {len(ended)} ended, "
            f"{stored.position} events, lost 0, invented 0, twice 0 (seed {SEED})\n"
        )
