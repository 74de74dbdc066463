"""What a process keeps for decisions is bounded, and nobody fills it by asking for what is not his."""

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from weakref import WeakSet

import pytest

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import PersonId
from emulation_saas.kernel.rejections import NotEmpowered, NotFound, Rejection
from emulation_saas.kernel.use_cases import Acting, Selector, UseCase
from emulation_saas.log import ProvinceLog
from emulation_saas.log import facts as facts_module
from emulation_saas.log.facts import Facts, match_of
from tests.log.courses import CourseFull, Joined
from tests.logs import open_province, running_logs

STRANGER = Acting(PersonId("p-stranger22"))


class Kept:
    """A view; those that somebody still holds are counted."""

    alive: ClassVar[WeakSet["Kept"]] = WeakSet()

    def __init__(self) -> None:
        Kept.alive.add(self)


class NoSuchCourse(NotFound):
    """There is no such course."""

    code = "test-no-such-course"


@dataclass(frozen=True)
class Look(UseCase[Kept]):
    """Somebody looks into a course; an administrator may, and finds some."""

    course: str
    refusal: type[Rejection] | None = None

    def facts(self) -> Sequence[Selector]:
        return [Selector(types=[Joined], tags=[f"course:{self.course}"])]

    @staticmethod
    def initial() -> Kept:
        return Kept()

    @staticmethod
    def evolve(view: Kept, event: Event) -> Kept:
        del view, event
        return Kept()

    def decide(self, view: Kept, may: Authority, now: datetime) -> Sequence[Event]:
        del view, now
        if not may.is_admin:
            raise NotEmpowered
        if self.refusal is not None:
            raise self.refusal
        return []


async def refused(log: ProvinceLog, look: Look, by: Acting) -> type[Rejection]:
    """Return how it was refused; nothing is left that holds the view but the log itself."""
    try:
        await log.execute(look, by=by)
    except Rejection as rejection:
        return type(rejection)
    msg = "it was granted"
    raise AssertionError(msg)


def kept() -> int:
    gc.collect()
    return len(Kept.alive)


async def test_views_that_only_the_refused_asked_for_are_not_kept(database_url: str) -> None:
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        for number in range(3):
            assert await refused(province.log, Look(f"c-{number}"), STRANGER) is NotEmpowered
            looked = Look(f"d-{number}", NoSuchCourse)
            assert await refused(province.log, looked, province.acting()) is NoSuchCourse
        assert kept() <= 1, "the last one's batch may still be giving its connection back"


async def test_view_that_somebody_needs_outlives_those_who_may_not_ask(database_url: str) -> None:
    async with running_logs(database_url, extra=(Joined,)) as logs:
        province = await open_province(logs)
        await province.log.execute(Look("a"), by=province.acting())
        assert await refused(province.log, Look("b", CourseFull), province.acting()) is CourseFull
        for course in "ab":
            assert await refused(province.log, Look(course), STRANGER) is NotEmpowered
        assert kept() == 2


def test_views_are_bounded_by_what_they_were_read_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts_module, "VIEW_BYTES_MAX", 100)
    facts = Facts()

    def keep(name: str, read_bytes: int) -> None:
        matches = (match_of(Selector(types=[Joined], tags=[f"course:{name}"])),)
        assert facts.keep((name,), (), lambda view, _: view, matches, at=0, read_bytes=read_bytes)

    keep("a", 60)
    keep("b", 40)
    assert [(each,) in facts for each in "ab"] == [True, True], "just as much as there may be"
    keep("b", 40)
    keep("c", 1)
    assert [(each,) in facts for each in "abc"] == [False, True, True]
    keep("d", 1_000)
    assert [(each,) in facts for each in "bcd"] == [False, False, True], "the one asked for now is there"
