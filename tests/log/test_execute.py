"""Executing use cases on a real log: durable, gapless, once."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from emulation_saas.agencies.use_cases import AgencyHandleTaken
from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.ids import OPERATOR, PersonId, mint_person
from emulation_saas.kernel.rejections import NotEmpowered, TimeInFuture
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted
from emulation_saas.log.batch import IdempotencyKeyReused
from emulation_saas.log.committer import PREPARING_MAX
from emulation_saas.log.frontier import Frontier, leaf_hash
from emulation_saas.postgres.database import open_database
from emulation_saas.provinces.events import ProvinceOpened
from tests.logs import ISSUER, logs_of, open_province, opening, register, running_logs


async def test_position_one_opens_the_log(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        first, second, *_ = await province.log.recorded()
        assert (first.event.type, first.position, first.actor) == ("log.opened.v1", 1, OPERATOR)
        assert first.event.origin == f"log.test/log/{province.log.province}"
        assert second.event == ProvinceOpened(province="bac-song")


async def test_refused_opening_does_not_take_the_handle(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        tomorrow = replace(opening("bac-song", mint_person()), time=utc_now() + timedelta(days=1))
        with pytest.raises(TimeInFuture):
            await logs.open("bac-song", tomorrow, by=Acting(OPERATOR))
        assert await logs.find("bac-song") is None


async def test_accepted_command_is_in_the_log_as_answered(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        accepted = await province.log.execute(register("noi-vu"), by=province.acting())
        (stored,), head = await province.log.read(after=accepted.position - 1)
        assert head == stored.position == accepted.position
        assert [bytes(event) for event in accepted.events] == [stored.event.data]
        assert stored.event.tags == ["agency:noi-vu"]


async def test_root_is_that_of_the_stored_bytes(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        for number in range(9):
            await province.log.execute(register(f"a-{number}"), by=province.acting())
        frontier = Frontier()
        for stored in (await province.log.read())[0]:
            frontier.append(leaf_hash(stored.event.data))
        head = await province.log.head()
        assert (head.position, head.root, head.frontier) == (frontier.size, frontier.root(), frontier.peaks)


async def test_rejection_fails_its_own_caller_only(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        stranger = Acting(PersonId("p-stranger22"))
        good, refused, again = await asyncio.gather(
            province.log.execute(register("noi-vu"), by=province.acting()),
            province.log.execute(register("tu-phap"), by=stranger),
            province.log.execute(register("noi-vu"), by=province.acting()),
            return_exceptions=True,
        )
        assert isinstance(refused, NotEmpowered)
        assert isinstance(good, Accepted)
        assert isinstance(again, Accepted)
        assert len(good.events) + len(again.events) == 1


async def test_decision_sees_those_before_it_in_the_batch(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        taken = replace(register("noi-vu"), name="Sở khác")
        results = await asyncio.gather(
            province.log.execute(register("noi-vu"), by=province.acting()),
            province.log.execute(taken, by=province.acting()),
            return_exceptions=True,
        )
        assert {type(result) for result in results} == {Accepted, AgencyHandleTaken}


async def test_retry_of_a_success_is_that_success(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        first = await province.log.execute(register("noi-vu"), by=province.acting("key-1"))
        await province.log.execute(register("tu-phap"), by=province.acting())
        again = await province.log.execute(register("noi-vu"), by=province.acting("key-1"))
        assert again == first
    async with running_logs(database_url) as logs:
        log = await logs.find("bac-song")
        assert log is not None
        later = await log.execute(register("noi-vu"), by=province.acting("key-1"))
        assert later == first


async def test_empty_success_is_kept_under_its_key(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        await province.log.execute(register("noi-vu"), by=province.acting())
        empty = await province.log.execute(register("noi-vu"), by=province.acting("key-1"))
        await province.log.execute(register("tu-phap"), by=province.acting())
        assert empty.events == []
        assert await province.log.execute(register("noi-vu"), by=province.acting("key-1")) == empty


async def test_same_key_at_once_takes_effect_once(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        before = (await province.log.head()).position
        answers = await asyncio.gather(
            *(province.log.execute(register("noi-vu"), by=province.acting("key-1")) for _ in range(100))
        )
        assert len({answer.position for answer in answers}) == 1
        assert all(len(answer.events) == 1 for answer in answers)
        assert (await province.log.head()).position == before + 1


async def test_key_is_not_reused_for_another_request(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        await province.log.execute(register("noi-vu"), by=province.acting("key-1"))
        with pytest.raises(IdempotencyKeyReused):
            await province.log.execute(register("tu-phap"), by=province.acting("key-1", body="other"))


async def test_rejection_is_not_kept_under_its_key(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        fingerprint = hashlib.sha256(b"").digest()
        refused = Acting(PersonId("p-stranger22"), "key-1", fingerprint)
        for _ in range(2):
            with pytest.raises(NotEmpowered):
                await province.log.execute(register("noi-vu"), by=refused)


async def test_two_processes_never_decide_on_a_stale_head(database_url: str) -> None:
    async with running_logs(database_url) as here, running_logs(database_url) as there:
        province = await open_province(here)
        other = await there.find("bac-song")
        assert other is not None
        answers = await asyncio.gather(
            *(
                log.execute(register(f"a-{number % 20}"), by=province.acting())
                for number in range(200)
                for log in (province.log, other)
            )
        )
        assert sum(len(answer.events) for answer in answers) == 20
        positions = [recorded.position for recorded in await province.log.recorded()]
        assert positions == list(range(1, len(positions) + 1))


async def test_person_is_known_by_token_and_empowered_by_role(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        assert await province.log.person_of(ISSUER, "admin@bac-song") == province.admin
        assert await province.log.person_of(ISSUER, "somebody") is None
        assert (await province.log.authority(province.admin)).is_admin
        assert not (await province.log.authority(PersonId("p-stranger22"))).known


async def test_callers_whom_nobody_knows_need_one_connection_together(database_url: str) -> None:
    async with open_database(database_url) as database, logs_of(database) as logs:
        province = await open_province(logs)
        strangers = [asyncio.create_task(province.log.person_of(ISSUER, f"nobody-{number}")) for number in range(50)]
        most = 0
        while not all(stranger.done() for stranger in strangers):
            await asyncio.sleep(0)
            most = max(most, database.app.get_size() - database.app.get_idle_size())
        assert {await stranger for stranger in strangers} == {None}
        assert most <= 3, "theirs, and those that listen and tell of new heads"


async def test_commands_whose_facts_must_be_read_leave_connections_to_others(database_url: str) -> None:
    async with open_database(database_url) as database, logs_of(database) as logs:
        province = await open_province(logs)
        commands = [
            asyncio.create_task(province.log.execute(register(f"a-{number}"), by=province.acting()))
            for number in range(100)
        ]
        most = 0
        while not all(command.done() for command in commands):
            await asyncio.sleep(0)
            most = max(most, database.app.get_size() - database.app.get_idle_size())
        assert len({(await command).position for command in commands}) == 100
        assert most <= PREPARING_MAX + 3, "theirs, the batch's, and those that listen and tell of new heads"


async def test_other_process_knows_the_person_at_once(database_url: str) -> None:
    async with running_logs(database_url) as here, running_logs(database_url) as there:
        province = await open_province(here)
        log = await there.find("bac-song")
        assert log is not None
        assert await log.person_of(ISSUER, "admin@bac-song") == province.admin
