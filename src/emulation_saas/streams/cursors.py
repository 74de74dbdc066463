"""Cursors: how far everybody has come to whom events are sent, a row each.

A cursor moves by compare-and-set, so two who think it stands in different places cannot both move it. What the service
sends by itself is sent by one process at a time: it holds the cursor for a while, and holds it again while it works;
another process takes over once that time is up.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal
from uuid import UUID

from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.postgres.database import Database
from emulation_saas.postgres.statements import load_statements

if TYPE_CHECKING:
    from asyncpg import Record

STATEMENTS: Final = load_statements("emulation_saas.streams")

Kind = Literal["bridge", "consumer", "webhook"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where somebody stands: every event up to the position has been taken."""

    name: str
    position: int
    moved_at: datetime


class Cursors:
    """The cursors of one kind in one province."""

    def __init__(self, database: Database, province: ProvinceId, kind: Kind) -> None:
        """Read and move them here."""
        self._database = database
        self._of = (province, kind)
        self._province = province

    async def open(self, name: str, *, position: int) -> bool:
        """Make a cursor; False when there is one of that name already, which stays where it is."""
        return await self._row("open_cursor", name, position) is not None

    async def close(self, name: str) -> None:
        """Remove a cursor, if it is there."""
        await self._row("close_cursor", name)

    async def find(self, name: str) -> Cursor | None:
        """Return a cursor."""
        return _cursor(await self._row("find_cursor", name))

    async def all(self) -> list[Cursor]:
        """Return all cursors of the kind, by name."""
        async with self._database.in_province(self._province) as connection:
            rows = await connection.fetch(STATEMENTS["cursors_of_kind"], *self._of)
        return [Cursor(*row) for row in rows]

    async def move(self, name: str, *, expected: int, position: int) -> bool:
        """Move a cursor, forward or back; False when it does not stand where it was thought to."""
        return await self._row("move_cursor", name, expected, position) is not None

    async def hold(self, name: str, holder: UUID, *, held_for: timedelta) -> Cursor | None:
        """Take a cursor, or keep it longer; None while another process holds it, or when there is none."""
        return _cursor(await self._row("hold_cursor", name, holder, held_for))

    async def move_held(self, name: str, holder: UUID, *, expected: int, position: int) -> bool:
        """Move a cursor as its holder; False when it is no longer held, or does not stand where it was thought to."""
        return await self._row("move_held_cursor", name, expected, position, holder) is not None

    async def let_go(self, name: str, holder: UUID) -> None:
        """Let another process take a cursor at once."""
        await self._row("let_go_cursor", name, holder)

    async def _row(self, statement: str, name: str, *values: object) -> "Record | None":
        async with self._database.in_province(self._province) as connection:
            return await connection.fetchrow(STATEMENTS[statement], *self._of, name, *values)


def _cursor(row: "Record | None") -> Cursor | None:
    return None if row is None else Cursor(*row)
