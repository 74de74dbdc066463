"""(s) What (b) measures, on a disk that takes 2.5 ms longer for each flush: the log's batches against one event each.

PostgreSQL itself waits before each flush, holding the lock that every other flush waits for, as for a slow disk.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.bench import commands
from tests.bench.figures import Row
from tests.database import superuser

SETTINGS: Final = {"commit_delay": "2500", "commit_siblings": "0"}
TITLE: Final = "(s) As (b), with 64 callers, each flush of the database's log 2.5 ms slower; commands/s."


def measure(server: EmbeddedPostgres, *, rounds: int, say: Callable[[str], None]) -> tuple[dict[str, float], list[Row]]:
    """Slow flushes down, and measure the short form of (b)."""
    asyncio.run(_slow_down(server))
    figures, rows = commands.measure(server, rounds=rounds, quick=True, say=say)
    return {f"slow_flush_{name}": figure for name, figure in figures.items()}, rows


async def _slow_down(server: EmbeddedPostgres) -> None:
    async with superuser(server) as connection:
        for name, value in SETTINGS.items():
            await connection.execute(f"ALTER SYSTEM SET {name} = {value}")
        await connection.execute("SELECT pg_reload_conf()")
