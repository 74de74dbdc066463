"""One province's log made many times longer: every bloc's history again, under other handles, interleaved.

The history itself came through the use cases. A decision about a bloc rests on that bloc's facts and on agencies and
persons, which stay the same here, and what it decides does not depend on how the bloc is called. So the same history of
a bloc of another name is one that the use cases would have allowed, and all blocs go through their years together.
The bytes are those that the codec would write, with positions, leaf hashes, tags, keys and tree of their own: the
service goes on from there, and `verify` accepts it. Only the way in is not the service's: rows come by COPY, and
indexes are made afterwards.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import uuid4

import msgspec

from emulation_saas.kernel.clock import spell_recorded, utc_now
from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.kernel.ids import PersonId
from emulation_saas.log import Codec, ProvinceLog
from emulation_saas.log.codec import Place
from emulation_saas.log.frontier import Frontier, leaf_hash
from emulation_saas.log.keyring import Keyring
from emulation_saas.log.sealing import NONE_ERASED, Opener, spell_bytes, version_of

if TYPE_CHECKING:
    from tests.database import Connection

BLOCS_A_COPY: Final = 100
"""The blocs of a history are numbered up to this; those of its next copy go on after it."""
PART_BYTES: Final = 32 * 1024 * 1024
_BLOC: Final = re.compile(rb"khoi-(\d{4})")
_DIFFERS: Final = re.compile(
    rb'(?P<bloc>khoi-\d{4})|(?<="commandid":")(?P<command>[0-9a-f-]{36})|(?<="causationid":")(?P<refers>\d+)|'
    rb'(?<="position":)(?P<names>\d+)|(?<="id":")(?P<id>\d+)|(?<="recordedtime":")(?P<recorded>[^"]+)|'
    rb'(?<="salt":")(?P<salt>[^"]+)|(?<="sequence":")(?P<sequence>\d+)'
)
_TABLES: Final = ("events", "event_tags", "idempotency")
_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_EPOCH: Final = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
_LENGTH, _INT64 = Struct(">i"), Struct(">q")
_COLUMNS: Final = {"events": 6, "event_tags": 4, "idempotency": 6}


@dataclass(frozen=True)
class _Stored:
    """An event of the history: its bytes in pieces, between which stands what a copy has of its own."""

    type: str
    pieces: tuple[bytes, ...]
    differing: tuple[tuple[str, bytes], ...]
    tags: tuple[bytes, ...]
    personal: AnyRecorded | None
    """The event, where it has to be sealed anew for its place."""


@dataclass(frozen=True)
class _Command:
    """The events of one command, and under which key it was entered."""

    stored: tuple[_Stored, ...]
    begin: int
    """How many events stand before it in the history of the blocs."""
    key: tuple[bytes, bytes, bytes] | None
    """Actor, key, fingerprint."""


@dataclass
class _Part:
    """Rows on their way into the tables, as a binary COPY spells them."""

    rows: dict[str, bytearray] = field(default_factory=lambda: {table: bytearray(_HEADER) for table in _TABLES})

    def add(self, table: str, *values: bytes) -> None:
        """Add a row: each value after its length."""
        row = self.rows[table]
        row += _COLUMNS[table].to_bytes(2, "big")
        for value in values:
            row += _LENGTH.pack(len(value))
            row += value


class Growth:
    """Makes the copies of one history."""

    def __init__(self, log: ProvinceLog, codec: Codec, opener: Opener, head: int) -> None:
        """Begin with no command of a history that ends at a head."""
        self.province = log.province
        self._codec = codec
        self._opener = opener
        self._commands: list[_Command] = []
        self._head = head
        self._at: dict[int, tuple[_Command, int]] = {}

    def take(self, command: _Command, positions: Sequence[int]) -> None:
        """Take in one more command, and where its events stood: others refer to them."""
        self._commands.append(command)
        self._at.update({position: (command, number) for number, position in enumerate(positions)})

    def position(self, command: _Command, number: int, copy: int, copies: int) -> int:
        """Return where a copy of a command's event stands."""
        return self._head + copies * command.begin + (copy - 1) * len(command.stored) + 1 + number

    def written(self, part: _Part, command: _Command, copy: int, copies: int, frontier: Frontier, at: datetime) -> None:
        """Write one copy of a command into a part."""
        province, own = self.province.bytes, str(uuid4()).encode()
        instant = _INT64.pack((at - _EPOCH) // timedelta(microseconds=1))
        recorded = spell_recorded(at).encode()
        for number, stored in enumerate(command.stored):
            position, spelled = frontier.size + 1, stored.type.encode()
            if stored.personal is None:
                body = self._body(stored, copy, copies, position, own, recorded)
            else:
                body = self._sealed(stored.personal, copy, position, at)
            hashed = leaf_hash(body)
            frontier.append(hashed)
            place = _INT64.pack(position)
            part.add("events", province, place, spelled, instant, body, hashed)
            for tag in stored.tags:
                part.add("event_tags", province, _renamed(tag, copy), place, spelled)
            assert position == self.position(command, number, copy, copies)
        if command.key is not None:
            actor, key, fingerprint = command.key
            first, last = frontier.size - len(command.stored) + 1, frontier.size
            span = (_INT64.pack(first), _INT64.pack(last))
            part.add("idempotency", province, actor, _renamed(key, copy), fingerprint, *span)

    def _body(self, stored: _Stored, copy: int, copies: int, position: int, own: bytes, recorded: bytes) -> bytes:
        parts = [stored.pieces[0]]
        for (kind, told), piece in zip(stored.differing, stored.pieces[1:], strict=True):
            if kind == "bloc":
                parts.append(_renamed(told, copy))
            elif kind == "id":
                parts.append(b"%d" % position)
            elif kind == "sequence":
                parts.append(b"%019d" % position)
            elif kind == "command":
                parts.append(own)
            elif kind == "recorded":
                parts.append(recorded)
            elif kind == "salt":
                parts.append(spell_bytes(secrets.token_bytes(16)).encode())
            else:
                command, number = self._at[int(told)]
                parts.append(b"%d" % self.position(command, number, copy, copies))
            parts.append(piece)
        return b"".join(parts)

    def _sealed(self, recorded: AnyRecorded, copy: int, position: int, at: datetime) -> bytes:
        kind = cast("type[Event]", type(recorded.event))
        event = msgspec.json.decode(_renamed(msgspec.json.encode(recorded.event), copy), type=kind)
        place = Place(
            province=self.province,
            position=position,
            recorded_at=at,
            time=recorded.time,
            actor=PersonId(recorded.actor),
            command_id=uuid4(),
            salt=secrets.token_bytes(16),
        )
        return self._codec.encode(event, place, self._opener)

    async def parts(self, copies: int, frontier: Frontier) -> AsyncIterator[_Part]:
        """Give all rows of all copies, in the log's order, part by part."""
        began, part = utc_now(), _Part()
        for number, command in enumerate(self._commands):
            at = began + timedelta(microseconds=number)
            for copy in range(1, copies + 1):
                self.written(part, command, copy, copies, frontier, at)
            if len(part.rows["events"]) > PART_BYTES:
                yield part
                part = _Part()
            await asyncio.sleep(0)  # the part before this is on its way
        yield part

    @property
    def events(self) -> int:
        """How many events one copy adds."""
        return sum(len(command.stored) for command in self._commands)


def _renamed(text: bytes, copy: int) -> bytes:
    """Return a text with its bloc's handle as it is in a copy."""
    return _BLOC.sub(lambda found: b"khoi-%04d" % (int(found[1]) + copy * BLOCS_A_COPY), text)


async def growth_of(root: "Connection", log: ProvinceLog, codec: Codec, keyring: Keyring) -> Growth:
    """Read the history of a province's blocs."""
    rows = await root.fetch(
        "SELECT position, type, body FROM events WHERE province_id = $1 ORDER BY position", log.province
    )
    keys = {
        row["last_position"]: (row["actor"].encode(), row["key"].encode(), row["fingerprint"])
        for row in await root.fetch("SELECT * FROM idempotency WHERE province_id = $1", log.province)
    }
    recorded = await log.recorded()
    persons = {person for each in recorded for person in codec.persons_of(each.event)}
    opener = await keyring.opener(needed={(person, version_of(person, NONE_ERASED)) for person in persons})
    growth = Growth(log, codec, opener, len(rows))
    of_blocs = [pair for pair in zip(rows, recorded, strict=True) if _BLOC.search(pair[0]["body"])]
    begin = 0
    for _, together in groupby(of_blocs, key=lambda pair: pair[1].command_id):
        pairs = list(together)
        stored = tuple(_stored(row["type"], row["body"], each, codec) for row, each in pairs)
        command = _Command(stored, begin, keys.get(pairs[-1][1].position))
        growth.take(command, [each.position for _, each in pairs])
        begin += len(pairs)
    return growth


def _stored(name: str, body: bytes, recorded: AnyRecorded, codec: Codec) -> _Stored:
    pieces: list[bytes] = []
    differing: list[tuple[str, bytes]] = []
    at = 0
    for found in _DIFFERS.finditer(body):
        assert found.lastgroup is not None
        pieces.append(body[at : found.start()])
        differing.append((found.lastgroup, found.group()))
        at = found.end()
    tags = tuple(tag.encode() for tag in dict.fromkeys(recorded.event.tags()))
    personal = recorded if codec.persons_of(recorded.event) else None
    return _Stored(name, (*pieces, body[at:]), tuple(differing), tags, personal)


async def grow(
    root: "Connection", growth: Growth, frontier: Frontier, *, copies: int, say: Callable[[str], None]
) -> None:
    """Add the copies to the log, on the frontier of its head; move the head."""
    made = await _without_indexes(root)
    copying: asyncio.Task[None] | None = None
    total = frontier.size + copies * growth.events
    async for part in growth.parts(copies, frontier):
        if copying is not None:
            await copying
        copying = asyncio.create_task(_copied(root, part))
        say(f"{frontier.size} of {total} events")
    if copying is not None:
        await copying
    await root.execute(
        "UPDATE log_head SET position = $2, recorded_at = $3, frontier = $4, root = $5 WHERE province_id = $1",
        growth.province,
        frontier.size,
        utc_now(),
        frontier.peaks,
        frontier.root(),
    )
    for statement in made:
        say(statement)
        await root.execute(statement)
    await root.execute("VACUUM (ANALYZE) events, event_tags, idempotency, log_head")


async def _copied(root: "Connection", part: _Part) -> None:
    async def pieces(rows: bytearray) -> AsyncIterator[bytes]:
        for begin in range(0, len(rows), 1 << 18):
            yield bytes(rows[begin : begin + (1 << 18)])
        yield b"\xff\xff"

    for table, rows in part.rows.items():
        await root.copy_to_table(table, source=pieces(rows), format="binary")


async def _without_indexes(root: "Connection") -> list[str]:
    """Drop the indexes of the three tables; return the statements that make them again."""
    await root.execute("SET maintenance_work_mem = '1GB'")
    again: list[str] = []
    for table in _TABLES:
        keys: list[Any] = await root.fetch(
            "SELECT conname AS name, pg_get_constraintdef(oid) AS made FROM pg_constraint"
            " WHERE conrelid = $1::regclass AND contype = 'p'",
            table,
        )
        others: list[Any] = await root.fetch(
            "SELECT indexname AS name, indexdef AS made FROM pg_indexes WHERE schemaname = 'public' AND tablename = $1"
            " AND indexname <> ALL($2)",
            table,
            [key["name"] for key in keys],
        )
        again += [f"ALTER TABLE {table} ADD CONSTRAINT {key['name']} {key['made']}" for key in keys]
        again += [other["made"] for other in others]
        for key in keys:
            await root.execute(f"ALTER TABLE {table} DROP CONSTRAINT {key['name']}")
        for other in others:
            await root.execute(f"DROP INDEX {other['name']}")
    return again
