"""Reading a province's events: by place, or by the tags and types that a selector names."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.log.codec import EVENT_BYTES_MAX, TAG, Codec
from emulation_saas.log.faults import LogGapError
from emulation_saas.log.keyring import Keyring
from emulation_saas.log.sealing import Opener
from emulation_saas.postgres.statements import load_statements

if TYPE_CHECKING:
    from asyncpg import Record

    from emulation_saas.postgres.database import Connection

STATEMENTS: Final = load_statements("emulation_saas.log")
NO_LIMIT: Final = 2**62
SLICE: Final = 1_000
"""Events decoded before others have their turn: some milliseconds."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a log stands: the position, when it was recorded, and the root of the tree of that size."""

    position: int
    recorded_at: datetime
    root: bytes
    frontier: bytes
    clock: datetime = field(compare=False)
    """The database's clock when this was read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it is stored: its bytes, and the hash that stands for them in the tree."""

    position: int
    type: str
    recorded_at: datetime
    body: bytes
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class Item:
    """One alternative of a query: all of these tags, and one of these type names where there are any."""

    tags: frozenset[str]
    types: frozenset[str]


@dataclass(frozen=True, slots=True)
class Grain:
    """How lines are read: in blocks of so many events, and so many blocks at once, where no event is larger."""

    events: int
    event_bytes_max: int
    blocks_at_once: int


GRAINS: Final = (
    Grain(events=200, event_bytes_max=4 * 1024, blocks_at_once=12),
    Grain(events=8, event_bytes_max=EVENT_BYTES_MAX, blocks_at_once=1),
)
"""From coarse to fine. Usually 128 KiB a block, at most 800: beyond that the database's allocator costs more than the
joining saves."""


class Reader:
    """Reads one province's events on a connection that is bound to it."""

    def __init__(self, province: ProvinceId, codec: Codec, keyring: Keyring) -> None:
        """Read this province, opening personal fields with its keys."""
        self._province = province
        self._codec = codec
        self._keyring = keyring

    async def head(self, connection: "Connection", *, lock: bool = False) -> Head:
        """Return where the log stands; with `lock`, nobody else appends until the transaction ends."""
        row = await connection.fetchrow(STATEMENTS["lock_head" if lock else "head"], self._province)
        if row is None:
            msg = f"province {self._province} has no log"
            raise LogGapError(msg)
        return Head(row["position"], row["recorded_at"], row["root"], row["frontier"], row["clock"])

    async def after(
        self, connection: "Connection", position: int, *, through: int = NO_LIMIT, limit: int = NO_LIMIT
    ) -> list["Record"]:
        """Return the rows (position, type, body) that follow, in order.

        Raises:
            LogGapError: a position is missing.
        """
        rows = await connection.fetch(STATEMENTS["events_after"], self._province, position, through, limit)
        self._demand_gapless(rows, position)
        return rows

    async def entries(
        self, connection: "Connection", position: int, *, through: int, limit: int, bytes_max: int
    ) -> list[Entry]:
        """Return what is stored of the events that follow, in order, until one reaches so many bytes.

        Raises:
            LogGapError: a position is missing.
        """
        rows = await connection.fetch(STATEMENTS["entries_after"], self._province, position, through, limit, bytes_max)
        self._demand_gapless(rows, position)
        return [Entry(*row) for row in rows]

    async def lines(
        self, connection: "Connection", position: int, *, through: int, grains: Sequence[Grain]
    ) -> AsyncGenerator[tuple[int, bytes]]:
        """Yield the bytes of the events that follow, a line each, in parts, each with the position of its last.

        A block in which an event is too large for the first grain is read in the next.

        Raises:
            LogGapError: a position is missing.
        """
        grain, *finer = grains
        blocks = connection.cursor(
            STATEMENTS["lines_after"],
            self._province,
            position,
            through,
            grain.events,
            grain.event_bytes_max,
            prefetch=grain.blocks_at_once,
        )
        async for events, last, lines in blocks:
            if last != position + events:
                msg = f"province {self._province}: after {position} a position is missing"
                raise LogGapError(msg)
            if lines is None:
                async with aclosing(self.lines(connection, position, through=last, grains=finer)) as parts:
                    async for part in parts:
                        yield part
            else:
                yield last, lines + b"\n"
            position = last

    def closed(self, entry: Entry) -> AnyRecorded:
        """Return the event of an entry with its personal fields left sealed: None in each of them."""
        return self._codec.decode(entry.type, entry.body, Opener(self._province, {}, {}))

    def _demand_gapless(self, rows: Sequence["Record"], position: int) -> None:
        """Refuse rows that do not follow a position one by one; the last one alone tells, as they are in order."""
        if rows and rows[-1]["position"] != position + len(rows):
            last, came = next(
                (at, row["position"]) for at, row in enumerate(rows, position) if row["position"] != at + 1
            )
            msg = f"province {self._province}: after {last} came {came}"
            raise LogGapError(msg)

    async def matching(
        self, connection: "Connection", items: Sequence[Item], position: int, *, through: int, limit: int = NO_LIMIT
    ) -> list["Record"]:
        """Return the rows after a position that match one of the items, in order."""
        tag_items: list[int] = []
        tags: list[str] = []
        type_items: list[int] = []
        types: list[str] = []
        for number, item in enumerate(items):
            if not all(TAG.fullmatch(tag) for tag in item.tags):
                continue  # no event bears such a tag, and the database could not even be asked for some
            if not item.tags and not item.types:
                return await self.after(connection, position, through=through, limit=limit)
            tag_items += [number] * len(item.tags)
            tags += item.tags
            type_items += [number] * len(item.types)
            types += item.types
        if not tag_items and not type_items:
            return []
        # A plan for all values is kept until there are new statistics, and one made while the log was small takes
        # seconds once it has been filled. Said here and not for all statements: the others are as well off with theirs.
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        return await connection.fetch(
            STATEMENTS["events_matching"], self._province, position, through, tag_items, tags, type_items, types, limit
        )

    def items_of(self, selectors: Sequence[Selector]) -> list[Item]:
        """Return the alternatives that selectors name, with the stored names of all shapes of their types."""
        names_of = self._codec.registry.names_of
        return [
            Item(frozenset(selector.tags), frozenset(name for type_ in selector.types for name in names_of(type_)))  # type: ignore[arg-type] # the library's Selector takes any Decision; ours are Events
            for selector in selectors
        ]

    async def recorded(self, rows: Sequence["Record"]) -> list[AnyRecorded]:
        """Return the events of rows, their personal fields opened as far as there are keys; many give way to others."""
        plain = self._codec.registry.plain_decoders
        pairs = [(row["type"], row["body"]) for row in rows]
        kids = {kid for name, body in pairs if name not in plain for kid in self._codec.kids_of(name, body)}
        opener = await self._keyring.opener(kids=kids) if kids else None
        events: list[AnyRecorded] = []
        for begin in range(0, len(pairs), SLICE):
            if begin:
                await asyncio.sleep(0)
            events += [
                plain[name](body) if name in plain else self._codec.decode(name, body, opener)
                for name, body in pairs[begin : begin + SLICE]
            ]
        return events
