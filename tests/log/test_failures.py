"""The database fails under a command: what was in flight is forgotten, and the retry settles what came of it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import pytest

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.log import Accepted, OutcomeUnknownError
from emulation_saas.log.registry import UnknownTypeError
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.database import superuser
from tests.log.courses import PLACES, CourseFull, JoinCourse, Joined, Students, join
from tests.log.test_sealing import name_of
from tests.logs import Opened, open_province, register, running_logs


@asynccontextmanager
async def stuck_append(server: EmbeddedPostgres, url: str) -> AsyncGenerator[asyncio.Event]:
    """Hold every head, so that appends wait inside the server; terminate one that waits when the event is set."""
    kill = asyncio.Event()
    async with superuser(server, name_of(url)) as holding, superuser(server, name_of(url)) as watching:
        await holding.execute("BEGIN; SELECT position FROM log_head FOR UPDATE")

        async def terminate() -> None:
            await kill.wait()
            terminated = 0
            while not terminated:
                terminated = await watching.fetchval(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
            await holding.execute("ROLLBACK")

        task = asyncio.create_task(terminate())
        yield kill
        await asyncio.wait_for(task, 10)


async def fill(province: Opened, places: int) -> None:
    for number in range(places):
        await province.log.execute(join(f"s-{number}"), by=province.acting())


async def test_batch_that_died_is_forgotten_and_the_retry_takes_effect_once(
    server: EmbeddedPostgres, database_url: str
) -> None:
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        await fill(province, PLACES - 1)
        before = await province.log.head()
        async with stuck_append(server, database_url) as kill:
            last = asyncio.create_task(province.log.execute(join("last"), by=province.acting("key-last")))
            also = asyncio.create_task(province.log.execute(join("also"), by=province.acting("key-also")))
            kill.set()
            outcomes = await asyncio.gather(last, also, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [OutcomeUnknownError, OutcomeUnknownError]
        assert await province.log.head() == before
        # The place that `last` seemed to have is free: somebody else gets it, on what is truly recorded.
        other = await province.log.execute(join("other"), by=province.acting())
        assert (len(other.events), other.position) == (1, before.position + 1)
        with pytest.raises(CourseFull):
            await province.log.execute(join("last"), by=province.acting("key-last"))
        elsewhere = await province.log.execute(join("also", "van"), by=province.acting("key-van"))
        again = await province.log.execute(join("also", "van"), by=province.acting("key-van"))
        assert again == elsewhere


async def test_retry_after_an_unknown_outcome_settles_it(server: EmbeddedPostgres, database_url: str) -> None:
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        before = await province.log.head()
        async with stuck_append(server, database_url) as kill:
            kill.set()
            with pytest.raises(OutcomeUnknownError):
                await province.log.execute(join("lan"), by=province.acting("key-1"))
        settled = await province.log.execute(join("lan"), by=province.acting("key-1"))
        assert (len(settled.events), settled.position) == (1, before.position + 1)
        assert await province.log.execute(join("lan"), by=province.acting("key-1")) == settled
        assert (await province.log.head()).position == before.position + 1


async def test_caller_who_went_away_does_not_undo_what_was_committed(database_url: str) -> None:
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        await fill(province, 1)  # so that the next one joins a batch at once
        asked = asyncio.create_task(province.log.execute(join("lan"), by=province.acting("key-1")))
        await asyncio.sleep(0)
        asked.cancel()
        settled = await province.log.execute(join("lan"), by=province.acting("key-1"))
        assert len(settled.events) == 1
        joined = [
            recorded.event.student for recorded in await province.log.recorded() if recorded.event.type == Joined.type
        ]
        assert joined == ["s-0", "lan"]


@dataclass(frozen=True)
class Stumble(JoinCourse):
    """A use case with a bug in it."""

    def decide(self, view: Students, may: Authority, now: datetime) -> Sequence[Event]:  # noqa: ARG002 - as every decision
        raise ZeroDivisionError


async def test_bug_in_one_decision_fails_its_own_caller_only(database_url: str) -> None:
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        await fill(province, 1)
        good, stumbled, also = await asyncio.gather(
            province.log.execute(join("lan"), by=province.acting()),
            province.log.execute(Stumble(course="toan", student="mai"), by=province.acting()),
            province.log.execute(join("mai"), by=province.acting()),
            return_exceptions=True,
        )
        assert isinstance(good, Accepted)
        assert isinstance(also, Accepted)
        assert isinstance(stumbled, ZeroDivisionError)


async def test_fact_of_no_registered_type_fails_its_own_caller_only(database_url: str) -> None:
    async with running_logs(database_url) as logs:  # without the type of the test's own capability
        province = await open_province(logs)
        await province.log.execute(register("tu-phap"), by=province.acting())
        for _ in range(2):  # at first to have its facts read, then in one batch with another command
            good, unknown = await asyncio.gather(
                province.log.execute(register("tu-phap"), by=province.acting("key-1")),
                province.log.execute(join("lan"), by=province.acting("key-2")),
                return_exceptions=True,
            )
            assert isinstance(good, Accepted)
            assert isinstance(unknown, UnknownTypeError)


async def test_readers_and_first_commands_do_not_wait_for_each_other_in_a_circle(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
    async with running_logs(database_url, app_max=2) as logs:  # one listens, one is left
        log = await logs.find("bac-song")
        assert log is not None
        async with asyncio.timeout(5):
            await asyncio.gather(
                *(log.execute(register(f"a-{number}"), by=province.acting()) for number in range(4)),
                *(log.authority(province.admin) for _ in range(4)),
            )
