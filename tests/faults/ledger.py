"""What callers were told, held against what the log holds: nothing lost, nothing invented, nothing twice.

Every command has a key of its own and is repeated with it until it is answered. So the events that the answers show
must be all events there are, each in the answer of exactly one command; of a command that is not answered yet, the log
may hold what it holds under that command's key and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from emulation_saas.log import Accepted
from emulation_saas.log.frontier import leaf_hash
from tests.log.test_frontier import root_of

if TYPE_CHECKING:
    from tests.database import Connection

_EVENTS: Final = """
SELECT e.position, e.body, e.recorded_at, e.leaf_hash FROM events AS e JOIN provinces AS p USING (province_id)
WHERE p.handle = $1 ORDER BY e.position
"""
_HEAD: Final = """
SELECT h.position, h.recorded_at, h.root FROM log_head AS h JOIN provinces AS p USING (province_id) WHERE p.handle = $1
"""
_KEYS: Final = """
SELECT i.key, i.first_position, i.last_position FROM idempotency AS i JOIN provinces AS p USING (province_id)
WHERE p.handle = $1
"""
NEVER: Final = datetime.min.replace(tzinfo=UTC)
CHECKPOINTS_MAX: Final = 20
"""How many of the checkpoints that were handed out are recomputed: each costs a hash for every event."""


class Fact(msgspec.Struct, frozen=True):
    """What every event says of itself, as far as it is looked at here."""

    id: str
    commandid: str
    recordedtime: str
    type: str


class Event(NamedTuple):
    """A stored event."""

    position: int
    body: bytes
    recorded_at: datetime
    leaf_hash: bytes


class Stored(NamedTuple):
    """One province's log as it lies in the database, read past the service."""

    events: list[Event]
    position: int
    """Of the head."""
    recorded_at: datetime
    root: bytes
    keys: dict[str, tuple[int, int]]
    """The first and last position that each key stands for; an empty span where nothing was recorded."""


@dataclass
class Found:
    """What is wrong; nothing when all is well."""

    lost: int = 0
    """Events and answers that somebody was told of and that are not there, or not as told."""
    doubled: int = 0
    """Events that nobody was told of, or two callers were: a command took effect twice."""
    gaps: int = 0
    """Positions that are missing."""
    wrong: list[str] = field(default_factory=list)
    """Everything else, in words."""

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing was found."""
        return not (self.lost or self.doubled or self.gaps or self.wrong)

    def add(self, other: "Found") -> None:
        """Take in what was found elsewhere."""
        self.lost += other.lost
        self.doubled += other.doubled
        self.gaps += other.gaps
        self.wrong += other.wrong


async def stored_log(connection: "Connection", province: str) -> Stored:
    """Read a province's log as the superuser; nothing where there is no such province."""
    rows = await connection.fetch(_EVENTS, province)
    head = await connection.fetchrow(_HEAD, province)
    keys = await connection.fetch(_KEYS, province)
    events = [Event(row["position"], bytes(row["body"]), row["recorded_at"], bytes(row["leaf_hash"])) for row in rows]
    return Stored(
        events,
        0 if head is None else head["position"],
        NEVER if head is None else head["recorded_at"],
        b"" if head is None else bytes(head["root"]),
        {row["key"]: (row["first_position"], row["last_position"]) for row in keys},
    )


