"""A test's own capability, as small as can be: students join courses that hold so many and no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event, Visibility
from emulation_saas.kernel.rejections import Conflict, NotEmpowered
from emulation_saas.kernel.use_cases import Selector, UseCase

PLACES: Final = 10


class Joined(Event, frozen=True, kw_only=True):
    """A student joined a course."""

    type: ClassVar[str] = "test.joined.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    course: str
    student: str

    def tags(self) -> list[str]:
        return [f"course:{self.course}", f"student:{self.student}"]

    def subject(self) -> str | None:
        return f"courses/{self.course}"


class CourseFull(Conflict):
    """The course holds no more."""

    code = "test-course-full"


Students = frozenset[str]


@dataclass(frozen=True)
class JoinCourse(UseCase[Students]):
    """A student joins a course, as long as there are places; joining again changes nothing."""

    course: str
    student: str

    def facts(self) -> Sequence[Selector]:
        return [Selector(types=[Joined], tags=[f"course:{self.course}"])]

    @staticmethod
    def initial() -> Students:
        return frozenset()

    @staticmethod
    def evolve(view: Students, event: Event) -> Students:
        return view | {event.student} if isinstance(event, Joined) else view

    def decide(self, view: Students, may: Authority, now: datetime) -> Sequence[Event]:  # noqa: ARG002 - as every decision
        if not may.is_admin:
            raise NotEmpowered
        if self.student in view:
            return []
        if len(view) >= PLACES:
            raise CourseFull
        return [Joined(course=self.course, student=self.student)]


@dataclass(frozen=True)
class Record(UseCase[None]):
    """These events happen, by decree: one command, and nothing to know."""

    events: tuple[Event, ...]

    def facts(self) -> Sequence[Selector]:
        return []

    @staticmethod
    def initial() -> None:
        return None

    @staticmethod
    def evolve(view: None, event: Event) -> None:  # noqa: ARG004 - as every fold
        return view

    def decide(self, view: None, may: Authority, now: datetime) -> Sequence[Event]:  # noqa: ARG002 - as every decision
        return self.events


def join(student: str, course: str = "toan") -> JoinCourse:
    """Return a student's wish to join a course."""
    return JoinCourse(course=course, student=student)
