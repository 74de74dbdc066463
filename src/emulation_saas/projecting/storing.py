"""Documents, checkpoints, quarantine and snapshots as they lie in the database. Every call is within a transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.postgres.statements import load_statements
from emulation_saas.projecting.folding import NEVER, Documents, Folded, Poison, Stored
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.projecting.views import Scope

if TYPE_CHECKING:
    from asyncpg import Record

    from emulation_saas.postgres.database import Connection

STATEMENTS: Final = load_statements("emulation_saas.projecting")
WRITE_BYTES_MAX: Final = 8 * 1024 * 1024
"""Documents go to the database in parts of about this size."""

Checkpoints = dict[str, int]
"""How far projections are, by name."""


@dataclass(frozen=True, slots=True)
class Span:
    """Stored documents of a span of keys, and the position at which all of them are true."""

    checkpoint: int
    documents: Documents


class Store:
    """One province's documents, on a connection that is bound to it."""

    def __init__(self, connection: "Connection", province: ProvinceId) -> None:
        """Work on this connection, in its transaction."""
        self._connection = connection
        self._province = province

    async def checkpoints(self, projections: Iterable[AnyProjection], *, take: bool = False) -> Checkpoints:
        """Return how far projections are; those never built are missing.

        Args:
            projections: which ones.
            take: also hold them until the transaction ends; those that somebody else holds are missing, too.
        """
        statement = STATEMENTS["take_checkpoints" if take else "checkpoints_of"]
        rows = await self._connection.fetch(statement, self._province, *_named(projections))
        return {row["projection"]: row["position"] for row in rows}

    async def be_heard(self) -> None:
        """Say that this process is at work; one that then says nothing for 3 s loses its transaction to others."""
        await self._connection.execute(STATEMENTS["be_heard"])

    async def hold_checkpoint(self, projection: AnyProjection) -> int:
        """Wait for the checkpoint, hold it until the transaction ends, and return it; 0 when it was never built."""
        statement = STATEMENTS["hold_checkpoint"]
        position: int = await self._connection.fetchval(statement, self._province, projection.name, projection.version)
        return position

    async def move_checkpoints(self, projections: Iterable[AnyProjection], position: int) -> None:
        """Say that these projections are true at a position; those that are further stay."""
        await self._connection.execute(STATEMENTS["move_checkpoints"], self._province, *_named(projections), position)

    async def documents(self, wanted: Mapping[str, tuple[AnyProjection, set[str]]]) -> dict[str, Documents]:
        """Return stored documents by projection and key, ready to be folded on."""
        asked = [(projection, key) for projection, keys in wanted.values() for key in sorted(keys)]
        found: dict[str, Documents] = {name: {} for name in wanted}
        if asked:
            names, versions = _named(projection for projection, _ in asked)
            keys = [key for _, key in asked]
            rows = await self._connection.fetch(STATEMENTS["documents_at"], self._province, names, versions, keys)
            for row in rows:
                found[row["projection"]][row["key"]] = _folded(wanted[row["projection"]][0], row)
        return found

    async def span(self, projection: AnyProjection, scope: Scope) -> Span | None:
        """Return the documents of a span of keys; None where the projection was never built."""
        rows = await self._connection.fetch(
            STATEMENTS["documents_between"],
            self._province,
            projection.name,
            projection.version,
            scope.first,
            scope.last,
            scope.documents_max,
        )
        if not rows:
            return None
        found = {row["key"]: _folded(projection, row) for row in rows if row["key"] is not None}
        return Span(rows[0]["checkpoint"], found)

    async def store(self, documents: Sequence[tuple[AnyProjection, Stored]]) -> None:
        """Write documents, in place of those that are there."""
        for part in _parts(documents):
            names, versions = _named(projection for projection, _ in part)
            await self._connection.execute(
                STATEMENTS["store_documents"],
                self._province,
                names,
                versions,
                [stored.key for _, stored in part],
                [stored.position for _, stored in part],
                [stored.document for _, stored in part],
            )

    async def store_snapshots(self, projection: AnyProjection, snapshots: Sequence[Stored]) -> None:
        """Keep documents as of their positions."""
        for part in _parts([(projection, snapshot) for snapshot in snapshots]):
            await self._connection.execute(
                STATEMENTS["store_snapshots"],
                self._province,
                projection.name,
                projection.version,
                [stored.key for _, stored in part],
                [stored.position for _, stored in part],
                [stored.document for _, stored in part],
            )

    async def snapshots(self, projection: AnyProjection, scope: Scope, *, at: int) -> list[Stored]:
        """Return the newest snapshot of each document of a span, of a position or before."""
        rows = await self._connection.fetch(
            STATEMENTS["newest_snapshots"],
            self._province,
            projection.name,
            projection.version,
            scope.first,
            scope.last,
            at,
        )
        return [Stored(row["key"], row["position"], row["document"]) for row in rows]

    async def quarantine(self, poisons: Sequence[Poison]) -> None:
        """Record which documents stand still, and why."""
        await self._connection.execute(
            STATEMENTS["quarantine"],
            self._province,
            [poison.projection for poison in poisons],
            [poison.version for poison in poisons],
            [poison.key for poison in poisons],
            [poison.position for poison in poisons],
            [poison.reason for poison in poisons],
        )

    async def forget(self, projection: AnyProjection) -> None:
        """Remove the projection's documents, quarantine and snapshots; the checkpoint stays."""
        await self._connection.execute(
            STATEMENTS["forget_documents"], self._province, projection.name, projection.version
        )

    async def forget_versions_before(self, projection: AnyProjection, version: int) -> None:
        """Remove everything of earlier versions."""
        await self._connection.execute(STATEMENTS["forget_versions_before"], self._province, projection.name, version)


def _named(projections: Iterable[AnyProjection]) -> tuple[list[str], list[int]]:
    known = list(projections)
    return [projection.name for projection in known], [projection.version for projection in known]


def _folded(projection: AnyProjection, row: "Record") -> Folded[Any]:
    document = row["document"]
    return Folded(
        projection.initial() if document is None else projection.decode(document),
        position=row["position"],
        stored_at=row["position"],
        stopped_at=NEVER if row["stopped_at"] is None else row["stopped_at"],
        reason=row["reason"] or "",
    )


def _parts(documents: Sequence[tuple[AnyProjection, Stored]]) -> Iterable[Sequence[tuple[AnyProjection, Stored]]]:
    part: list[tuple[AnyProjection, Stored]] = []
    size = 0
    for each in documents:
        part.append(each)
        size += len(each[1].document)
        if size >= WRITE_BYTES_MAX:
            yield part
            part, size = [], 0
    if part:
        yield part
