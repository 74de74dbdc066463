"""The log's Merkle tree as of any size: roots and proofs (RFC 6962, section 2.1), from tiles kept in the database.

A tile is a run of 256 hashes of one level (C2SP tlog-tiles): at level 0 those of 256 leaves, above the roots of 256
tiles of the level below. Appends write none. Whoever first needs a complete tile that is not there computes it from the
leaf hashes and keeps it; a level's tiles are built from the first one on, so its newest tells which there are.

Each question is asked twice: first to learn which hashes it needs, which are then read in one statement, then in
earnest.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.kernel.rejections import Invalid
from emulation_saas.log.faults import LogGapError
from emulation_saas.log.frontier import HASH_BYTES
from emulation_saas.log.merkle import (
    TILE_BITS,
    TILE_HASHES,
    Hashes,
    consistency_path,
    folded,
    inclusion_path,
    peaks,
    subtree_root,
)
from emulation_saas.log.reading import STATEMENTS
from emulation_saas.postgres.database import Database

if TYPE_CHECKING:
    from emulation_saas.postgres.database import Connection

_TILES_AT_ONCE: Final = 32
"""Built in one statement: some 6 ms of hashing, in which the process does nothing else."""
_SIZE_MAX: Final = 2**53
"""Beyond what any log will hold, and within what the database can be asked for."""
Answer = TypeVar("Answer")
_Run = tuple[int, int, int]


class SizeBeyondHead(Invalid):
    """The log has not reached this size."""

    code = "size-beyond-head"


class SizesOutOfOrder(Invalid):
    """The first size is larger than the second, or a position lies beyond the size."""

    code = "sizes-out-of-order"


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A leaf, the hashes that lead from it to the root, nearest first, and the root."""

    leaf_hash: bytes
    path: list[bytes]
    root: bytes


