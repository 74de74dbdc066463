"""Who watches a province is told which stages its batches went through, and the callers' tasks of theirs."""

import asyncio
from contextvars import ContextVar

from emulation_saas.kernel.ids import AgencyId
from emulation_saas.log import Codec, MasterKey, ProvinceLogs, Registry
from emulation_saas.log.course import Course
from emulation_saas.postgres.database import open_database
from emulation_saas.wiring import AUTHORITY, EVENT_TYPES
from tests.logs import MASTER_KEY, Opened, open_province, register

_caller: ContextVar[str] = ContextVar("caller", default="")


class Notes:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.batches: list[Course] = []
        self.commands: list[tuple[str, Course]] = []

    def batch_ended(self, course: Course) -> None:
        self.batches.append(course)

    def command_ended(self, course: Course) -> None:
        self.commands.append((_caller.get(), course))


def test_each_stage_ends_where_the_next_begins() -> None:
    course = Course(1)
    for name in ("lock", "read", "decide"):
        course.enter(name)
    course.end()
    lock, read, decide = course.stages()
    assert [lock.name, read.name, decide.name] == ["lock", "read", "decide"]
    assert lock.began_ns <= lock.ended_ns == read.began_ns <= read.ended_ns == decide.began_ns <= decide.ended_ns


def test_a_stage_that_goes_on_has_no_length_yet() -> None:
    course = Course(1)
    course.enter("decide")
    course.end()
    course.enter("lock")
    *_, lock = course.stages()
    assert lock.began_ns == lock.ended_ns


async def _register(province: Opened, name: str) -> None:
    _caller.set(name)
    await province.log.execute(register(AgencyId(name)), by=province.acting())


async def test_a_batch_and_its_commands_are_told_of(database_url: str) -> None:
    notes = Notes()
    async with open_database(database_url) as database:
        made = ProvinceLogs(
            database,
            Codec(Registry(EVENT_TYPES)),
            AUTHORITY,
            origin="log.test",
            master=MasterKey(MASTER_KEY),
            watching=lambda _: notes,
        )
        async with made.running() as logs:
            province = await open_province(logs)
            notes.batches.clear()
            names = [f"so-{number}" for number in range(5)]
            await asyncio.gather(*(asyncio.create_task(_register(province, name)) for name in names))
    assert sum(course.commands for course in notes.batches) == len(names)
    assert sum(course.events for course in notes.batches) == len(names)
    assert {name for name, _ in notes.commands} == {"", *names}
    for course in notes.batches:
        assert [stage.name for stage in course.stages()][-2:] == ["decide", "append"]
        assert all(stage.ended_ns >= stage.began_ns for stage in course.stages())
    assert {id(course) for name, course in notes.commands if name} == {id(course) for course in notes.batches}
