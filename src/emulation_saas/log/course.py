"""The course of a batch: the stages it went through and when, for whoever watches the service.

The stages follow one another, each ending where the next begins:

``lock``   waiting until this process has the province's head to itself
``read``   reading what the decisions need and is not kept, or what was answered before
``decide`` deciding all commands of the batch and making the bytes of what happened
``append`` one statement, until what it wrote is durable

A batch that lost a race to another process goes through some of them again.
"""

from collections.abc import Iterator
from time import monotonic_ns
from typing import Literal, NamedTuple, Protocol, TypeAlias

StageName: TypeAlias = Literal["lock", "read", "decide", "append"]


class Stage(NamedTuple):
    """One stage, by the monotonic clock in nanoseconds."""

    name: StageName
    began_ns: int
    ended_ns: int


class Course:
    """What became of one batch so far."""

    __slots__ = ("_ended_ns", "_entered", "commands", "events")

    def __init__(self, commands: int) -> None:
        """Begin with so many commands, at no stage yet."""
        self.commands = commands
        self.events = 0
        """What was appended."""
        self._entered: list[tuple[StageName, int]] = []
        self._ended_ns = 0

    def enter(self, name: StageName) -> None:
        """Go on to a stage; the one before it has ended."""
        self._entered.append((name, monotonic_ns()))

    def end(self) -> None:
        """Leave the last stage: the batch is answered."""
        self._ended_ns = monotonic_ns()

    def stages(self) -> Iterator[Stage]:
        """Give the stages so far, in order; one that goes on, as for commands decided again, has no length yet."""
        ends = [began_ns for _, began_ns in self._entered[1:]] + [self._ended_ns]
        for (name, began_ns), ended_ns in zip(self._entered, ends, strict=True):
            yield Stage(name, began_ns, max(began_ns, ended_ns))


class Watch(Protocol):
    """Who is told how the commands of one province fare. It must return at once, and never raises."""

    def batch_ended(self, course: Course) -> None:
        """Take note of a batch that was answered, or whose outcome is unknown."""
        ...

    def command_ended(self, course: Course) -> None:
        """Take note, in the task of the caller that waited for it, of the batch that a command was in."""
        ...


class Unwatched:
    """Where nobody watches."""

    def batch_ended(self, course: Course) -> None:
        """Let it go by."""

    def command_ended(self, course: Course) -> None:
        """Let it go by."""
