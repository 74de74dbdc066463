"""The Merkle tree of RFC 6962, section 2.1, kept by its edge alone."""

import hashlib
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation_saas.log.frontier import HASH_BYTES, Frontier, leaf_hash, node_hash

LEAVES: Final = tuple(
    bytes.fromhex(leaf)
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
)
"""The test inputs of the certificate transparency log's own reference implementation, and the roots it publishes."""
ROOTS: Final = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def root_of(leaves: list[bytes]) -> bytes:
    """Return the hash of a tree of leaf hashes as the RFC defines it: split at the largest power of two below it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_roots_are_the_published_ones(size: int) -> None:
    frontier = Frontier()
    for leaf in LEAVES[:size]:
        frontier.append(leaf_hash(leaf))
    assert frontier.root().hex() == ROOTS[size]
    assert root_of([leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size]


@given(st.integers(0, 300), st.integers(0, 300))
def test_frontier_taken_up_anywhere_has_the_root_of_the_whole_tree(size: int, resumed_at: int) -> None:
    leaves = [leaf_hash(number.to_bytes(2, "big")) for number in range(size)]
    frontier = Frontier()
    for number, leaf in enumerate(leaves):
        if number == resumed_at:
            frontier = Frontier(frontier.size, frontier.peaks)
        frontier.append(leaf)
    assert frontier.size == size
    assert len(frontier.peaks) == size.bit_count() * HASH_BYTES
    assert frontier.root() == root_of(leaves)


def test_copy_grows_on_its_own() -> None:
    frontier = Frontier()
    frontier.append(leaf_hash(b"1"))
    copy = frontier.copy()
    copy.append(leaf_hash(b"2"))
    assert (frontier.size, copy.size) == (1, 2)
    assert frontier.root() == leaf_hash(b"1")
    assert copy.root() == node_hash(leaf_hash(b"1"), leaf_hash(b"2"))


@pytest.mark.parametrize(("size", "peaks"), [(0, 1), (1, 0), (3, 1), (4, 2)])
def test_peaks_that_do_not_fit_the_size_are_refused(size: int, peaks: int) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Frontier(size, bytes(peaks * HASH_BYTES))