class Tree:
    """One province's tree. Sizes are numbers of leaves: the tree of size p is that of position p."""

    def __init__(self, database: Database, province: ProvinceId) -> None:
        """Read and keep tiles here."""
        self._database = database
        self._province = province

    async def root(self, size: int) -> bytes:
        """Return the root of the tree of the first `size` leaves; that of the empty tree is the hash of nothing.

        Raises:
            SizeBeyondHead: there are not so many leaves.
        """
        return await self._answered(size, lambda get: subtree_root(get, 0, size))

    async def inclusion(self, position: int, size: int) -> Inclusion:
        """Return what shows that the leaf at a position, 1-based, is in the tree of a size.

        Raises:
            SizesOutOfOrder: the position is not among the first `size`.
            SizeBeyondHead: there are not so many leaves.
        """
        if not 1 <= position <= size:
            raise SizesOutOfOrder

        def ask(get: Hashes) -> Inclusion:
            index = position - 1
            return Inclusion(get(0, index, 1)[0], inclusion_path(get, index, 0, size), subtree_root(get, 0, size))

        return await self._answered(size, ask)

    async def consistency(self, first: int, second: int) -> list[bytes]:
        """Return the hashes that show the tree of the first size to be the beginning of that of the second.

        Raises:
            SizesOutOfOrder: the first size is larger, or 0, from which everything follows.
            SizeBeyondHead: there are not so many leaves.
        """
        if not 1 <= first <= second:
            raise SizesOutOfOrder
        return await self._answered(second, lambda get: consistency_path(get, first, second))

    async def peaks(self, size: int) -> bytes:
        """Return the frontier of the tree of a size: roots of its full subtrees, largest first, concatenated.

        Raises:
            SizeBeyondHead: there are not so many leaves.
        """
        return await self._answered(size, lambda get: b"".join(peaks(get, size)))

    async def hashes(self, level: int, first: int, count: int) -> bytes:
        """Return neighbouring hashes of one tile, concatenated; none of them spans past the last leaf.

        Raises:
            SizeBeyondHead: one does.
        """
        size = (first + count) << (TILE_BITS * level)
        return await self._answered(size, lambda get: b"".join(get(level, first, count)))

    async def grow(self, size: int) -> None:
        """Build every tile that is complete at a size and not there yet.

        Raises:
            SizeBeyondHead: there are not so many leaves.
        """
        async with self._database.in_province_lazily(self._province) as connection:
            await self._build(connection, size)

    async def _answered(self, size: int, ask: Callable[[Hashes], Answer]) -> Answer:
        if size == 0:
            return ask(_nothing)
        if size > _SIZE_MAX:
            raise SizeBeyondHead
        wanted = {(0, size - 1, 1)}  # whatever is asked, the last leaf must be there

        def note(level: int, first: int, count: int) -> list[bytes]:
            wanted.add((level, first, count))
            return [b""]

        ask(note)
        async with self._database.in_province(self._province) as connection:
            found = await self._read(connection, wanted, size)
            if not found.has(wanted):
                await self._build(connection, size)
                found = await self._read(connection, wanted, size)
            if not found.has(wanted):
                await self._demand_reached(connection, size)
        return ask(found.hashes)

    async def _read(self, connection: "Connection", wanted: Iterable[_Run], size: int) -> "_Found":
        """Read complete tiles whole, and of the last tile of each level, which is not, what is wanted."""
        tiles: set[tuple[int, int]] = set()
        parts: dict[int, tuple[int, int]] = {}
        for level, first, count in wanted:
            tile = first // TILE_HASHES
            if (tile + 1) * TILE_HASHES << (TILE_BITS * level) <= size:
                tiles.add((level, tile))
            else:
                begin, end = parts.get(level, (first, first))
                parts[level] = min(begin, first), max(end, first + count)
        leaves = parts.pop(0, (0, 0))
        rows = await connection.fetch(
            STATEMENTS["tree_hashes"],
            self._province,
            [level for level, _ in tiles],
            [tile for _, tile in tiles],
            list(parts),
            [begin for begin, _ in parts.values()],
            [end for _, end in parts.values()],
            *leaves,
        )
        return _Found({(level, first // TILE_HASHES): (first, hashes) for level, first, hashes in rows if hashes})

    async def _build(self, connection: "Connection", size: int) -> None:
        await self._demand_reached(connection, size)
        for level, built in await connection.fetch(STATEMENTS["tiles_built"], self._province):
            complete = size >> (TILE_BITS * (level + 1))
            for begin in range(built, complete, _TILES_AT_ONCE):
                await self._build_some(connection, level, begin, min(begin + _TILES_AT_ONCE, complete))

    async def _build_some(self, connection: "Connection", level: int, begin: int, end: int) -> None:
        first, last = begin * TILE_HASHES, end * TILE_HASHES
        if level == 0:
            rows = await connection.fetch(STATEMENTS["leaf_runs"], self._province, first, last)
        else:
            rows = await connection.fetch(STATEMENTS["tile_runs"], self._province, level - 1, first, last - 1)
        hashes: list[bytes] = [row["node_hashes"] for row in rows]
        if len(hashes) != end - begin or any(len(each) != TILE_HASHES * HASH_BYTES for each in hashes):
            msg = f"province {self._province}: tiles {begin} to {end} of level {level} cannot be built"
            raise LogGapError(msg)
        roots = [folded([each[at : at + HASH_BYTES] for at in range(0, len(each), HASH_BYTES)]) for each in hashes]
        await connection.execute(
            STATEMENTS["keep_tiles"], self._province, level, [row["idx"] for row in rows], hashes, roots
        )

    async def _demand_reached(self, connection: "Connection", size: int) -> None:
        head = await connection.fetchrow(STATEMENTS["head"], self._province)
        if head is None or head["position"] < size:
            raise SizeBeyondHead


class _Found:
    """Hashes as they were read: by level and tile, the index of the first that is there, and those from it on."""

    def __init__(self, tiles: dict[tuple[int, int], tuple[int, bytes]]) -> None:
        self._tiles = tiles

    def has(self, wanted: Iterable[_Run]) -> bool:
        """Tell whether all of these are there."""
        return all(len(self._bytes(*run)) == run[2] * HASH_BYTES for run in wanted)

    def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        """Return neighbouring hashes of one tile."""
        found = self._bytes(level, first, count)
        return [found[at : at + HASH_BYTES] for at in range(0, len(found), HASH_BYTES)]

    def _bytes(self, level: int, first: int, count: int) -> bytes:
        begin, found = self._tiles.get((level, first // TILE_HASHES), (first, b""))
        return found[max(first - begin, 0) * HASH_BYTES : (first - begin + count) * HASH_BYTES]


def _nothing(level: int, first: int, count: int) -> list[bytes]:
    msg = f"the empty tree has no {count} hashes from {first} on at level {level}"
    raise AssertionError(msg)
