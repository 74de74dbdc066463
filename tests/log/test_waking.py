"""The waker stops whenever it is told to, also in the moment in which a head moves."""

import asyncio
from uuid import uuid4

from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.log.waking import Waker
from emulation_saas.postgres.database import open_database


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
