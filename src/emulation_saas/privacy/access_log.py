"""Who read personal data, and what auditors read: a line each, added before the answer is sent, outside the tree.

Lines are in the order of the database's clock. A day's digest is the SHA-256, in hex, over its lines in that order: of
each the canonical JSON as `Line` spells it (keys sorted, no spaces, UTF-8, what is unknown left out, the instant in UTC
with six fraction digits), followed by one line feed. It is what the pages of the log give, entry by entry.
"""

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID, uuid4

import msgspec
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.http.reads import Read
from emulation_saas.kernel.clock import spell_recorded
from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.log import ProvinceLogs
from emulation_saas.postgres.database import Database
from emulation_saas.postgres.statements import load_statements

if TYPE_CHECKING:
    from asyncpg import Record

SETTLED_AFTER: Final = timedelta(minutes=5)
"""After midnight. A line is written within half a minute of the instant that it bears, or not at all."""
BATCH: Final = 5_000
"""Lines read at a time while a day is digested."""

_STATEMENTS: Final = load_statements("emulation_saas.privacy")
_encode: Final = msgspec.json.Encoder(order="sorted").encode
_BEGINNING: Final = (datetime.min.replace(tzinfo=UTC), UUID(int=0))

Place = tuple[datetime, UUID]
"""Where a line stands in its day."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One read."""

    as_of: str | UnsetType = UNSET
    """Which past was asked for."""
    at: str
    entry: UUID
    person: Annotated[str, Meta(description="Who read")]
    position: int | UnsetType = UNSET
    """At which the answer was true."""
    reason: Annotated[
        str, Meta(description="Why it is on record: `access-log`, `auditor`, `names`", examples=["names"])
    ]
    request: Annotated[str, Meta(description="Method and path, behind a `?` what was asked about")]

    @property
    def place(self) -> Place:
        """Where it stands in its day."""
        return datetime.fromisoformat(self.at), self.entry


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """What a day's lines come to."""

    entries: int
    sha256: str


class AccessLog:
    """The access logs of all provinces."""

    def __init__(self, logs: ProvinceLogs, database: Database) -> None:
        """Find provinces by these logs, write and read here."""
        self._logs = logs
        self._database = database

    async def record(self, read: Read) -> None:
        """Add a line; return once it is durable.

        Raises:
            LookupError: there is no such province.
            asyncpg.PostgresError, OSError: it could not be written.
        """
        log = await self._logs.find(read.province)
        if log is None:
            raise LookupError(read.province)
        async with self._database.in_province(log.province) as connection:
            await connection.execute(
                _STATEMENTS["record_read"],
                log.province,
                uuid4(),
                read.person,
                read.request,
                read.as_of,
                read.position,
                read.reason,
            )

    async def lines(self, province: ProvinceId, day: date, *, after: Place | None, limit: int) -> list[Line]:
        """Return lines of a day, in order, after a place."""
        at, entry = after or _BEGINNING
        async with self._database.in_province(province) as connection:
            rows = await connection.fetch(_STATEMENTS["reads_of_day"], province, day, at, entry, limit)
        return [_line(row) for row in rows]

    async def digest(self, province: ProvinceId, day: date) -> Digest:
        """Return what the lines of a day come to, as they are stored now."""
        digest, entries = hashlib.sha256(), 0
        async for line in self._all(province, day):
            digest.update(_encode(line) + b"\n")
            entries += 1
        return Digest(entries=entries, sha256=digest.hexdigest())

    async def next_finished_day(
        self, province: ProvinceId, *, after: date, settled: timedelta = SETTLED_AFTER
    ) -> date | None:
        """Return the first day after another that has lines and to which none can be added any more."""
        async with self._database.in_province(province) as connection:
            day: date | None = await connection.fetchval(_STATEMENTS["next_finished_day"], province, after, settled)
            return day

    async def _all(self, province: ProvinceId, day: date) -> AsyncIterator[Line]:
        after: Place | None = None
        while lines := await self.lines(province, day, after=after, limit=BATCH):
            for line in lines:
                yield line
            after = lines[-1].place


def _line(row: "Record") -> Line:
    return Line(
        as_of=UNSET if row["as_of"] is None else row["as_of"],
        at=spell_recorded(row["at"]),
        entry=row["entry_id"],
        person=row["person"],
        position=UNSET if row["position"] is None else row["position"],
        reason=row["reason"],
        request=row["request"],
    )
