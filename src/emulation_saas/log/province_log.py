"""The province's log as everything else knows it: execute a use case, read, follow."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any, Final

from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBSequencedEvent

from emulation_saas.kernel.authority import Authority, operator
from emulation_saas.kernel.clock import day_of
from emulation_saas.kernel.events import AnyRecorded, Event, Visibility
from emulation_saas.kernel.ids import OPERATOR, PersonId, ProvinceId
from emulation_saas.kernel.numbers import INTEGER_MAX
from emulation_saas.kernel.use_cases import Acting, Selector, UseCase
from emulation_saas.log.accepted import Accepted
from emulation_saas.log.codec import Codec
from emulation_saas.log.committer import Committer
from emulation_saas.log.conditional import append_on_condition, items_of_query
from emulation_saas.log.powers import AuthorityFold
from emulation_saas.log.reading import GRAINS, NO_LIMIT, STATEMENTS, Entry, Head
from emulation_saas.log.spelling import event_of
from emulation_saas.log.tree import Tree
from emulation_saas.log.waking import Waker
from emulation_saas.postgres.database import Database

PAGE_MAX: Final = 5_000
"""Events that a follower is given at a time."""


class ProvinceLog:
    """One province's log in this process. Nothing here can name another province."""

    def __init__(
        self,
        province: ProvinceId,
        handle: str,
        *,
        database: Database,
        codec: Codec,
        committer: Committer,
        fold: AuthorityFold,
        waker: Waker,
        clock: Callable[[], datetime],
    ) -> None:
        """Bind everything to one province."""
        self.province = province
        self.handle = handle
        self._database = database
        self._codec = codec
        self._committer = committer
        self._fold = fold
        self._clock = clock
        self._reader = committer.reader
        self._waker = waker
        self.tree = Tree(database, province)
        self._powers = frozenset(name for fact in fold.reads for name in codec.registry.names_of(fact))

    async def execute(self, use_case: UseCase[Any], *, by: Acting) -> Accepted:
        """Decide a use case on the newest head; return once what happened is durable.

        Raises:
            Rejection: refused, and nothing recorded.
            OutcomeUnknownError: the database failed; the same request with its key settles it.
        """
        return await self._committer.execute(use_case, by)

    @property
    def queued(self) -> int:
        """How many commands wait in this process to be decided."""
        return self._committer.queued

    @property
    def known_head(self) -> int:
        """Where the log stood when this process last heard of it."""
        return self._waker.known_head(self.province)

    async def person_of(self, issuer: str, sub: str) -> PersonId | None:
        """Return the person bound to a token. Somebody not found is looked for again on the newest head."""
        person = (await self._committer.directory()).person_of(issuer, sub)
        if person is None:
            person = (await self._committer.directory(is_newest=True)).person_of(issuer, sub)
        return person

    async def authority(self, person: PersonId, *, is_newest: bool = False, min_position: int = 0) -> Authority:
        """Return what a person may do, as of a moment ago; somebody without a role is looked for on the newest head.

        Args:
            person: who.
            is_newest: demand it as of now.
            min_position: demand it as of this position, as far as the log goes.
        """
        if person == OPERATOR:
            return operator()
        today = day_of(self._clock())
        directory = await self._committer.directory(is_newest=is_newest, min_position=min_position)
        authority = directory.authority_of(person, on=today)
        if not authority.known and not is_newest:
            authority = (await self._committer.directory(is_newest=True)).authority_of(person, on=today)
        return authority

    async def authorities_at(self, acts: Collection[tuple[int, PersonId]]) -> dict[tuple[int, PersonId], Authority]:
        """Return what persons might do when they acted: as the log stood before each position, on the day it came."""
        if not acts:
            return {}
        async with self._database.in_province(self.province) as connection:
            rows = await connection.fetch(STATEMENTS["recorded_at"], self.province, [position for position, _ in acts])
        came, today = {row["position"]: day_of(row["recorded_at"]) for row in rows}, day_of(self._clock())
        through = max(position for position, _ in acts)
        return await self._fold.authorities_at(
            {act: came.get(act[0], today) for act in acts}, lambda wanted: self.recorded(wanted, through=through)
        )

    async def kids_of(self, person: PersonId) -> list[str]:
        """Return the ids of the personal keys that a person has now."""
        return await self._committer.keyring.kids_of(person)

    async def derived_key(self, purpose: str) -> bytes:
        """Return 32 bytes that only this province's key gives, for a purpose other than sealing."""
        return await self._committer.keyring.derived(purpose)

    async def finish_erasures(self) -> None:
        """Destroy every personal key that a recorded erasure has put an end to."""
        directory = await self._committer.directory(is_newest=True)
        await self._committer.keyring.destroy(directory.erasures)

    async def head(self) -> Head:
        """Return where the log stands."""
        async with self._database.in_province(self.province) as connection:
            return await self._reader.head(connection)

    async def root(self, position: int) -> bytes:
        """Return the root of the log's Merkle tree as of a position; 0 is the empty tree's.

        Raises:
            SizeBeyondHead: the log has not reached it.
        """
        return await self.tree.root(position)

    async def position_at(self, instant: datetime) -> int:
        """Return the last position recorded at or before an instant; 0 when there is none."""
        async with self._database.in_province(self.province) as connection:
            position: int = await connection.fetchval(STATEMENTS["position_at"], self.province, instant)
            return position

    async def recorded(
        self,
        selectors: Sequence[Selector] = (),
        *,
        after: int = 0,
        through: int | None = None,
        limit: int | None = None,
    ) -> list[AnyRecorded]:
        """Return events in order: those that a selector finds, or all when there is none.

        Args:
            selectors: what to look for.
            after: the position to begin after.
            through: the last position wanted; None: as far as the log goes.
            limit: at most this many.

        Raises:
            LogGapError: reading all, a position was missing.
        """
        last = NO_LIMIT if through is None else through
        most = NO_LIMIT if limit is None else limit
        async with self._database.in_province(self.province) as connection:
            if selectors:
                items = self._reader.items_of(selectors)
                rows = await self._reader.matching(connection, items, after, through=last, limit=most)
            else:
                rows = await self._reader.after(connection, after, through=last, limit=most)
        return await self._reader.recorded(rows)

    async def at(self, positions: Iterable[int]) -> list[AnyRecorded]:
        """Return the events at these positions, in order; those that do not exist are missing."""
        wanted = sorted({position for position in positions if position <= INTEGER_MAX})
        async with self._database.in_province(self.province) as connection:
            rows = await connection.fetch(STATEMENTS["events_at"], self.province, wanted)
        return await self._reader.recorded(rows)

    def event_of(self, name: str, data: Mapping[str, Any]) -> Event:
        """Return the event that a type's name and data spell, as it would be written; see `spelling`."""
        return event_of(self._codec, name, data)

    async def entries(
        self, *, after: int, through: int, limit: int = PAGE_MAX, bytes_max: int = NO_LIMIT
    ) -> list[Entry]:
        """Return what is stored of the events that follow a position, in order: bytes and leaf hashes.

        Args:
            after: the position to begin after.
            through: the last position wanted.
            limit: at most this many.
            bytes_max: they end with the one that reaches it.

        Raises:
            LogGapError: a position is missing.
        """
        async with self._database.in_province(self.province) as connection:
            return await self._reader.entries(connection, after, through=through, limit=limit, bytes_max=bytes_max)

    async def lines(self, *, after: int, through: int) -> AsyncGenerator[tuple[int, bytes]]:
        """Yield the bytes of the events that follow a position, a line each, in parts, each with its last position.

        The database joins them: for who may see all of them, this is several times faster than `entries`. A part has
        800 KiB at most. It holds a connection until it is closed.

        Raises:
            LogGapError: a position is missing.
        """
        async with (
            self._database.in_province(self.province) as connection,
            aclosing(self._reader.lines(connection, after, through=through, grains=GRAINS)) as parts,
        ):
            async for part in parts:
                yield part

    def visibility_of(self, name: str) -> Visibility:
        """Return how visible the events of a type are; those of types of a later release count as sealed."""
        entry = self._codec.registry.find(name)
        return Visibility.SEALED if entry is None else entry.event_type.visibility

    def knows(self, name: str) -> bool:
        """Tell whether this release knows a type; of others it cannot tell who may see their events."""
        return self._codec.registry.find(name) is not None

    def changes_powers(self, name: str) -> bool:
        """Tell whether events of a type may change what somebody may do."""
        return name in self._powers

    async def types_between(self, first: int, last: int) -> set[str]:
        """Return the types of the events of a span."""
        async with self._database.in_province(self.province) as connection:
            rows = await connection.fetch(STATEMENTS["types_between"], self.province, first, last)
        return {row["type"] for row in rows}

    async def visibilities(self, first: int, last: int) -> set[Visibility]:
        """Return how visible the events of a span are."""
        return {self.visibility_of(name) for name in await self.types_between(first, last)}

    def closed(self, entry: Entry) -> AnyRecorded:
        """Return the event of an entry with its personal fields left sealed, for who asks only who may see it."""
        return self._reader.closed(entry)

    async def past(self, position: int) -> int:
        """Wait until the log's head lies past a position; return the head."""
        return await self._waker.past(self.province, position)

    async def tail(self, after: int) -> AsyncIterator[list[AnyRecorded]]:
        """Follow the log for ever: every event after a position once, in order, in pages as they come."""
        position = after
        while True:
            await self.past(position)
            page = await self.recorded(after=position, limit=PAGE_MAX)
            if page:
                position = page[-1].position
                yield page

    async def read(
        self, query: DCBQuery | None = None, *, after: int | None = None, limit: int | None = None
    ) -> tuple[list[DCBSequencedEvent], int | None]:
        """Return stored events as the library's recorders do, and the head (with a limit, the last one returned).

        An event's `data` are its stored bytes.
        """
        most = NO_LIMIT if limit is None else limit
        async with self._database.in_province(self.province) as connection:
            head = (await self._reader.head(connection)).position
            items = items_of_query(query)
            rows = await self._reader.matching(connection, items, after or 0, through=head, limit=most)
        events = [
            DCBSequencedEvent(DCBEvent(row["type"], row["body"], recorded.event.tags()), row["position"])
            for row, recorded in zip(rows, await self._reader.recorded(rows), strict=True)
        ]
        if limit is None:
            return events, head
        return events, events[-1].position if events else None

    async def append(
        self, events: Sequence[DCBEvent], condition: DCBAppendCondition | None = None, *, by: Acting
    ) -> int:
        """Append events whose `data` is their canonical JSON, unless the condition fails; return the last position.

        An idempotency key plays no part in it.

        Raises:
            IntegrityError: an event after the condition's position matches its query.
            ProgrammingError: no event was given, or one is of no registered type or shape.
            Rejection: an event cannot be written.
            OutcomeUnknownError: the database failed; the condition makes asking again safe.
        """
        return await append_on_condition(self._committer, self._codec, events, condition, by=by)
