"""Recorded time never decreases, and no wrong clock drags a log forward."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.rejections import TimeInFuture
from emulation_saas.log import Accepted, OutcomeUnknownError
from tests.log.courses import CourseFull, JoinCourse, Joined, Students, join
from tests.logs import open_province, running_logs


class Clock:
    """A machine's clock that can be wrong."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> datetime:
        return utc_now() + timedelta(seconds=self.ahead_s)


def recorded_at(accepted: Accepted) -> datetime:
    recorded: datetime = msgspec.convert(msgspec.json.decode(accepted.events[0])["recordedtime"], datetime)
    return recorded


async def test_recorded_time_never_decreases_when_the_clock_jumps_back(database_url: str) -> None:
    clock = Clock()
    async with running_logs(database_url, extra=(Joined,), clock=clock) as logs:
        province = await open_province(logs)
        times = [(await province.log.head()).recorded_at]
        for number, ahead_s in enumerate((1.5, 0.0, -1.5, 0.5)):
            clock.ahead_s = ahead_s
            times.append(recorded_at(await province.log.execute(join(f"s-{number}"), by=province.acting())))
        assert times == sorted(times)
        assert times[1] == times[2] == times[3] == times[4], "it stands still until the clock has passed it"
        assert [recorded.recorded_at for recorded in await province.log.recorded()][-4:] == times[1:]


async def test_time_stands_still_for_another_process_too(database_url: str) -> None:
    fast, slow = Clock(), Clock()
    fast.ahead_s, slow.ahead_s = 1.5, -1.5
    async with (
        running_logs(database_url, extra=(Joined,), clock=fast) as here,
        running_logs(database_url, extra=(Joined,), clock=slow) as there,
    ):
        province = await open_province(here)
        first = await province.log.execute(join("lan"), by=province.acting())
        log = await there.find("bac-song")
        assert log is not None
        second = await log.execute(join("mai"), by=province.acting())
        assert recorded_at(second) == recorded_at(first) == (await log.head()).recorded_at


@pytest.mark.parametrize("ahead_s", [-3.0, 3.0])
async def test_committer_whose_clock_is_off_records_nothing(database_url: str, ahead_s: float) -> None:
    clock = Clock()
    async with running_logs(database_url, extra=(Joined,), clock=clock) as logs:
        province = await open_province(logs)
        before = await province.log.head()
        clock.ahead_s = ahead_s
        with pytest.raises(OutcomeUnknownError, match="clock is more than 2 s"):
            await province.log.execute(join("lan"), by=province.acting("key-1"))
        assert await province.log.head() == before
        clock.ahead_s = 0
        accepted = await province.log.execute(join("lan"), by=province.acting("key-1"))
        assert accepted.position == before.position + 1


@pytest.mark.parametrize("ahead_s", [-3.0, 3.0])
async def test_log_is_not_opened_by_a_clock_that_is_off(database_url: str, ahead_s: float) -> None:
    clock = Clock()
    clock.ahead_s = ahead_s
    async with running_logs(database_url, clock=clock) as logs:
        with pytest.raises(OutcomeUnknownError, match="clock is more than 2 s"):
            await open_province(logs)
        assert await logs.find("bac-song") is None
        clock.ahead_s = 0
        province = await open_province(logs)
        first, *_ = await province.log.recorded()
        assert abs(first.recorded_at - utc_now()) < timedelta(seconds=2)


class Jumping:
    """A clock that is wrong once, and set right before anybody looks again."""

    def __init__(self) -> None:
        self.is_wrong = False

    def __call__(self) -> datetime:
        now = utc_now() + timedelta(days=3 if self.is_wrong else 0)
        self.is_wrong = False
        return now


