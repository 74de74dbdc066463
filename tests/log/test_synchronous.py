"""Where a second machine is to have every commit: a repetition is not acknowledged before that machine has it."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from emulation_saas.log.faults import OutcomeUnknownError
from tests.database import fresh_database, start_database, superuser
from tests.logs import open_province, register, running_logs

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.database import Connection

WAITS = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@asynccontextmanager
async def own_server(place: Path) -> "AsyncGenerator[tuple[str, Connection]]":
    """Lend a fresh database of a server of its own, and a superuser of it."""
    server = await asyncio.to_thread(start_database, place)
    try:
        url = await fresh_database(server)
        async with superuser(server) as root:
            yield url, root
    finally:
        await asyncio.to_thread(server.stop)


async def demand(root: "Connection", standby: str) -> None:
    """Have each commit wait until a standby has it; of no name: none."""
    await root.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{standby}'")
    await root.execute("SELECT pg_reload_conf()")


async def waiting(root: "Connection") -> int:
    """Return the process that waits for the standby, once one does."""
    async with asyncio.timeout(20):
        while (pid := await root.fetchval(WAITS)) is None:  # noqa: ASYNC110 - the database's
            await asyncio.sleep(0.02)
    found: int = pid
    return found


async def test_repetition_waits_for_the_standby_that_the_first_answer_waited_for(place: Path) -> None:
    async with own_server(place) as (url, root), running_logs(url) as logs:
        province = await open_province(logs)
        acting = province.acting("k-1")
        before = (await province.log.head()).position
        await demand(root, "away")
        first = asyncio.create_task(province.log.execute(register("noi-vu"), by=acting))
        await root.execute("SELECT pg_terminate_backend($1)", await waiting(root))
        with pytest.raises(OutcomeUnknownError):
            await first
        assert (await province.log.head()).position == before + 1, "it is in the log, and only there"
        again = asyncio.create_task(province.log.execute(register("noi-vu"), by=acting))
        await waiting(root)
        assert not again.done()
        await demand(root, "")
        (stored,) = await province.log.at([before + 1])
        assert (await again).position == stored.position
