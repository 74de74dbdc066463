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
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from struct import Struct
from typing import TYPE_CHECKING, Final, cast
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
"""The blocs of a history are numbered up to this; those of its next copy go on after it, up to 9999."""
PART_EVENTS: Final = 30_000
"""Events that come into the log at once, with the head that stands on them."""
_BLOC: Final = re.compile(rb"khoi-(\d{4})")
_DIFFERS: Final = re.compile(
    rb'(?<="commandid":")(?P<command>[0-9a-f-]{36})|(?<="causationid":")(?P<refers>\d+)|(?<="position":)(?P<names>\d+)|'
    rb'(?<="id":")(?P<id>\d+)|(?<="recordedtime":")(?P<recorded>[^"]+)|(?<="salt":")(?P<salt>[^"]+)|'
    rb'(?<="sequence":")(?P<sequence>\d+)'
)
_TABLES: Final = ("events", "event_tags", "idempotency")
_EPOCH: Final = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
_INT32, _INT64 = Struct(">i"), Struct(">q")
_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_PLACE: Final = b"<place!>"
"""Stands in rows for the eight bytes of a position."""


def _field(value: bytes) -> bytes:
    """Return a value as a binary COPY spells it."""
    return _INT32.pack(len(value)) + value


@dataclass(frozen=True)
class _Stored:
    """An event of the history: its bytes in pieces, between which stands what a copy has of its own."""

    type: bytes
    pieces: tuple[bytes, ...]
    differing: tuple[tuple[str, bytes], ...]
    tags: bytes
    """The rows of its tags, with `_PLACE` for the position."""
    personal: AnyRecorded | None
    """The event, where it has to be sealed anew for its place."""


@dataclass(frozen=True)
class _Command:
    """The events of one command about a bloc, and the row of the key under which it was entered."""

    stored: tuple[_Stored, ...]
    begin: int
    """How many events stand before it in the history of the blocs."""
    bloc: bytes
    key: bytes
    """Without the positions, which come last; empty where there was no key."""

    def renamed(self, copy: int) -> bytes:
        """Return the bloc's handle in a copy."""
        return b"khoi-%04d" % (int(self.bloc[-4:]) + copy * BLOCS_A_COPY)


@dataclass
class _Part:
    """Rows on their way into the tables, and where the log stands with them."""

    frontier: Frontier
    at: datetime
    rows: dict[str, list[bytes]] = field(default_factory=lambda: {table: [_HEADER] for table in _TABLES})


