"""A bridge carries what is visible of the log to a real NATS server, in order and once, whatever happens to either."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from emulation_saas.kernel.events import Visibility
from emulation_saas.log import ProvinceLog
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.streams.bridging import HELD_FOR, Bridge, BrokerError, Carried
from emulation_saas.streams.cursors import Cursors
from emulation_saas.streams.nats import Nats
from emulation_saas.streams.tails import Tails
from tests.audit.auditing import operator_with_all_rights
from tests.logs import Opened, logs_of, open_province, register
from tests.streams.broker import Message, NatsServer, held, messages, nats_server, purge, remove, send
from tests.streams.waiting import until

STREAM = "td-bac-song"


@pytest.fixture
def broker(place: Path) -> Iterator[NatsServer]:
    with nats_server(place) as running:
        yield running


@asynccontextmanager
async def bridged(url: str, nats: Nats, *, carried: Carried = "public") -> AsyncGenerator[Bridge]:
    """Lend the bridge of one process of the service, at work."""
    async with open_database(url, app_max=4) as database, logs_of(database) as logs:
        bridge = Bridge(logs, database, Tails(), nats, carried=carried)
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

    async def is_at_head() -> bool:
        cursor = await cursors.find("nats")
        return cursor is not None and cursor.position == head

    await until(is_at_head)


async def caught_up_with(broker: NatsServer, log: ProvinceLog) -> None:
    """Wait until the broker holds as many events as it should."""
    wanted = len(await public_of(log))

    async def has_all() -> bool:
        return await held(broker.url, STREAM) >= wanted

    await until(has_all)


async def become(bridge: Bridge, state: str) -> None:
    async def is_so() -> bool:
        return bridge.states.get("bac-song") == state

    await until(is_so)


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


async def test_what_was_sent_and_not_noted_is_not_sent_again(database_url: str, broker: NatsServer) -> None:
    """As after a death between the broker's acknowledgement and the cursor, long after the server forgot the ids."""
    nats = Nats([broker.url], duplicates_s=0.1)
    async with opened(database_url) as (province, cursors):
        async with bridged(database_url, nats):
            await more(province, 0, 10)
            await caught_up(province.log, cursors)
        await cursors.move("nats", expected=(await province.log.head()).position, position=3)
        await asyncio.sleep(0.5)
        async with bridged(database_url, nats):
            await more(province, 10, 10)
            await caught_up(province.log, cursors)
        assert told(await messages(broker.url, STREAM)) == await public_of(province.log)


@pytest.mark.parametrize("duplicates_s", [0.1, 120.0])
async def test_late_copy_of_a_sender_who_was_replaced_is_not_taken(
    database_url: str, broker: NatsServer, duplicates_s: float
) -> None:
    nats = Nats([broker.url], duplicates_s=duplicates_s)
    async with opened(database_url) as (province, _):
        entries = await province.log.entries(after=0, through=3)
        async with nats.joined("bac-song") as replaced, nats.joined("bac-song") as successor:
            await successor.extend(entries)
            await asyncio.sleep(0.5)
            with pytest.raises(BrokerError, match="wrong last sequence"):
                await replaced.extend(entries[:2])
        assert [each.position for each in await messages(broker.url, STREAM)] == [1, 2, 3]


async def test_broker_that_is_killed_under_load_has_everything_once(database_url: str, broker: NatsServer) -> None:
    async with opened(database_url) as (province, cursors), bridged(database_url, Nats([broker.url], duplicates_s=0.1)):
        writing = asyncio.create_task(more(province, 0, 300))
        for _ in range(3):
            await asyncio.sleep(0.4)
            broker.kill()
            await asyncio.sleep(0.2)
            broker.start()
        await writing
        await caught_up(province.log, cursors)
        assert told(await messages(broker.url, STREAM)) == await public_of(province.log)


async def test_broker_that_lost_its_store_is_given_everything_again(database_url: str, broker: NatsServer) -> None:
    async with opened(database_url) as (province, cursors), bridged(database_url, Nats([broker.url])):
        await more(province, 0, 20)
        await caught_up(province.log, cursors)
        broker.kill()
        shutil.rmtree(broker.store)
        broker.start()
        await more(province, 20, 1)
        await caught_up_with(broker, province.log)
        assert told(await messages(broker.url, STREAM)) == await public_of(province.log)


