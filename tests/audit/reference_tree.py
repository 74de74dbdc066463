"""RFC 6962, section 2.1, word for word: the tree and its proofs by recursion, slow and plain, to judge others by."""

import hashlib
from collections.abc import Sequence


def split(size: int) -> int:
    """Return the largest power of two smaller than the size."""
    return 1 << ((size - 1).bit_length() - 1)


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash over leaf hashes."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    at = split(len(leaves))
    return hashlib.sha256(b"\1" + root(leaves[:at]) + root(leaves[at:])).digest()


def inclusion_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the audit path (2.1.1) of the leaf at an index."""
    if len(leaves) == 1:
        return []
    at = split(len(leaves))
    if index < at:
        return [*inclusion_path(index, leaves[:at]), root(leaves[at:])]
    return [*inclusion_path(index - at, leaves[at:]), root(leaves[:at])]


def consistency_path(first: int, leaves: Sequence[bytes], *, is_whole: bool = True) -> list[bytes]:
    """Return the consistency proof (2.1.2) from the tree of the first leaves to that of all."""
    if first == len(leaves):
        return [] if is_whole else [root(leaves)]
    at = split(len(leaves))
    if first <= at:
        return [*consistency_path(first, leaves[:at], is_whole=is_whole), root(leaves[at:])]
    return [*consistency_path(first - at, leaves[at:], is_whole=False), root(leaves[:at])]