class Growth:
    """Makes the copies of one history."""

    def __init__(self, log: ProvinceLog, codec: Codec, opener: Opener, head: int) -> None:
        """Begin with no command of a history that ends at a head."""
        self.province = log.province
        self._codec = codec
        self._opener = opener
        self._head = head
        self._commands: list[_Command] = []
        self._at: dict[int, tuple[_Command, int]] = {}
        self._event = b"\0\6" + _field(log.province.bytes) + _INT32.pack(8)

    def take(self, command: _Command, positions: Sequence[int]) -> None:
        """Take in one more command, and where its events stood: others refer to them."""
        self._commands.append(command)
        self._at.update({position: (command, number) for number, position in enumerate(positions)})

    @property
    def events(self) -> int:
        """How many events one copy adds."""
        return sum(len(command.stored) for command in self._commands)

    def _position(self, command: _Command, number: int, copy: int, copies: int) -> int:
        return self._head + copies * command.begin + (copy - 1) * len(command.stored) + 1 + number

    async def parts(self, copies: int, frontier: Frontier) -> AsyncIterator[_Part]:
        """Give all rows of all copies that do not stand before the frontier, in the log's order, part by part."""
        assert max(int(command.bloc[-4:]) for command in self._commands) + copies * BLOCS_A_COPY <= 9999
        began, part, begin = utc_now(), _Part(frontier, utc_now()), frontier.size
        for number, command in enumerate(self._commands):
            if self._head + copies * command.begin < begin:
                continue
            part.at = began + timedelta(microseconds=number)
            for copy in range(1, copies + 1):
                self._write(part, command, copy, copies)
            if len(part.rows["events"]) > PART_EVENTS:
                yield replace(part, frontier=frontier.copy())
                part = _Part(frontier, part.at)
            await asyncio.sleep(0)  # the part before this is on its way
        yield replace(part, frontier=frontier.copy())

    def _write(self, part: _Part, command: _Command, copy: int, copies: int) -> None:
        own, bloc, renamed = str(uuid4()).encode(), command.bloc, command.renamed(copy)
        instant = _field(_INT64.pack((part.at - _EPOCH) // timedelta(microseconds=1)))
        recorded, frontier = spell_recorded(part.at).encode(), part.frontier
        first = frontier.size + 1
        assert first == self._position(command, 0, copy, copies)
        for stored in command.stored:
            position = frontier.size + 1
            if stored.personal is None:
                body = self._body(stored, copy, copies, position, own, recorded).replace(bloc, renamed)
            else:
                body = self._sealed(stored.personal, bloc, renamed, position, part.at)
            hashed, place = leaf_hash(body), _INT64.pack(position)
            frontier.append(hashed)
            row = (self._event, place, stored.type, instant, _INT32.pack(len(body)), body, b"\0\0\0\x20", hashed)
            part.rows["events"].append(b"".join(row))
            part.rows["event_tags"].append(stored.tags.replace(bloc, renamed).replace(_PLACE, place))
        if command.key:
            span = (_field(_INT64.pack(first)), _field(_INT64.pack(frontier.size)))
            part.rows["idempotency"].append(b"".join((command.key.replace(bloc, renamed), *span)))

    def _body(self, stored: _Stored, copy: int, copies: int, position: int, own: bytes, recorded: bytes) -> bytes:
        parts = [stored.pieces[0]]
        for (kind, told), piece in zip(stored.differing, stored.pieces[1:], strict=True):
            if kind == "id":
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
                parts.append(b"%d" % self._position(command, number, copy, copies))
            parts.append(piece)
        return b"".join(parts)

    def _sealed(self, recorded: AnyRecorded, bloc: bytes, renamed: bytes, position: int, at: datetime) -> bytes:
        kind = cast("type[Event]", type(recorded.event))
        event = msgspec.json.decode(msgspec.json.encode(recorded.event).replace(bloc, renamed), type=kind)
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


async def growth_of(root: "Connection", log: ProvinceLog, codec: Codec, keyring: Keyring) -> Growth:
    """Read the history of a province's blocs."""
    rows = await root.fetch(
        "SELECT position, type, body FROM events WHERE province_id = $1 ORDER BY position", log.province
    )
    keys = {
        row["last_position"]: b"\0\6"
        + b"".join(map(_field, (log.province.bytes, row["actor"].encode(), row["key"].encode(), row["fingerprint"])))
        for row in await root.fetch("SELECT * FROM idempotency WHERE province_id = $1", log.province)
    }
    recorded = await log.recorded()
    persons = {person for each in recorded for person in codec.persons_of(each.event)}
    opener = await keyring.opener(needed={(person, version_of(PersonId(person), NONE_ERASED)) for person in persons})
    growth = Growth(log, codec, opener, len(rows))
    of_blocs = [pair for pair in zip(rows, recorded, strict=True) if _BLOC.search(pair[0]["body"])]
    begin = 0
    for _, together in groupby(of_blocs, key=lambda pair: pair[1].command_id):
        pairs = list(together)
        stored = tuple(_stored(log, row["type"], row["body"], each, codec) for row, each in pairs)
        (bloc,) = {found.group() for row, _ in pairs for found in _BLOC.finditer(row["body"])}
        command = _Command(stored, begin, bloc, keys.get(pairs[-1][1].position, b""))
        growth.take(command, [each.position for _, each in pairs])
        begin += len(pairs)
    return growth


def _stored(log: ProvinceLog, name: str, body: bytes, recorded: AnyRecorded, codec: Codec) -> _Stored:
    pieces: list[bytes] = []
    differing: list[tuple[str, bytes]] = []
    at = 0
    for found in _DIFFERS.finditer(body):
        assert found.lastgroup is not None
        pieces.append(body[at : found.start()])
        differing.append((found.lastgroup, found.group()))
        at = found.end()
    kind = _field(name.encode())
    tags = b"".join(
        b"\0\4" + _field(log.province.bytes) + _field(tag.encode()) + _field(_PLACE) + kind
        for tag in dict.fromkeys(recorded.event.tags())
    )
    personal = recorded if codec.persons_of(recorded.event) else None
    return _Stored(kind, (*pieces, body[at:]), tuple(differing), tags, personal)


async def grow(
    root: "Connection", growth: Growth, frontier: Frontier, *, copies: int, say: Callable[[str], None]
) -> None:
    """Add the copies that are not there to the log, on the frontier of its head. A part is in it wholly or not."""
    copying: asyncio.Task[None] | None = None
    async for part in growth.parts(copies, frontier):
        if copying is not None:
            await copying
        copying = asyncio.create_task(_copied(root, growth, part))
        say(f"{part.frontier.size} events")
    if copying is not None:
        await copying


async def _copied(root: "Connection", growth: Growth, part: _Part) -> None:
    async def pieces(rows: list[bytes]) -> AsyncIterator[bytes]:
        for begin in range(0, len(rows), 300):
            yield b"".join(rows[begin : begin + 300])
        yield b"\xff\xff"

    async with root.transaction():
        for table, rows in part.rows.items():
            await root.copy_to_table(table, source=pieces(rows), format="binary")
        await root.execute(
            "UPDATE log_head SET position = $2, recorded_at = $3, frontier = $4, root = $5 WHERE province_id = $1",
            growth.province,
            part.frontier.size,
            part.at,
            part.frontier.peaks,
            part.frontier.root(),
        )


async def indexes(root: "Connection") -> dict[str, tuple[str, str]]:
    """Return the indexes of the tables that grow: by name, how each is dropped and made."""
    keys = await root.fetch(
        "SELECT conrelid::regclass::text AS of, conname AS name, pg_get_constraintdef(oid) AS made FROM pg_constraint"
        " WHERE conrelid = ANY($1::regclass[]) AND contype = 'p'",
        list(_TABLES),
    )
    others = await root.fetch(
        "SELECT indexname AS name, indexdef AS made FROM pg_indexes WHERE schemaname = 'public'"
        " AND tablename = ANY($1) AND indexname <> ALL($2)",
        list(_TABLES),
        [key["name"] for key in keys],
    )
    return {
        key["name"]: (
            f"ALTER TABLE {key['of']} DROP CONSTRAINT {key['name']}",
            f"ALTER TABLE {key['of']} ADD CONSTRAINT {key['name']} {key['made']}",
        )
        for key in keys
    } | {other["name"]: (f"DROP INDEX {other['name']}", other["made"]) for other in others}
