"""How much is read at once: by bytes, and in slices between which others have their turn."""

import asyncio

import pytest

from emulation_saas.log import Codec, MasterKey, Registry, reading
from emulation_saas.log.keyring import Keyring
from emulation_saas.postgres.database import open_database
from emulation_saas.wiring import EVENT_TYPES
from tests.logs import MASTER_KEY, open_province, register, running_logs

EVENTS = 12
SLICE = 3


async def test_entries_end_with_the_one_that_reaches_so_many_bytes(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        opened = await open_province(logs)
        for number in range(EVENTS):
            await opened.log.execute(register(f"so-{number}"), by=opened.acting())
        stored = await opened.log.entries(after=2, through=EVENTS)
        bytes_max = 0
        for count, entry in enumerate(stored, 1):
            for most in (bytes_max + 1, bytes_max + len(entry.body)):
                assert await opened.log.entries(after=2, through=EVENTS, bytes_max=most) == stored[:count]
            bytes_max += len(entry.body)
        assert await opened.log.entries(after=2, through=EVENTS, limit=3, bytes_max=bytes_max) == stored[:3]


async def test_decoding_many_events_gives_way_to_others(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SLICE", SLICE)
    async with running_logs(database_url) as logs:
        opened = await open_province(logs)
        for number in range(EVENTS):
            await opened.log.execute(register(f"so-{number}"), by=opened.acting())
        whole = await opened.log.recorded()
    async with open_database(database_url) as database:
        province = opened.log.province
        keyring = Keyring(database, province, MasterKey(MASTER_KEY))
        reader = reading.Reader(province, Codec(Registry(EVENT_TYPES)), keyring)
        async with database.in_province(province) as connection:
            rows = await reader.after(connection, 0)
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        running = asyncio.create_task(others())
        assert await reader.recorded(rows) == whole
        running.cancel()
        assert turns >= len(rows) // SLICE