async def test_clock_that_decided_is_the_one_that_is_judged(database_url: str) -> None:
    clock = Jumping()
    async with running_logs(database_url, extra=(Joined,), clock=clock) as logs:
        province = await open_province(logs)
        await province.log.execute(join("lan"), by=province.acting())
        before = await province.log.head()
        clock.is_wrong = True
        with pytest.raises(OutcomeUnknownError, match="clock is more than 2 s"):
            await province.log.execute(join("mai"), by=province.acting("key-1"))
        assert await province.log.head() == before
        accepted = await province.log.execute(join("mai"), by=province.acting("key-1"))
        assert abs(recorded_at(accepted) - utc_now()) < timedelta(seconds=2)


async def test_time_of_paper_is_kept_as_entered_and_recorded_time_is_not(database_url: str) -> None:
    held_at = datetime(2024, 1, 30, 2, 0, tzinfo=UTC)
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        on_paper = JoinCourse(course="toan", student="lan", time=held_at)
        accepted = await province.log.execute(on_paper, by=province.acting())
        document = msgspec.json.decode(accepted.events[0])
        assert document["time"] == "2024-01-30T02:00:00Z"
        assert recorded_at(accepted) > held_at


async def test_time_of_paper_may_be_now_and_not_later(database_url: str) -> None:
    now = utc_now()
    async with running_logs(database_url, extra=(Joined,), clock=lambda: now) as logs:
        province = await open_province(logs)
        head = (await province.log.head()).position
        just_after = JoinCourse(course="toan", student="lan", time=now + timedelta(microseconds=1))
        with pytest.raises(TimeInFuture):
            await province.log.execute(just_after, by=province.acting())
        assert (await province.log.head()).position == head
        accepted = await province.log.execute(JoinCourse(course="toan", student="lan", time=now), by=province.acting())
        assert accepted.position == head + 1


async def test_position_at_an_instant_is_the_last_one_recorded_by_then(database_url: str) -> None:
    clock = Clock()
    clock.ahead_s = -1.0
    async with running_logs(database_url, extra=(Joined,), clock=clock) as logs:
        province = await open_province(logs)
        for number in range(7):
            if number != 4:  # two events share an instant
                clock.ahead_s += 0.1
            await province.log.execute(join(f"s-{number}"), by=province.acting())
        events = await province.log.recorded()
        assert await province.log.position_at(events[0].recorded_at - timedelta(microseconds=1)) == 0
        for event in events:
            expected = max(each.position for each in events if each.recorded_at <= event.recorded_at)
            assert await province.log.position_at(event.recorded_at) == expected
            just_before = event.recorded_at - timedelta(microseconds=1)
            earlier = [each.position for each in events if each.recorded_at <= just_before]
            assert await province.log.position_at(just_before) == max(earlier, default=0)
        assert await province.log.position_at(utc_now() + timedelta(days=1)) == events[-1].position


@dataclass(frozen=True)
class JoinInTime(JoinCourse):
    """Joins a course that nobody joins any more after an instant."""

    closes_at: datetime = field(kw_only=True)

    def decide(self, view: Students, may: Authority, now: datetime) -> Sequence[Event]:
        if now >= self.closes_at:
            raise CourseFull
        return super().decide(view, may, now)


async def test_deadline_is_judged_by_the_recorded_time(database_url: str) -> None:
    now = utc_now()
    async with running_logs(database_url, extra=(Joined,), clock=lambda: now) as logs:
        province = await open_province(logs)
        with pytest.raises(CourseFull):
            await province.log.execute(JoinInTime(course="toan", student="lan", closes_at=now), by=province.acting())
        just_in_time = JoinInTime(course="toan", student="lan", closes_at=now + timedelta(microseconds=1))
        accepted = await province.log.execute(just_in_time, by=province.acting())
        assert recorded_at(accepted) == now


async def test_nothing_is_rejected_by_a_clock_that_is_off(database_url: str) -> None:
    clock = Clock()
    async with running_logs(database_url, extra=(Joined,), clock=clock) as logs:
        province = await open_province(logs)
        in_time = JoinInTime(course="toan", student="lan", closes_at=utc_now() + timedelta(minutes=5))
        clock.ahead_s = 3600
        with pytest.raises(OutcomeUnknownError):
            await province.log.execute(in_time, by=province.acting())
