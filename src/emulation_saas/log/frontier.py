"""The edge of the province's Merkle tree: what an append needs to know of all earlier leaves.

RFC 6962, section 2.1: a leaf is hashed with a zero byte before it, a node with a one byte before its two children.
"""

import hashlib
from typing import Final

HASH_BYTES: Final = 32


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry: the event's stored bytes."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Frontier:
    """The peaks of a tree that grows by one leaf at a time: roots of its full subtrees, largest first."""

    def __init__(self, size: int = 0, peaks: bytes = b"") -> None:
        """Take up a tree where it stood.

        Args:
            size: leaves so far.
            peaks: one hash for each bit set in `size`, concatenated.

        Raises:
            ValueError: there are not as many peaks as the size demands.
        """
        if len(peaks) != size.bit_count() * HASH_BYTES:
            msg = f"{len(peaks)} bytes of peaks do not fit a tree of {size} leaves"
            raise ValueError(msg)
        self._size = size
        self._peaks = [peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES)]

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._size

    @property
    def peaks(self) -> bytes:
        """The peaks as they are stored."""
        return b"".join(self._peaks)

    def append(self, leaf: bytes) -> None:
        """Take in the hash of one more leaf."""
        size, peaks = self._size, self._peaks
        while size & 1:
            leaf = node_hash(peaks.pop(), leaf)
            size >>= 1
        peaks.append(leaf)
        self._size += 1

    def root(self) -> bytes:
        """Return the root hash; that of the empty tree is the hash of nothing."""
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def copy(self) -> "Frontier":
        """Return an equal frontier that grows on its own."""
        return Frontier(self._size, self.peaks)
