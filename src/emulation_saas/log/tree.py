"""The log's Merkle tree as of any size: roots and proofs (RFC 6962, section 2.1), from tiles kept in the database.

A tile is a run of 256 hashes of one level (C2SP tlog-tiles): at level 0 those of 256 leaves, above the roots of 256
tiles of the level below. Appends write none. Whoever first needs a complete tile that is not there computes it from the
leaf hashes and keeps it; a level's tiles are built from the first one on, so its newest tells which there are.

Each question is asked twice: first to learn which hashes it needs, which are then read in one statement, then in
earnest.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.kernel.rejections import Invalid
from emulation_saas.log.faults import LogGapError
from emulation_saas.log.frontier import HASH_BYTES, node_hash
from emulation_saas.log.reading import STATEMENTS
from emulation_saas.postgres.database import Database

if TYPE_CHECKING:
    from emulation_saas.postgres.database import Connection

TILE_HASHES: Final = 256
_TILE_BITS: Final = 8
_TILES_AT_ONCE: Final = 32
"""Built in one statement: some 6 ms of hashing, in which the process does nothing else."""
_SIZE_MAX: Final = 2**53
"""Beyond what any log will hold, and within what the database can be asked for."""
_EMPTY: Final = hashlib.sha256(b"").digest()

Hash = Callable[[int, int], bytes]
"""The hash at a tile level and an index: the root of the 256^level leaves from 256^level * index on."""
Answer = TypeVar("Answer")


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

        def ask(get: Hash) -> Inclusion:
            index = position - 1
            return Inclusion(get(0, index), inclusion_path(get, index, 0, size), subtree_root(get, 0, size))

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
        """Return neighbouring hashes of a tile level, concatenated; none of them spans past the last leaf.

        Raises:
            SizeBeyondHead: one does.
        """
        size = (first + count) << (_TILE_BITS * level)
        return await self._answered(size, lambda get: b"".join(get(level, first + each) for each in range(count)))

    async def grow(self, size: int) -> None:
        """Build every tile that is complete at a size and not there yet.

        Raises:
            SizeBeyondHead: there are not so many leaves.
        """
        async with self._database.in_province_lazily(self._province) as connection:
            await self._build(connection, size)

    async def _answered(self, size: int, ask: Callable[[Hash], Answer]) -> Answer:
        if size == 0:
            return ask(_nothing)
        if size > _SIZE_MAX:
            raise SizeBeyondHead
        wanted = {(0, size - 1)}  # whatever is asked, the last leaf must be there

        def note(level: int, index: int) -> bytes:
            wanted.add((level, index))
            return b""

        ask(note)
        async with self._database.in_province(self._province) as connection:
            found = await self._read(connection, wanted, size)
            if not wanted <= found.keys():
                await self._build(connection, size)
                found = await self._read(connection, wanted, size)
            if not wanted <= found.keys():
                await self._demand_reached(connection, size)
        return ask(lambda level, index: found[level, index])

    async def _read(
        self, connection: "Connection", wanted: Iterable[tuple[int, int]], size: int
    ) -> dict[tuple[int, int], bytes]:
        """Read hashes: those of complete tiles by the tile, at most 255 others of each level one by one."""
        tiles: set[tuple[int, int]] = set()
        runs: dict[int, tuple[int, int]] = {}
        for level, index in wanted:
            tile = index // TILE_HASHES
            if (tile + 1) * TILE_HASHES << (_TILE_BITS * level) <= size:
                tiles.add((level, tile))
            else:
                first, last = runs.get(level, (index, index))
                runs[level] = min(first, index), max(last, index)
        leaf_first, leaf_last = runs.pop(0, (0, -1))
        rows = await connection.fetch(
            STATEMENTS["tree_hashes"],
            self._province,
            [level for level, _ in tiles],
            [tile for _, tile in tiles],
            list(runs),
            [first for first, _ in runs.values()],
            [last for _, last in runs.values()],
            leaf_first,
            leaf_last + 1,
        )
        found: dict[tuple[int, int], bytes] = {}
        for level, first, hashes in rows:
            for place in range(len(hashes) // HASH_BYTES):
                found[level, first + place] = hashes[place * HASH_BYTES : (place + 1) * HASH_BYTES]
        return found

    async def _build(self, connection: "Connection", size: int) -> None:
        await self._demand_reached(connection, size)
        for level, built in await connection.fetch(STATEMENTS["tiles_built"], self._province):
            complete = size >> (_TILE_BITS * (level + 1))
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
        roots = [_tile_root(each) for each in hashes]
        await connection.execute(
            STATEMENTS["keep_tiles"], self._province, level, [row["idx"] for row in rows], hashes, roots
        )

    async def _demand_reached(self, connection: "Connection", size: int) -> None:
        head = await connection.fetchrow(STATEMENTS["head"], self._province)
        if head is None or head["position"] < size:
            raise SizeBeyondHead


def subtree_root(get: Hash, begin: int, end: int) -> bytes:
    """Return the root of the leaves from `begin` to before `end`."""
    count = end - begin
    if count == 0:
        return _EMPTY
    bits = count.bit_length() - 1
    if count == 1 << bits and begin % count == 0 and bits % _TILE_BITS == 0:
        return get(bits // _TILE_BITS, begin >> bits)
    middle = begin + _largest_power_below(count)
    return node_hash(subtree_root(get, begin, middle), subtree_root(get, middle, end))


def inclusion_path(get: Hash, index: int, begin: int, end: int) -> list[bytes]:
    """Return the path of a leaf within the tree of the leaves from `begin` to before `end`, nearest first."""
    if end - begin == 1:
        return []
    middle = begin + _largest_power_below(end - begin)
    if index < middle:
        return [*inclusion_path(get, index, begin, middle), subtree_root(get, middle, end)]
    return [*inclusion_path(get, index, middle, end), subtree_root(get, begin, middle)]


def consistency_path(get: Hash, first: int, second: int) -> list[bytes]:
    """Return the proof that the first tree begins the second; nothing when they are the same."""
    return [] if first == second else _consistency(get, first, 0, second, is_whole=True)


def peaks(get: Hash, size: int) -> list[bytes]:
    """Return the roots of the full subtrees of a tree, largest first."""
    found: list[bytes] = []
    begin = 0
    for bit in reversed(range(size.bit_length())):
        if size >> bit & 1:
            found.append(subtree_root(get, begin, begin + (1 << bit)))
            begin += 1 << bit
    return found


def _consistency(get: Hash, first: int, begin: int, end: int, *, is_whole: bool) -> list[bytes]:
    """Prove the first `first` leaves from `begin` on; `is_whole`: their root is the very root that is known."""
    if first == end - begin:
        return [] if is_whole else [subtree_root(get, begin, end)]
    half = _largest_power_below(end - begin)
    middle = begin + half
    if first <= half:
        return [*_consistency(get, first, begin, middle, is_whole=is_whole), subtree_root(get, middle, end)]
    return [*_consistency(get, first - half, middle, end, is_whole=False), subtree_root(get, begin, middle)]


def _largest_power_below(count: int) -> int:
    return 1 << ((count - 1).bit_length() - 1)


def _nothing(level: int, index: int) -> bytes:
    msg = f"the empty tree has no hash {index} at level {level}"
    raise AssertionError(msg)


def _tile_root(hashes: bytes) -> bytes:
    level = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(level) > 1:
        level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def begins(first: tuple[int, bytes], second: tuple[int, bytes], path: list[bytes]) -> bool:
    """Tell whether a path shows that one tree (size, root) begins another (RFC 9162, section 2.1.4.2)."""
    (first_size, first_root), (second_size, second_root) = first, second
    if first_size == second_size:
        return not path and first_root == second_root
    index, last = first_size - 1, second_size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    nodes = iter([first_root, *path] if first_size.bit_count() == 1 else path)
    old = new = next(nodes, b"")
    for node in nodes:
        if last == 0:
            return False
        if index & 1 or index == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            new = node_hash(new, node)
        index, last = index >> 1, last >> 1
    return last == 0 and (old, new) == (first_root, second_root)
