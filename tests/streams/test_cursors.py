"""Cursors: moved by compare-and-set, held by one process at a time, a province's own."""

from datetime import timedelta
from uuid import uuid4

from emulation_saas.postgres.database import open_database
from emulation_saas.streams.cursors import Cursors
from tests.logs import open_province, running_logs

MINUTE = timedelta(minutes=1)


async def test_cursor_moves_only_from_where_it_stands(database_url: str) -> None:
    async with running_logs(database_url) as logs, open_database(database_url) as database:
        cursors = Cursors(database, (await open_province(logs)).log.province, "consumer")
        assert await cursors.open("portal", position=3)
        assert not await cursors.open("portal", position=7)
        assert not await cursors.move("portal", expected=2, position=9)
        assert await cursors.move("portal", expected=3, position=9)
        assert not await cursors.move("portal", expected=3, position=10)
        assert [(each.name, each.position) for each in await cursors.all()] == [("portal", 9)]
        await cursors.close("portal")
        assert await cursors.find("portal") is None


async def test_cursor_is_held_by_one_at_a_time_and_taken_over_when_its_time_is_up(database_url: str) -> None:
    mine, other = uuid4(), uuid4()
    async with running_logs(database_url) as logs, open_database(database_url) as database:
        cursors = Cursors(database, (await open_province(logs)).log.province, "webhook")
        await cursors.open("portal", position=0)
        assert await cursors.hold("portal", mine, held_for=MINUTE)
        assert await cursors.hold("portal", other, held_for=MINUTE) is None
        assert not await cursors.move_held("portal", other, expected=0, position=5)
        assert await cursors.move_held("portal", mine, expected=0, position=5)
        assert await cursors.hold("portal", mine, held_for=timedelta(0))  # kept for no longer than now
        assert not await cursors.move_held("portal", mine, expected=5, position=6)
        taken = await cursors.hold("portal", other, held_for=MINUTE)
        assert taken is not None
        assert taken.position == 5
        await cursors.let_go("portal", other)
        assert await cursors.hold("portal", mine, held_for=MINUTE)


async def test_cursors_of_another_province_and_of_another_kind_are_others(database_url: str) -> None:
    async with running_logs(database_url) as logs, open_database(database_url) as database:
        here = (await open_province(logs)).log.province
        there = (await open_province(logs, "khac")).log.province
        await Cursors(database, here, "consumer").open("portal", position=1)
        assert await Cursors(database, there, "consumer").all() == []
        assert await Cursors(database, here, "webhook").find("portal") is None
