"""A bridge carries what is visible of the log to a real NATS server, in order and once, whatever happens to either."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from emulation_saas.kernel.events import Visibility
from emulation_saas.log import ProvinceLog
from emulation_saas.postgres.database import open_database
from emulation_saas.streams.bridging import Bridge
from emulation_saas.streams.cursors import Cursors
from emulation_saas.streams.nats import Nats
from emulation_saas.streams.tails import Tails
from tests.logs import Opened, logs_of, open_province, register
from tests.streams.broker import Message, NatsServer, messages, nats_server

STREAM = "td-bac-song"
PATIENCE_S = 30.0


@pytest.fixture
def broker(place: Path) -> Iterator[NatsServer]:
    with nats_server(place) as running:
        yield running


@asynccontextmanager
async def bridged(url: str, nats: Nats) -> AsyncGenerator[Bridge]:
    """Lend the bridge of one process of the service, at work."""
    async with open_database(url, app_max=4) as database, logs_of(database) as logs:
        bridge = Bridge(logs, database, Tails(), nats)
        task = asyncio.create_task(bridge.run())
        try:
            yield bridge
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[tuple[Opened, Cursors]]:
    """Lend a province's log and its bridges' cursors."""
    async with open_database(url, app_max=8) as database, logs_of(database) as logs:
        province = await open_province(logs)
        yield province, Cursors(database, province.log.province, "bridge")


async def caught_up(log: ProvinceLog, cursors: Cursors) -> None:
    """Wait until the bridge has come to the log's head."""
    head = (await log.head()).position
    async with asyncio.timeout(PATIENCE_S):
        while (cursor := await cursors.find("nats")) is None or cursor.position < head:
            await asyncio.sleep(0.02)


async def public_of(log: ProvinceLog) -> list[tuple[int, str, bytes]]:
    entries = await log.entries(after=0, through=10**6, limit=10**6)
    return [(e.position, e.type, e.body) for e in entries if log.visibility_of(e.type) is Visibility.PUBLIC]


def told(found: list[Message]) -> list[tuple[int, str, bytes]]:
    return [(each.position, each.subject.removeprefix("td.bac-song."), each.body) for each in found]


async def more(province: Opened, first: int, number: int) -> None:
    for each in range(first, first + number):
        await province.log.execute(register(f"so-{each}"), by=province.acting())


async def test_stream_is_the_visible_log_in_its_order_and_its_bytes(database_url: str, broker: NatsServer) -> None:
    async with opened(database_url) as (province, cursors), bridged(database_url, Nats([broker.url])):
        await more(province, 0, 40)
        await caught_up(province.log, cursors)
        found = await messages(broker.url, STREAM)
        wanted = await public_of(province.log)
        assert told(found) == wanted
        assert 40 <= len(wanted) < (await province.log.head()).position
        assert {each.headers["content-type"] for each in found} == {"application/cloudevents+json"}
        assert [each.headers["Nats-Msg-Id"] for each in found] == [f"bac-song:{position}" for position, *_ in wanted]