async def test_broker_that_was_restored_is_given_what_it_lacks(database_url: str, broker: NatsServer) -> None:
    """As when it acknowledged what its disk did not get yet, and lost its power."""
    copy = broker.store.with_name("copy")
    async with opened(database_url) as (province, cursors), bridged(database_url, Nats([broker.url], duplicates_s=0.1)):
        await more(province, 0, 20)
        await caught_up(province.log, cursors)
        broker.kill()
        shutil.copytree(broker.store, copy)
        broker.start()
        await more(province, 20, 20)
        await caught_up_with(broker, province.log)
        broker.kill()
        shutil.rmtree(broker.store)
        copy.rename(broker.store)
        broker.start()
        await caught_up_with(broker, province.log)
        assert told(await messages(broker.url, STREAM)) == await public_of(province.log)


async def test_stream_that_was_deleted_is_made_again_with_everything(database_url: str, broker: NatsServer) -> None:
    async with opened(database_url) as (province, cursors), bridged(database_url, Nats([broker.url])):
        await more(province, 0, 5)
        await caught_up(province.log, cursors)
        await remove(broker.url, STREAM)
        await more(province, 5, 1)
        await caught_up_with(broker, province.log)
        assert told(await messages(broker.url, STREAM)) == await public_of(province.log)


async def test_event_that_the_server_takes_for_a_copy_is_not_taken_for_stored(
    database_url: str, broker: NatsServer
) -> None:
    """It was removed there, and the server still knows its id: it says so by an old sequence."""
    nats = Nats([broker.url], duplicates_s=2.0)
    async with opened(database_url) as (province, _):
        entries = await province.log.entries(after=0, through=3)
        async with nats.joined("bac-song") as joined:
            await joined.extend(entries)
        await remove(broker.url, STREAM, 3)
        async with nats.joined("bac-song") as joined:
            with pytest.raises(BrokerError, match=r"took them at \[3\], after 3"):
                await joined.extend(entries[2:])
        await asyncio.sleep(3)
        async with nats.joined("bac-song") as joined:
            await joined.extend(entries[2:])
        assert [each.position for each in await messages(broker.url, STREAM)] == [1, 2, 3]


async def test_gap_in_the_log_stops_the_bridge_aloud(
    server: EmbeddedPostgres, database_url: str, broker: NatsServer
) -> None:
    async with opened(database_url) as (province, cursors):
        await more(province, 0, 5)
        async with operator_with_all_rights(server, database_url) as connection:
            await connection.execute("DELETE FROM events WHERE position = 7")
        async with bridged(database_url, Nats([broker.url])) as bridge:
            await become(bridge, "failed")
        cursor = await cursors.find("nats")
        assert cursor is not None
        assert cursor.position < 7


async def test_bridge_stops_when_it_is_told_to_even_without_a_database(database_url: str, broker: NatsServer) -> None:
    async with (
        opened(database_url) as (province, cursors),
        open_database(database_url, app_max=4) as database,
        logs_of(database) as logs,
    ):
        task = asyncio.create_task(Bridge(logs, database, Tails(), Nats([broker.url])).run())
        await caught_up(province.log, cursors)
        database.app.terminate()
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5)
        assert done


async def test_broker_that_was_emptied_is_given_what_is_new(database_url: str, broker: NatsServer) -> None:
    """As when everything in it has come of age; what was removed there on purpose does not come back."""
    async with opened(database_url) as (province, cursors):
        async with bridged(database_url, Nats([broker.url])):
            await more(province, 0, 5)
            await caught_up(province.log, cursors)
        before = (await province.log.head()).position
        await purge(broker.url, STREAM)
        async with bridged(database_url, Nats([broker.url])):
            await more(province, 5, 5)
            await caught_up(province.log, cursors)
        found = [each.position for each in await messages(broker.url, STREAM)]
        assert found == [position for position, *_ in await public_of(province.log) if position > before]


