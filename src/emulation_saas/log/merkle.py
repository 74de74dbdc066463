"""Roots and proofs of a Merkle tree (RFC 6962, section 2.1), told from hashes of its tiles.

Nothing here reads: each question asks for the hashes it needs, so it can also be asked only to learn which these are.
"""

import hashlib
from collections.abc import Callable
from typing import Final

from emulation_saas.log.frontier import node_hash

TILE_BITS: Final = 8
TILE_HASHES: Final = 1 << TILE_BITS
_EMPTY: Final = hashlib.sha256(b"").digest()

Hashes = Callable[[int, int, int], list[bytes]]
"""Neighbouring hashes of one tile: level, index of the first, how many. The hash at a level and an index is the root of
the 256^level leaves from 256^level * index on."""


def subtree_root(get: Hashes, begin: int, end: int) -> bytes:
    """Return the root of the leaves from `begin` to before `end`."""
    count = end - begin
    if count == 0:
        return _EMPTY
    bits = count.bit_length() - 1
    if count == 1 << bits and begin % count == 0:
        level, within = divmod(bits, TILE_BITS)
        return folded(get(level, begin >> (TILE_BITS * level), 1 << within))
    middle = begin + _largest_power_below(count)
    return node_hash(subtree_root(get, begin, middle), subtree_root(get, middle, end))


def inclusion_path(get: Hashes, index: int, begin: int, end: int) -> list[bytes]:
    """Return the path of a leaf within the tree of the leaves from `begin` to before `end`, nearest first."""
    if end - begin == 1:
        return []
    middle = begin + _largest_power_below(end - begin)
    if index < middle:
        return [*inclusion_path(get, index, begin, middle), subtree_root(get, middle, end)]
    return [*inclusion_path(get, index, middle, end), subtree_root(get, begin, middle)]


def consistency_path(get: Hashes, first: int, second: int) -> list[bytes]:
    """Return the proof that the first tree begins the second; nothing when they are the same."""
    return [] if first == second else _consistency(get, first, 0, second, is_whole=True)


def peaks(get: Hashes, size: int) -> list[bytes]:
    """Return the roots of the full subtrees of a tree, largest first."""
    found: list[bytes] = []
    begin = 0
    for bit in reversed(range(size.bit_length())):
        if size >> bit & 1:
            found.append(subtree_root(get, begin, begin + (1 << bit)))
            begin += 1 << bit
    return found


def _consistency(get: Hashes, first: int, begin: int, end: int, *, is_whole: bool) -> list[bytes]:
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


def folded(hashes: list[bytes]) -> bytes:
    """Return the root over a power of two of hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


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
