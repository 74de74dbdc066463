"""What callers were told, held against what the log holds: nothing lost, nothing invented, nothing twice.

Every command has a key of its own and is repeated with it until it is answered, so at the end each is answered, and the
events that the answers show must be all events there are: each event stands in the answer of exactly one command.
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import msgspec

from emulation_saas.log import Accepted
from emulation_saas.log.frontier import leaf_hash
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.database import superuser
from tests.log.test_frontier import root_of

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


@dataclass(frozen=True)
class Sent:
    """A command: its key, and what its events must speak of (a handle that no other command names; '' when none)."""

    key: str
    about: str


class Fact(msgspec.Struct, frozen=True):
    """What every event says of itself, as far as it is looked at here."""

    id: str
    commandid: str
    recordedtime: str
    type: str


@dataclass
class Ledger:
    """The commands sent to one province, the answers had, and how often a command had to be sent again."""

    province: str
    sent: dict[str, Sent] = field(default_factory=dict)
    answers: dict[str, Accepted] = field(default_factory=dict)
    retried: int = 0
    opened_through: int = 1
    """The last position of what was recorded before the first command: position 1 opens every log."""

    def send(self, key: str, about: str) -> None:
        """Note a command before it is sent."""
        assert key not in self.sent
        self.sent[key] = Sent(key, about)

    def answered(self, key: str, accepted: Accepted) -> None:
        """Note an answer; a later one must be the same."""
        assert self.answers.setdefault(key, accepted) == accepted, f"{key} was answered otherwise before"

    async def demand_truth(self, server: EmbeddedPostgres, url: str) -> int:
        """Compare with the log, read past the service; return its length."""
        async with superuser(server, urlsplit(url).path.removeprefix("/")) as connection:
            rows = await connection.fetch(_EVENTS, self.province)
            head = await connection.fetchrow(_HEAD, self.province)
            keys = await connection.fetch(_KEYS, self.province)
        assert head is not None
        assert [row["position"] for row in rows] == list(range(1, len(rows) + 1)), "positions are gapless"
        assert head["position"] == len(rows), "the head is the last event"
        bodies = [bytes(row["body"]) for row in rows]
        assert [bytes(row["leaf_hash"]) for row in rows] == [leaf_hash(body) for body in bodies]
        assert bytes(head["root"]) == root_of([leaf_hash(body) for body in bodies]), "the root is that of the bytes"
        recorded_at = [row["recorded_at"] for row in rows]
        assert recorded_at == sorted(recorded_at), "recorded times never decrease"
        facts = [msgspec.json.decode(body, type=Fact) for body in bodies]
        assert [fact.recordedtime for fact in facts] == [f"{at:%Y-%m-%dT%H:%M:%S.%fZ}" for at in recorded_at]
        assert [int(fact.id) for fact in facts] == list(range(1, len(rows) + 1))
        self._demand_partition(bodies, facts)
        answered = {
            key: (accepted.position - len(accepted.events) + 1, accepted.position)
            for key, accepted in self.answers.items()
        }
        stored = {row["key"]: (row["first_position"], row["last_position"]) for row in keys}
        assert stored == answered, "each key is stored once, with the answer that was given"
        return len(rows)

    def _demand_partition(self, bodies: list[bytes], facts: list[Fact]) -> None:
        """Demand that the answers' events are the log's, byte for byte, and each the event of one command only."""
        assert self.answers.keys() == self.sent.keys(), "every command was answered in the end"
        of_position = dict.fromkeys(range(1, self.opened_through + 1), "opening")
        commands: dict[str, str] = {}
        for key, accepted in self.answers.items():
            last = accepted.position
            for position, event in enumerate(accepted.events, last - len(accepted.events) + 1):
                assert bodies[position - 1] == bytes(event), f"{key}: what was answered is not what position holds"
                assert of_position.setdefault(position, key) == key, f"position {position} was answered to two commands"
                assert self.sent[key].about.encode() in bodies[position - 1], f"{key}: an event of something else"
                assert commands.setdefault(facts[position - 1].commandid, key) == key, "a commandid of two commands"
        assert len(commands) == sum(bool(accepted.events) for accepted in self.answers.values())
        invented = [(fact.id, fact.type) for fact in facts if int(fact.id) not in of_position]
        assert invented == [], "events that nobody was told of"
        assert facts[0].type == "log.opened.v1"