@dataclass
class Ledger:
    """The commands sent to one province, the answers had, and how often a command had to be sent again."""

    province: str
    is_keyed: bool = True
    """Whether commands bear keys; without, only their effects can be compared."""
    sent: dict[str, str] = field(default_factory=dict)
    """By key, what the command's events must speak of: a handle that no other command names; '' when nothing."""
    answers: dict[str, Accepted] = field(default_factory=dict)
    otherwise: list[str] = field(default_factory=list)
    """Keys of commands that were answered in two ways."""
    checkpoints: dict[int, bytes] = field(default_factory=dict)
    """By size, the roots that the service has signed and handed out."""
    retried: int = 0
    opened_through: int = 1
    """The last position of what was recorded before the first command: position 1 opens every log."""

    def send(self, key: str, about: str) -> None:
        """Note a command before it is sent."""
        assert key not in self.sent
        self.sent[key] = about

    def answered(self, key: str, accepted: Accepted) -> None:
        """Note an answer; a later one must be the same."""
        if self.answers.setdefault(key, accepted) != accepted:
            self.otherwise.append(key)

    def seen(self, size: int, root: bytes) -> None:
        """Note a signed checkpoint; there must be no other of its size."""
        if self.checkpoints.setdefault(size, root) != root:
            self.otherwise.append(f"checkpoint {size}")

    def copy(self) -> "Ledger":
        """Return what is noted now."""
        return Ledger(
            self.province,
            self.is_keyed,
            dict(self.sent),
            dict(self.answers),
            list(self.otherwise),
            dict(self.checkpoints),
            self.retried,
            self.opened_through,
        )

    def compare(self, stored: Stored) -> Found:
        """Hold what callers were told against what is stored."""
        found = Found(wrong=[f"{self.province}: {key} was answered in two ways" for key in self.otherwise])
        bodies = {event.position: event.body for event in stored.events}
        found.gaps = len(set(range(1, stored.position + 1)) ^ bodies.keys())
        self._partition(bodies, stored.keys, found)
        if self.is_keyed:
            self._keys(stored.keys, found)
        found.wrong += [f"{self.province}: {what}" for what in (*_faults(stored), *self._forked(stored))]
        return found

    def _partition(self, bodies: Mapping[int, bytes], keys: Mapping[str, tuple[int, int]], found: Found) -> None:
        """Give each event to the command whose answer shows it; what is left over nobody was told of."""
        owners = dict.fromkeys(range(1, self.opened_through + 1), "opening")
        commands: dict[str, str] = {}
        for key, accepted in self.answers.items():
            last = accepted.position
            for position, event in enumerate(accepted.events, last - len(accepted.events) + 1):
                body = bodies.get(position)
                if body is None or body != bytes(event):
                    found.lost += 1
                    continue
                found.doubled += owners.setdefault(position, key) != key
                fact = msgspec.json.decode(body, type=Fact)
                if self.sent[key].encode() not in body:
                    found.wrong.append(f"{self.province}: {key} was answered with an event of something else")
                if commands.setdefault(fact.commandid, key) != key:
                    found.wrong.append(f"{self.province}: {fact.commandid} is the id of two commands")
        for key in self.sent.keys() - self.answers.keys():  # nobody knows yet what became of these
            first, last = keys.get(key, (1, 0))
            owners |= dict.fromkeys(range(first, last + 1), key)
        found.doubled += len(bodies.keys() - owners.keys())

    def _keys(self, keys: Mapping[str, tuple[int, int]], found: Found) -> None:
        """Each answer is stored under its key, and no key that nobody used."""
        for key, accepted in self.answers.items():
            if key not in keys:
                found.lost += not accepted.events  # else its events were counted already
            elif keys[key] != (accepted.position - len(accepted.events) + 1, accepted.position):
                found.wrong.append(f"{self.province}: {key} is stored with another answer")
        found.wrong += [f"{self.province}: nobody used the key {key}" for key in keys.keys() - self.sent.keys()]

    def _forked(self, stored: Stored) -> list[str]:
        """Return the signed checkpoints that are not of this log."""
        leaves = [event.leaf_hash for event in stored.events]
        sizes = sorted(self.checkpoints)
        chosen = {*sizes[:: max(1, len(sizes) // CHECKPOINTS_MAX)], *sizes[-1:]}
        return [
            f"the log is not what the signed checkpoint of size {size} says"
            for size in sorted(chosen)
            if size > len(leaves) or root_of(leaves[:size]) != self.checkpoints[size]
        ]


def _faults(stored: Stored) -> list[str]:
    """Return what a log contradicts itself in."""
    events = stored.events
    hashes = [leaf_hash(event.body) for event in events]
    facts = [msgspec.json.decode(event.body, type=Fact) for event in events]
    holds = {
        "a hash is not that of its bytes": hashes == [event.leaf_hash for event in events],
        "the root is not that of the bytes": not events or stored.root == root_of(hashes),
        "recorded times decrease": all(before.recorded_at <= after.recorded_at for before, after in pairwise(events)),
        "the head is older than its last event": not events or stored.recorded_at >= events[-1].recorded_at,
        "an event tells another time than is stored": all(
            fact.recordedtime == f"{event.recorded_at:%Y-%m-%dT%H:%M:%S.%fZ}"
            for fact, event in zip(facts, events, strict=True)
        ),
        "an event tells another position than its own": [int(fact.id) for fact in facts]
        == [event.position for event in events],
        "the log does not begin with its opening": not facts or facts[0].type == "log.opened.v1",
    }
    return [what for what, is_so in holds.items() if not is_so]
