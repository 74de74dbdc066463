"""The waker stops whenever it is told to, also in the moment in which a head moves, and listens for as long as not."""

import asyncio
from uuid import uuid4

from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.log.waking import Waker
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.database import superuser
from tests.log.test_sealing import name_of
from tests.logs import open_province, running_logs
from tests.projections.live import eventually


async def test_waker_stops_in_the_moment_in_which_a_head_moves(database_url: str) -> None:
    async with open_database(database_url) as database:
        province = ProvinceId(uuid4())
        for turn in range(1, 41):
            waker = Waker(database)
            await waker.start()
            await asyncio.sleep(turn / 2_000)
            waker.moved(province, turn)  # sets the hint; the cancellation meets it in the same turn of the loop
            async with asyncio.timeout(5):
                await waker.stop()


LISTENERS = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"


async def test_waker_listens_again_when_its_connection_alone_has_died(
    server: EmbeddedPostgres, database_url: str
) -> None:
    async with running_logs(database_url) as logs, superuser(server, name_of(database_url)) as watching:
        await open_province(logs)

        async def listeners() -> set[int]:
            return {row["pid"] for row in await watching.fetch(f"SELECT pid {LISTENERS}")}

        await eventually(listeners, "nobody listened")
        (first,) = await listeners()
        await watching.execute(f"SELECT pg_terminate_backend(pid) {LISTENERS}")

        async def is_another() -> bool:
            return bool(await listeners() - {first})

        await eventually(is_another, "nobody listened again")