@pytest.mark.parametrize("beyond", [True, False])
async def test_nothing_is_sent_over_another_history(database_url: str, broker: NatsServer, *, beyond: bool) -> None:
    nats = Nats([broker.url])
    async with opened(database_url) as (province, cursors):
        (entry,) = await province.log.entries(after=0, through=1)
        forged = replace(entry, position=10_000) if beyond else replace(entry, body=entry.body + b" ")
        async with nats.joined("bac-song") as joined:
            await joined.extend([forged])
        async with bridged(database_url, nats) as bridge:
            await become(bridge, "other-history")
            await more(province, 0, 5)
            await asyncio.sleep(1.5)
            assert bridge.states["bac-song"] == "other-history"
        assert [each.body for each in await messages(broker.url, STREAM)] == [forged.body]
        cursor = await cursors.find("nats")
        assert cursor is not None
        assert cursor.position == 0


async def test_stream_that_somebody_else_writes_to_is_left_alone(database_url: str, broker: NatsServer) -> None:
    async with opened(database_url) as (province, _), bridged(database_url, Nats([broker.url])) as bridge:
        await become(bridge, "carrying")
        await send(broker.url, "td.bac-song.x", b"not ours")
        await more(province, 0, 1)
        await become(bridge, "other-history")
        assert (await messages(broker.url, STREAM))[-1].body == b"not ours"


async def test_nothing_follows_what_somebody_else_wrote_in_between(database_url: str, broker: NatsServer) -> None:
    nats = Nats([broker.url])
    async with opened(database_url) as (province, _):
        entries = await province.log.entries(after=0, through=4)
        async with nats.joined("bac-song") as joined:
            await joined.extend(entries[:1])
            await send(broker.url, "td.bac-song.x", b"not ours")
            with pytest.raises(BrokerError, match="wrong last sequence"):
                await joined.extend(entries[1:])
        assert [each.body for each in await messages(broker.url, STREAM)] == [entries[0].body, b"not ours"]


async def test_one_process_at_a_time_carries_a_province(database_url: str, broker: NatsServer) -> None:
    async with (
        opened(database_url) as (province, cursors),
        bridged(database_url, Nats([broker.url])) as one,
        bridged(database_url, Nats([broker.url])) as other,
    ):
        await more(province, 0, 30)
        await caught_up(province.log, cursors)
        assert sorted([one.states["bac-song"], other.states["bac-song"]]) == ["carrying", "elsewhere"]
        assert told(await messages(broker.url, STREAM)) == await public_of(province.log)


async def test_another_process_goes_on_where_one_died(database_url: str, broker: NatsServer) -> None:
    async with opened(database_url) as (province, cursors):
        await cursors.open("nats", position=0)
        assert await cursors.hold("nats", uuid4(), held_for=HELD_FOR)  # and is heard of no more
        async with bridged(database_url, Nats([broker.url])) as bridge:
            await become(bridge, "elsewhere")
            await caught_up(province.log, cursors)
            assert bridge.states["bac-song"] == "carrying"
        assert told(await messages(broker.url, STREAM)) == await public_of(province.log)
        assert await cursors.hold("nats", uuid4(), held_for=HELD_FOR), "a bridge that stops gives its cursor up"


async def test_cursor_that_was_removed_is_made_again_and_nothing_is_sent_twice(
    database_url: str, broker: NatsServer
) -> None:
    async with opened(database_url) as (province, cursors), bridged(database_url, Nats([broker.url])) as bridge:
        await more(province, 0, 10)
        await caught_up(province.log, cursors)
        await cursors.close("nats")
        await become(bridge, "elsewhere")
        await more(province, 10, 10)
        await caught_up(province.log, cursors)
        assert told(await messages(broker.url, STREAM)) == await public_of(province.log)


async def test_all_but_sealed_events_are_carried_where_the_operator_wants_it(
    database_url: str, broker: NatsServer
) -> None:
    async with (
        opened(database_url) as (province, cursors),
        bridged(database_url, Nats([broker.url]), carried="unsealed"),
    ):
        await more(province, 0, 5)
        await caught_up(province.log, cursors)
        entries = await province.log.entries(after=0, through=100)
        wanted = [each.body for each in entries if province.log.visibility_of(each.type) is not Visibility.SEALED]
        assert [each.body for each in await messages(broker.url, STREAM)] == wanted
        assert len(wanted) > len(await public_of(province.log))
