"""The database crashes, and takes along batches that nobody waited for: they are folded again though nothing is new."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import asyncpg

from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.database import fresh_database, start_database, superuser
from tests.projections.live import eventually, place, running, told


async def is_up(server: EmbeddedPostgres) -> bool:
    """Tell whether the server answers, after the crash."""
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        async with superuser(server) as root:
            return bool(await root.fetchval("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"))
    return False


async def test_documents_that_a_crash_took_back_are_folded_again(tmp_path: Path) -> None:
    server = await asyncio.to_thread(start_database, tmp_path)
    try:
        async with place(await fresh_database(server)) as there:
            async with running(there):
                await there.reached((await there.log.head()).position)
            position = await there.tell(*told(1, steps=20))
            await asyncio.sleep(0.5)  # until others have been told: that would have the batch written, too
            async with superuser(server) as root:
                writer: int = await root.fetchval("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
            os.kill(writer, signal.SIGSTOP)
            async with running(there):
                await there.reached(position)
                os.kill(writer, signal.SIGKILL)
                await eventually(lambda: is_up(server), "the server did not recover")
                await there.reached(position)
    finally:
        await asyncio.to_thread(server.stop)
