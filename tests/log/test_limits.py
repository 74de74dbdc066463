"""A command leads to at most 100 events, each of at most 65 535 bytes, and is recorded wholly or not at all."""

from uuid import UUID

import msgspec
import pytest

from emulation_saas.log.batch import EVENTS_MAX, TooManyEvents
from emulation_saas.log.codec import EVENT_BYTES_MAX, BadText, EventTooLarge
from emulation_saas.years.events import YearLaunched
from tests.builders import BLOC, YEAR
from tests.log.courses import Joined, Record, join
from tests.logs import Opened, open_province, running_logs


def joined(number: int, course: str = "toan") -> Joined:
    return Joined(course=course, student=f"s-{number}")


def launched(text: str) -> YearLaunched:
    return YearLaunched(bloc=BLOC, year=YEAR, text=text)


async def head_of(province: Opened) -> int:
    return (await province.log.head()).position


async def test_hundred_events_are_recorded_and_one_more_is_refused(database_url: str) -> None:
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        before = await head_of(province)
        hundred = Record(tuple(joined(number) for number in range(EVENTS_MAX)))
        accepted = await province.log.execute(hundred, by=province.acting())
        assert (len(accepted.events), accepted.position) == (100, before + 100)
        with pytest.raises(TooManyEvents):
            await province.log.execute(Record((*hundred.events, joined(100))), by=province.acting())
        assert await head_of(province) == before + 100


async def test_events_of_one_command_share_its_id_and_no_salt(database_url: str) -> None:
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        before = await head_of(province)
        await province.log.execute(Record((joined(1), joined(2))), by=province.acting("key-1"))
        await province.log.execute(Record((joined(3),)), by=province.acting("key-2"))
        stored, _ = await province.log.read(after=before)
        first, second, third = (msgspec.json.decode(event.event.data) for event in stored)
        assert first["commandid"] == second["commandid"] != third["commandid"]
        assert UUID(first["commandid"]).version == 4
        assert len({each["salt"] for each in (first, second, third)}) == 3
        assert "key-1" not in str(first)


@pytest.mark.parametrize(
    ("text", "refusal"), [("x" * EVENT_BYTES_MAX, EventTooLarge), ("\x00", BadText)], ids=["too-large", "bad-text"]
)
async def test_command_with_one_event_that_cannot_be_written_records_none(
    database_url: str, text: str, refusal: type[Exception]
) -> None:
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        before = await head_of(province)
        bad = Record((joined(1), launched(text), joined(2)))
        with pytest.raises(refusal):
            await province.log.execute(bad, by=province.acting())
        assert await head_of(province) == before
        accepted = await province.log.execute(join("s-1"), by=province.acting())
        assert (len(accepted.events), accepted.position) == (1, before + 1), "what was refused is not known either"


async def test_largest_event_comes_back_as_it_was_recorded(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        probe = await province.log.execute(Record((launched(""),)), by=province.acting())
        room = EVENT_BYTES_MAX - len(bytes(probe.events[0]))
        accepted = await province.log.execute(Record((launched("x" * room),)), by=province.acting())
        assert len(bytes(accepted.events[0])) == EVENT_BYTES_MAX
        assert (await province.log.recorded())[-1].event.text == "x" * room


async def test_command_without_events_is_answered_with_the_head(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        accepted = await province.log.execute(Record(()), by=province.acting())
        assert accepted.events == []
        assert accepted.position == await head_of(province)
