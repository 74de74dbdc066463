"""Consumers: readers under a name of their own, whose place in the log the service keeps for them.

They are no facts of the province and stand in no log: a place moves with every page that is read, and nothing that was
decided rests on it. A consumer sees by the powers of whoever reads under its name, now. It belongs to the person who
made it; he and administrators may use it. Its name and its lag are told to overseers and integrators; all else is not.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.kernel.rejections import Conflict, Invalid, NotFound
from emulation_saas.postgres.database import Database
from emulation_saas.streams.cursors import STATEMENTS, Cursors
from emulation_saas.streams.refusals import CursorBeyondHead
from emulation_saas.streams.sights import Selection

if TYPE_CHECKING:
    from asyncpg import Record

CONSUMERS_MAX: Final = 20
"""Consumers that one person may have in a province."""


class NoSuchConsumer(NotFound):
    """There is no consumer of this name, or it is somebody else's."""

    code = "no-such-consumer"


class ConsumerExists(Conflict):
    """There is a consumer of this name already, which selects other events or is somebody else's."""

    code = "consumer-exists"


class TooManyConsumers(Conflict):
    """The person has as many consumers as one may have."""

    code = "too-many-consumers"


class StaleAck(Conflict):
    """The consumer does not stand where the acknowledgement says: another process reads under its name."""

    code = "stale-ack"


class AckGoesBack(Invalid):
    """An acknowledgement never goes back; seeking does."""

    code = "ack-goes-back"


@dataclass(frozen=True, slots=True)
class Consumer:
    """A reader whose place is kept."""

    name: str
    person: str
    selection: Selection
    position: int
    """Everything up to here has been acknowledged."""
    moved_at: datetime
    last_seen_at: datetime | None


class Consumers:
    """The consumers of all provinces."""

    def __init__(self, database: Database) -> None:
        """Keep them here."""
        self._database = database

    async def open(
        self, province: ProvinceId, name: str, *, may: Authority, selection: Selection, position: int
    ) -> Consumer:
        """Make a consumer that begins after a position; asked again, return it as it is.

        Raises:
            ConsumerExists: the name is taken.
            TooManyConsumers: the person has no more.
        """
        async with self._database.in_province(province) as connection:
            await connection.execute(
                STATEMENTS["open_consumer"],
                province,
                name,
                may.person,
                selection.types,
                selection.tags,
                position,
                CONSUMERS_MAX,
            )
            row = await connection.fetchrow(STATEMENTS["find_consumer"], province, name)
        if row is None:
            raise TooManyConsumers
        consumer = _consumer(row)
        if consumer.person != may.person or consumer.selection != selection:
            raise ConsumerExists
        return consumer

    async def find(self, province: ProvinceId, name: str, *, may: Authority) -> Consumer:
        """Return a consumer that somebody may use.

        Raises:
            NoSuchConsumer: there is none, or it is not his.
        """
        async with self._database.in_province(province) as connection:
            row = await connection.fetchrow(STATEMENTS["find_consumer"], province, name)
        if row is None or not (may.is_admin or row["person"] == may.person):
            raise NoSuchConsumer
        return _consumer(row)

    async def after(self, province: ProvinceId, name: str, *, may: Authority, limit: int) -> list[Consumer]:
        """Return those that somebody may use, by name, after a name."""
        whose = None if may.is_admin else may.person
        async with self._database.in_province(province) as connection:
            rows = await connection.fetch(STATEMENTS["consumers_after"], province, name, whose, limit)
        return [_consumer(row) for row in rows]

    async def seen(self, province: ProvinceId, name: str) -> None:
        """Note that it has just been used; what a crash forgets of that is of no account."""
        async with self._database.in_province_lazily(province) as connection:
            await connection.execute(STATEMENTS["see_consumer"], province, name)

    async def acknowledge(
        self, province: ProvinceId, name: str, *, may: Authority, expected: int, position: int, head: int
    ) -> Consumer:
        """Move a consumer forward from where it is thought to stand; asked again, nothing more happens.

        Raises:
            NoSuchConsumer: as `find`.
            CursorBeyondHead: the log has not come so far.
            AckGoesBack: it would move back.
            StaleAck: it stands elsewhere.
        """
        if position > head:
            raise CursorBeyondHead(f"the log stands at {head}")
        if position < expected:
            raise AckGoesBack
        await self.find(province, name, may=may)
        moved = await Cursors(self._database, province, "consumer").move(name, expected=expected, position=position)
        await self.seen(province, name)
        consumer = await self.find(province, name, may=may)
        if not moved and consumer.position != position:
            raise StaleAck(f"it stands at {consumer.position}")
        return consumer

    async def seek(self, province: ProvinceId, name: str, *, may: Authority, position: int) -> Consumer:
        """Have a consumer go on after another position, wherever it stands.

        Raises:
            NoSuchConsumer: as `find`.
        """
        cursors = Cursors(self._database, province, "consumer")
        while True:
            consumer = await self.find(province, name, may=may)
            if await cursors.move(name, expected=consumer.position, position=position):
                return await self.find(province, name, may=may)

    async def close(self, province: ProvinceId, name: str, *, may: Authority) -> Consumer:
        """Remove a consumer; return what it was.

        Raises:
            NoSuchConsumer: as `find`.
        """
        consumer = await self.find(province, name, may=may)
        async with self._database.in_province(province) as connection:
            await connection.execute(STATEMENTS["close_consumer"], province, name)
        return consumer


def _consumer(row: "Record") -> Consumer:
    return Consumer(
        name=row["name"],
        person=row["person"],
        selection=Selection(types=row["types"], tags=row["tags"]),
        position=row["position"],
        moved_at=row["moved_at"],
        last_seen_at=row["last_seen_at"],
    )
