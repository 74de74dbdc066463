"""Types have successors: an earlier release's is read in today's shape, a later release's is passed over."""

import asyncio
from typing import ClassVar, Final

import msgspec
import pytest
from eventsourcing.dcb.api import DCBQuery, DCBQueryItem

from emulation_saas.kernel.events import Event, Visibility
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.log.events import Unknown
from emulation_saas.log.frontier import Frontier, leaf_hash
from emulation_saas.log.registry import Registry, UnknownTypeError
from tests.log.courses import Joined, Record
from tests.logs import Opened, open_province, running_logs


class _Noted(Event, frozen=True, kw_only=True):
    visibility: ClassVar[Visibility] = Visibility.PUBLIC

    def tags(self) -> list[str]:
        return ["note:all"]

    def subject(self) -> str | None:
        return None


class NotedAtFirst(_Noted, frozen=True, kw_only=True):
    """The first release's type, as that release had it."""

    type: ClassVar[str] = "test.noted.v1"
    text: str


class NotedThird(_Noted, frozen=True, kw_only=True):
    """Today's type: a note has lines and an author."""

    type: ClassVar[str] = "test.noted.v3"
    lines: list[str]
    author: str


class NotedSecond(_Noted, frozen=True, kw_only=True):
    """The second release's type, as today's release has it."""

    type: ClassVar[str] = "test.noted.v2"
    becomes: ClassVar[str | None] = "test.noted.v3"
    lines: list[str]

    def upcast(self) -> Event:
        return NotedThird(lines=self.lines, author="nobody")


class NotedFirst(_Noted, frozen=True, kw_only=True):
    """The first release's type, as today's release has it."""

    type: ClassVar[str] = "test.noted.v1"
    becomes: ClassVar[str | None] = "test.noted.v2"
    text: str

    def upcast(self) -> Event:
        return NotedSecond(lines=self.text.split("\n"))


TODAY: Final = (NotedFirst, NotedSecond, NotedThird)
IN_TODAYS_SHAPE: Final = NotedThird(lines=["a", "b"], author="nobody")


async def note_long_ago(database_url: str) -> Opened:
    """Let the first release write a note."""
    async with running_logs(database_url, extra=(NotedAtFirst,)) as logs:
        province = await open_province(logs)
        await province.log.execute(given(NotedAtFirst(text="a\nb")), by=province.acting())
        return province


def given(*events: Event) -> Record:
    """Return a command that records these events."""
    return Record(events)


async def test_earlier_shape_is_read_in_the_newest_and_found_under_it(database_url: str) -> None:
    await note_long_ago(database_url)
    async with running_logs(database_url, extra=TODAY) as logs:
        log = await logs.find("bac-song")
        assert log is not None
        (by_type,) = await log.recorded([Selector(types=[NotedThird])])
        (by_type_and_tag,) = await log.recorded([Selector(types=[NotedThird], tags=["note:all"])])
        (followed,) = await log.recorded(after=by_type.position - 1)
        assert by_type.event == IN_TODAYS_SHAPE
        assert by_type == by_type_and_tag == followed
        (stored,), _ = await log.read(DCBQuery([DCBQueryItem(["test.noted.v1"])]))
        assert msgspec.json.decode(stored.event.data)["type"] == "test.noted.v1"


async def test_earlier_shape_is_no_longer_written(database_url: str) -> None:
    province = await note_long_ago(database_url)
    async with running_logs(database_url, extra=TODAY) as logs:
        log = await logs.find("bac-song")
        assert log is not None
        registry = Registry(TODAY)
        for event in (NotedFirst(text="a"), NotedSecond(lines=["a"]), Unknown()):
            with pytest.raises(UnknownTypeError):
                registry.entry_of(event)
        accepted = await log.execute(given(NotedThird(lines=["a"], author="lan")), by=province.acting())
        assert len(accepted.events) == 1


async def test_unknown_type_is_passed_over_and_positions_stay_gapless(database_url: str) -> None:
    async with running_logs(database_url, extra=(Joined, NotedThird)) as later:
        province = await open_province(later)
        noted = NotedThird(lines=["later"], author="lan")
        joined = Joined(course="toan", student="lan")
        await province.log.execute(given(joined, noted, joined), by=province.acting())
        head = await province.log.head()
    async with running_logs(database_url, extra=(Joined,)) as logs:
        log = await logs.find("bac-song")
        assert log is not None
        page = await asyncio.wait_for(anext(log.tail(0)), 5)
        assert [recorded.position for recorded in page] == list(range(1, head.position + 1))
        unknown = [recorded for recorded in page if isinstance(recorded.event, Unknown)]
        assert [recorded.position for recorded in unknown] == [head.position - 1]
        assert unknown[0].actor == province.admin
        stored, _ = await log.read()
        frontier = Frontier()
        for event in stored:
            frontier.append(leaf_hash(event.event.data))
        assert stored[-2].event.type == "test.noted.v3"
        assert frontier.root() == head.root
        await log.execute(given(joined), by=province.acting())
        assert (await log.head()).position == head.position + 1


def test_two_types_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two event types"):
        Registry([NotedAtFirst, NotedFirst, NotedSecond, NotedThird])


def test_type_that_becomes_what_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="not registered"):
        Registry([NotedFirst, NotedThird])


def test_all_shapes_of_a_type_are_told() -> None:
    registry = Registry(TODAY)
    assert registry.types == list(TODAY)
    assert registry.names_of(NotedThird) == ["test.noted.v1", "test.noted.v2", "test.noted.v3"]
    assert registry.names_of(Joined) == ["test.joined.v1"]
    assert registry.find("test.joined.v1") is None
