"""Many writers at once, in two processes: every log gapless, every condition held, every reader told all of it once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import msgspec
import pytest
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.persistence import IntegrityError

from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.log import ProvinceLog, ProvinceLogs
from emulation_saas.log.frontier import leaf_hash
from tests.log.courses import PLACES, CourseFull, Joined, join
from tests.log.test_frontier import root_of
from tests.logs import Opened, open_province, running_logs

PROVINCES: Final = 8
WRITERS_EACH: Final = 8
JOINS_EACH: Final = 12
"""96 students in each province want one of 10 places."""
SLOTS: Final = 5


def slot(number: int) -> tuple[DCBEvent, DCBAppendCondition]:
    """Return a fact that may stand once in a log, and the condition that says so."""
    taken = Joined(course=f"slot-{number}", student="somebody")
    condition = DCBAppendCondition(DCBQuery([DCBQueryItem([Joined.type], [f"course:slot-{number}"])]))
    return DCBEvent(Joined.type, msgspec.json.encode(taken), taken.tags()), condition


async def write(log: ProvinceLog, province: Opened, writer: int) -> tuple[int, int, int]:
    """Want many places and every slot; return how many places were had and refused, and how many slots were had."""
    had = refused = slots = 0
    for number in range(JOINS_EACH):
        try:
            accepted = await log.execute(join(f"s-{writer}-{number}"), by=province.acting())
        except CourseFull:
            refused += 1
        else:
            had += len(accepted.events)
        if number < SLOTS:
            event, condition = slot(number)
            try:
                await log.append([event], condition, by=province.acting())
            except IntegrityError:
                continue
            slots += 1
    return had, refused, slots


async def follow(log: ProvinceLog, seen: list[AnyRecorded]) -> None:
    """Follow from the beginning, for ever."""
    async for page in log.tail(0):
        seen += page


async def come(seen: list[AnyRecorded], position: int) -> None:
    """Wait until a follower has seen a position."""
    async with asyncio.timeout(10):
        while not seen or seen[-1].position < position:  # noqa: ASYNC110 - what is waited for is another's list
            await asyncio.sleep(0.01)


async def next_of(pages: AsyncIterator[list[AnyRecorded]]) -> list[AnyRecorded]:
    return await anext(pages)


async def other(logs: ProvinceLogs, province: Opened) -> ProvinceLog:
    log = await logs.find(province.log.handle)
    assert log is not None
    return log


async def test_64_writers_in_8_provinces_leave_every_log_gapless_and_every_condition_held(database_url: str) -> None:
    async with (
        running_logs(database_url, extra=(Joined,)) as here,
        running_logs(database_url, extra=(Joined,)) as there,
    ):
        provinces = [await open_province(here, f"p-{number}") for number in range(PROVINCES)]
        elsewhere = [await other(there, province) for province in provinces]
        followed: list[list[AnyRecorded]] = [[] for _ in provinces]
        followers = [asyncio.create_task(follow(log, seen)) for log, seen in zip(elsewhere, followed, strict=True)]
        outcomes = await asyncio.gather(
            *(
                asyncio.gather(
                    *(write(log if writer % 2 else province.log, province, writer) for writer in range(WRITERS_EACH))
                )
                for province, log in zip(provinces, elsewhere, strict=True)
            )
        )
        for province, seen, outcome in zip(provinces, followed, outcomes, strict=True):
            head = await province.log.head()
            await come(seen, head.position)
            had, refused, slots = (sum(counts) for counts in zip(*outcome, strict=True))
            assert (had, refused, slots) == (PLACES, WRITERS_EACH * JOINS_EACH - PLACES, SLOTS)
            stored, _ = await province.log.read()
            assert [event.position for event in stored] == list(range(1, head.position + 1))
            assert root_of([leaf_hash(event.event.data) for event in stored]) == head.root
            assert [recorded.position for recorded in seen] == list(range(1, head.position + 1))
            joined = [recorded.event for recorded in seen if isinstance(recorded.event, Joined)]
            assert len([event for event in joined if event.course == "toan"]) == PLACES
            assert len({event.course for event in joined}) == len(joined) - PLACES + 1 == SLOTS + 1
        for follower in followers:
            assert not follower.done()
            follower.cancel()


async def test_follower_that_begins_late_or_in_the_middle_misses_nothing(database_url: str) -> None:
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        before = (await province.log.head()).position
        pages = province.log.tail(before - 1)
        assert [recorded.position for recorded in await asyncio.wait_for(anext(pages), 5)] == [before]
        waiting = asyncio.create_task(next_of(pages))
        await asyncio.sleep(0.7)  # longer than it takes to poll
        assert not waiting.done()
        await province.log.execute(join("lan"), by=province.acting())
        assert [recorded.position for recorded in await asyncio.wait_for(waiting, 5)] == [before + 1]


async def test_follower_is_woken_though_no_notice_reaches_it(database_url: str) -> None:
    async with running_logs(database_url, extra=(Joined,)) as here:
        province = await open_province(here)
        async with running_logs(database_url, extra=(Joined,)) as there:
            pages = (await other(there, province)).tail((await province.log.head()).position)
            waiting = asyncio.create_task(next_of(pages))
            await here.waker.stop()  # so that this process tells nobody: the other finds out by polling
            await province.log.execute(join("lan"), by=province.acting())
            assert len(await asyncio.wait_for(waiting, 5)) == 1


async def test_refused_joins_leave_no_position_behind(database_url: str) -> None:
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        before = (await province.log.head()).position
        results = await asyncio.gather(
            *(province.log.execute(join(f"s-{number}"), by=province.acting()) for number in range(90)),
            return_exceptions=True,
        )
        assert len([result for result in results if isinstance(result, CourseFull)]) == 80
        assert (await province.log.head()).position == before + PLACES
        with pytest.raises(CourseFull):
            await province.log.execute(join("late"), by=province.acting())
