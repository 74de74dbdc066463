"""A command that names its cause: its events say so, and it is refused where the cause is not there."""

from dataclasses import replace

import pytest

from emulation_saas.agencies.use_cases import AgencyHandleTaken
from emulation_saas.kernel.ids import PersonId
from emulation_saas.kernel.rejections import DisputeNotUpheld, NotEmpowered
from emulation_saas.kernel.use_cases import NO_CAUSE, Acting
from emulation_saas.log.batch import IdempotencyKeyReused
from tests.log.courses import Joined, Record
from tests.logs import open_province, register, running_logs

FIRST, SECOND = Joined(course="toan", student="lan"), Joined(course="toan", student="ben")


async def test_every_event_of_a_command_names_its_cause(database_url: str) -> None:
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        accepted = await province.log.execute(Record((FIRST, SECOND), causation=3), by=province.acting())
        assert [b'"causationid":"3"' in bytes(event) for event in accepted.events] == [True, True]
        await province.log.execute(Record((FIRST,)), by=province.acting())
        recorded = await province.log.recorded(after=accepted.position - 2)
        assert [each.causation for each in recorded] == [3, 3, None]


async def test_command_whose_cause_is_not_there_is_refused_once_it_would_be_granted(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        head = await province.log.head()
        orphaned = replace(register("noi-vu"), causation=NO_CAUSE)
        with pytest.raises(DisputeNotUpheld):
            await province.log.execute(orphaned, by=province.acting())
        with pytest.raises(NotEmpowered):
            await province.log.execute(orphaned, by=Acting(PersonId("p-stranger22")))
        assert (await province.log.head()).position == head.position
        await province.log.execute(register("noi-vu"), by=province.acting())
        with pytest.raises(AgencyHandleTaken):
            await province.log.execute(replace(orphaned, name="Sở khác"), by=province.acting())


async def test_key_is_looked_up_before_a_missing_cause_is_told(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        province = await open_province(logs)
        done = await province.log.execute(register("noi-vu"), by=province.acting("k", "a body"))
        orphaned = replace(register("tu-phap"), causation=NO_CAUSE)
        with pytest.raises(IdempotencyKeyReused):
            await province.log.execute(orphaned, by=province.acting("k", "another body"))
        again = await province.log.execute(orphaned, by=province.acting("k", "a body"))
        assert (again.position, again.events) == (done.position, done.events)
