"""The library's own append: what it refuses, and what its caller is told when the database fails."""

import asyncio

import msgspec
import pytest
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.persistence import IntegrityError, ProgrammingError

from emulation_saas.log import LogGapError, OutcomeUnknownError
from emulation_saas.log.codec import EventTooLarge
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.years.events import YearLaunched
from tests.builders import BLOC, YEAR
from tests.database import superuser
from tests.log.courses import Joined, join
from tests.log.test_failures import stuck_append
from tests.log.test_sealing import name_of
from tests.log.test_upcast import NotedFirst, NotedSecond, NotedThird
from tests.logs import Opened, open_province, running_logs

JOINED = DCBEvent(Joined.type, b'{"course":"toan","student":"lan"}')


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([], id="none"),
        pytest.param([DCBEvent("test.nothing.v1", b"{}")], id="unknown-type"),
        pytest.param([DCBEvent(Joined.type, b'{"course":"toan"}')], id="wrong-shape"),
        pytest.param([DCBEvent(Joined.type, b"no json")], id="no-json"),
        pytest.param([JOINED, DCBEvent(Joined.type, b"[]")], id="one-of-two"),
    ],
)
async def test_what_is_no_event_is_a_mistake_of_the_program(database_url: str, events: list[DCBEvent]) -> None:
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        before = await province.log.head()
        with pytest.raises(ProgrammingError):
            await province.log.append(events, by=province.acting())
        assert await province.log.head() == before


async def test_event_that_cannot_be_written_is_refused(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        launched = YearLaunched(bloc=BLOC, year=YEAR, text="x" * 65_535)
        with pytest.raises(EventTooLarge):
            await province.log.append(
                [DCBEvent(YearLaunched.type, msgspec.json.encode(launched))], by=province.acting()
            )


async def test_appended_events_are_seen_by_the_next_decision(database_url: str) -> None:
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        await province.log.execute(join("mai"), by=province.acting())  # its view is kept from now on
        await province.log.append([JOINED], by=province.acting())
        assert (await province.log.execute(join("lan"), by=province.acting())).events == []


async def test_condition_holds_against_another_process(database_url: str) -> None:
    async with (
        running_logs(database_url, extra=(Joined,)) as here,
        running_logs(database_url, extra=(Joined,)) as there,
    ):
        province = await open_province(here)
        other = await there.find("bac-song")
        assert other is not None
        nobody_joined = DCBAppendCondition(DCBQuery([DCBQueryItem([Joined.type], ["course:toan"])]))
        outcomes = await asyncio.gather(
            *(log.append([JOINED], nobody_joined, by=province.acting()) for log in (province.log, other) * 5),
            return_exceptions=True,
        )
        assert len([outcome for outcome in outcomes if isinstance(outcome, int)]) == 1
        assert len([outcome for outcome in outcomes if isinstance(outcome, IntegrityError)]) == 9


async def test_caller_is_told_that_the_outcome_is_unknown(server: EmbeddedPostgres, database_url: str) -> None:
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        before = await province.log.head()
        async with stuck_append(server, database_url) as kill:
            kill.set()
            with pytest.raises(OutcomeUnknownError):
                await province.log.append([JOINED], by=province.acting())
        assert await province.log.append([JOINED], by=province.acting()) == before.position + 1


async def test_idempotency_key_plays_no_part(database_url: str) -> None:
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        first = await province.log.append([JOINED], by=province.acting("key-1"))
        assert await province.log.append([JOINED], by=province.acting("key-1")) == first + 1


async def test_shape_of_an_earlier_release_is_not_appended(database_url: str) -> None:
    async with running_logs(database_url, extra=(NotedFirst, NotedSecond, NotedThird)) as logs:
        province = await open_province(logs)
        with pytest.raises(ProgrammingError):
            await province.log.append([DCBEvent(NotedFirst.type, b'{"text":"a"}')], by=province.acting())


async def test_position_one_is_found_by_its_tag_and_by_its_type(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        for item in (
            DCBQueryItem(tags=["log"]),
            DCBQueryItem(["log.opened.v1"]),
            DCBQueryItem(["log.opened.v1"], ["log"]),
        ):
            (first,), _ = await province.log.read(DCBQuery([item]))
            assert first.position == 1


async def lose(server: EmbeddedPostgres, url: str, province: Opened, position: int) -> None:
    """Remove an event, as nobody of ours can."""
    async with superuser(server, name_of(url)) as connection:
        await connection.execute(
            "DELETE FROM events WHERE province_id = $1 AND position = $2", province.log.province, position
        )


async def test_reader_who_finds_a_gap_says_so(server: EmbeddedPostgres, database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        await lose(server, database_url, province, 2)
        with pytest.raises(LogGapError):
            await province.log.recorded()
        with pytest.raises(LogGapError):
            await province.log.read()
        with pytest.raises(LogGapError):
            await asyncio.wait_for(anext(province.log.tail(0)), 5)
