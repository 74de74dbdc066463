"""One batch of commands on its way into the log: decided in order on one head, written as bytes, appended at once."""

import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

import msgspec

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.kernel.rejections import DisputeNotUpheld, Invalid, TimeInFuture
from emulation_saas.kernel.use_cases import NO_CAUSE, Acting, UseCase
from emulation_saas.log.accepted import Accepted
from emulation_saas.log.codec import Codec, Place
from emulation_saas.log.course import Course
from emulation_saas.log.facts import Key
from emulation_saas.log.frontier import Frontier, leaf_hash
from emulation_saas.log.reading import Head
from emulation_saas.log.room import Room
from emulation_saas.log.sealing import Opener

if TYPE_CHECKING:
    import asyncio

EVENTS_MAX: Final = 100
"""Events that one command may lead to."""


class TooManyEvents(Invalid):
    """One command may lead to at most 100 events."""

    code = "too-many-events"


class IdempotencyKeyReused(Invalid):
    """The idempotency key was used for another request."""

    code = "idempotency-key-reused"


@dataclass(eq=False)
class Command:
    """A use case waiting to be decided, and who waits for it."""

    use_case: UseCase[Any]
    acting: Acting
    view: Key
    answer: "asyncio.Future[Accepted]"
    command_id: UUID = field(default_factory=uuid4)
    course: Course | None = None
    """Of the batch that it was taken into; none while it waits."""

    @property
    def key(self) -> tuple[str, str] | None:
        """What tells a repetition: the actor and the key, where there is one."""
        key = self.acting.idempotency_key
        return None if key is None else (self.acting.person, key)

    def settle(self, answer: Accepted | Exception) -> None:
        """Answer, if somebody still waits."""
        if self.answer.done():
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


def next_batch(queue: deque[Command], most: int) -> list[Command]:
    """Take what has queued, each idempotency key once: its repetition waits for the answer to be stored."""
    batch: list[Command] = []
    later: list[Command] = []
    keys: set[tuple[str, str]] = set()
    while queue and len(batch) < most:
        command = queue.popleft()
        if command.key is not None and command.key in keys:
            later.append(command)
            continue
        if command.key is not None:
            keys.add(command.key)
        batch.append(command)
    queue.extendleft(reversed(later))
    return batch


@dataclass
class Decided:
    """A command and what was decided: events, nothing, or a rejection (or what a bug in the use case raised)."""

    command: Command
    events: list[Event]
    rejection: Exception | None = None
    bodies: list[bytes] = field(default_factory=list)
    last: int = 0

    @property
    def accepted(self) -> Accepted:
        """The answer, once it is recorded."""
        return Accepted(self.last, [msgspec.Raw(body) for body in self.bodies])


def decide(command: Command, view: object, may: Authority, now: datetime) -> Decided:
    """Let the use case decide."""
    try:
        return Decided(command, events_of(command.use_case, view, may, now))
    except Exception as error:  # noqa: BLE001 - rejected, or a bug in the use case: either is told to its own caller only
        return Decided(command, [], error)


def events_of(use_case: UseCase[Any], view: object, may: Authority, now: datetime) -> list[Event]:
    """Return what a use case decides, within what holds of every one.

    Raises:
        Rejection: its own; TimeInFuture, DisputeNotUpheld, TooManyEvents.
    """
    if use_case.time is not None and use_case.time > now:
        raise TimeInFuture
    events = list(use_case.decide(view, may, now))
    if use_case.causation == NO_CAUSE:
        raise DisputeNotUpheld
    if len(events) > EVENTS_MAX:
        raise TooManyEvents
    return events


class Draft:
    """The bytes that a batch would append after one head."""

    def __init__(self, province: ProvinceId, codec: Codec, frontier: Frontier, *, room: Room, now: datetime) -> None:
        """Begin after the leaves of the frontier."""
        self._province = province
        self._codec = codec
        self._room = room
        self._now = now
        self.frontier = frontier.copy()
        self.events: list[Event] = []
        self.types: list[str] = []
        self.bodies: list[bytes] = []
        self.leaf_hashes: list[bytes] = []
        self.tag_positions: list[int] = []
        self.tags: list[str] = []
        self.tag_types: list[str] = []
        self.keyed: list[Decided] = []

    def write(self, decided: Decided, opener: Opener | None) -> None:
        """Write what one command decided, wholly or not at all.

        Raises:
            Rejection: an event cannot be written; nothing of the command was.
        """
        command = decided.command
        position = self.frontier.size
        self._room.demand(position, decided.events)
        bodies = [
            self._codec.encode(
                event,
                Place(
                    province=self._province,
                    position=position + place,
                    recorded_at=self._now,
                    time=command.use_case.time,
                    actor=command.acting.person,
                    command_id=command.command_id,
                    salt=secrets.token_bytes(16),
                    causation=command.use_case.causation,
                ),
                opener,
            )
            for place, event in enumerate(decided.events, 1)
        ]
        for event, body in zip(decided.events, bodies, strict=True):
            position += 1
            hashed = leaf_hash(body)
            self.frontier.append(hashed)
            self.events.append(event)
            self.types.append(event.type)
            self.bodies.append(body)
            self.leaf_hashes.append(hashed)
            for tag in dict.fromkeys(event.tags()):
                self.tag_positions.append(position)
                self.tags.append(tag)
                self.tag_types.append(event.type)
        decided.bodies = bodies
        decided.last = position
        if command.key is not None:
            self.keyed.append(decided)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to record: no event and no key."""
        return not self.bodies and not self.keyed

    def arguments(self, *, expected: int, clock: datetime) -> tuple[Any, ...]:
        """Return the arguments of the append, in the statement's order."""
        return (
            self._province,
            expected,
            clock,
            self._now,
            self.frontier.peaks,
            self.frontier.root(),
            self.types,
            self.bodies,
            self.leaf_hashes,
            self.tag_positions,
            self.tags,
            self.tag_types,
            [decided.command.acting.person for decided in self.keyed],
            [decided.command.acting.idempotency_key for decided in self.keyed],
            [decided.command.acting.fingerprint for decided in self.keyed],
            [decided.last - len(decided.bodies) + 1 for decided in self.keyed],
            [decided.last for decided in self.keyed],
        )


Answer = tuple[Command, Accepted | Exception]


@dataclass
class Step:
    """What came of one attempt: who is answered what, who is decided again, and what was appended."""

    answers: list[Answer] = field(default_factory=list)
    remaining: list[Command] = field(default_factory=list)
    lock_next: bool = False
    appended: tuple[Head, Draft, dict[Key, Any], float] | None = None
    """The head that it made, what was written, the views as changed, and the monotonic instant at which it began."""


def without(commands: list[Command], answers: list[Answer]) -> list[Command]:
    """Return the commands that are not answered yet."""
    answered = {id(command) for command, _ in answers}
    return [command for command in commands if id(command) not in answered]
