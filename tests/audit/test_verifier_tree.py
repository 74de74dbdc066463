"""The verifier's tree: the published hashes and roots; every proof verifies, and no mutated one does."""

import random
from typing import Final

import pytest

from emulation_saas.audit.verifier import (
    entries_path,
    leaf_hash,
    node_hash,
    root_of,
    tile_path,
    tiles_of,
    verify_consistency,
    verify_inclusion,
)
from emulation_saas.log import frontier
from tests.audit import reference_tree
from tests.audit.exports import root_of as root_by_frontier
from tests.log.test_frontier import LEAVES, ROOTS

TREES: Final = 200
HASHED: Final = [leaf_hash(leaf) for leaf in LEAVES]
_A, _B, _C, _D, _E, _F, _G = (
    bytes.fromhex(node)
    for node in (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    )
)
"""Inner nodes as the certificate transparency log's reference implementation publishes them in its proofs."""


def root(size: int) -> bytes:
    return bytes.fromhex(ROOTS[size])


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_roots_are_the_published_ones(size: int) -> None:
    assert root_of(HASHED[:size]) == root(size)


def test_hash_of_the_empty_leaf_is_the_published_one() -> None:
    assert leaf_hash(b"") == root(1)


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [(0, 8, [_A, _B, _C]), (5, 8, [_D, _E, _F]), (2, 3, [root(2)]), (1, 5, [HASHED[0], _B, _D])],
)
def test_published_inclusion_proofs_verify(index: int, size: int, path: list[bytes]) -> None:
    assert verify_inclusion(HASHED[index], index, size, path, root(size))
    assert reference_tree.inclusion_path(index, HASHED[:size]) == path


@pytest.mark.parametrize(
    ("first", "second", "path"), [(1, 8, [_A, _B, _C]), (6, 8, [_G, _E, _F]), (2, 5, [_B, _D]), (8, 8, [])]
)
def test_published_consistency_proofs_verify(first: int, second: int, path: list[bytes]) -> None:
    assert verify_consistency(first, second, root(first), root(second), path)
    assert reference_tree.consistency_path(first, HASHED[:second]) == path


@pytest.mark.parametrize("seed", range(TREES))
def test_in_random_trees_every_proof_verifies_and_no_mutated_one(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's trees are no secrets
    size = chance.randint(1, 70 if seed % 4 else 600)
    leaves = [leaf_hash(chance.randbytes(20)) for _ in range(size)]
    head = root_of(leaves)
    assert head == root_by_frontier(leaves) == reference_tree.root(leaves)
    for index in {0, size - 1, *(chance.randrange(size) for _ in range(6))}:
        path = reference_tree.inclusion_path(index, leaves)
        assert verify_inclusion(leaves[index], index, size, path, head)
        for other in mutants(path, chance):
            assert not verify_inclusion(leaves[index], index, size, other, head)
        for false_index in {index - 1, index + 1, index + size, index ^ 1, -1} - {index}:
            assert not verify_inclusion(leaves[index], false_index, size, path, head)
        assert not verify_inclusion(mutated(leaves[index], chance), index, size, path, head)
        assert not verify_inclusion(leaves[index], index, size, path, mutated(head, chance))
    for first in {1, size, *(chance.randint(1, size) for _ in range(6))}:
        path = reference_tree.consistency_path(first, leaves)
        old = root_of(leaves[:first])
        assert verify_consistency(first, size, old, head, path)
        for other in mutants(path, chance):
            assert not verify_consistency(first, size, old, head, other)
        assert not verify_consistency(first, size, mutated(old, chance), head, path)
        assert not verify_consistency(first, size, old, mutated(head, chance), path)
        for false_first in (0, -first, size + 1):
            assert not verify_consistency(false_first, size, old, head, path)


def mutants(path: list[bytes], chance: random.Random) -> list[list[bytes]]:
    """Return the path with a node changed, dropped, doubled, put in, cut short, or two exchanged."""
    extra = chance.randbytes(32)
    made = [[*path, extra], [extra, *path]]
    for at in range(len(path)):
        made += [
            [*path[:at], mutated(path[at], chance), *path[at + 1 :]],
            [*path[:at], *path[at + 1 :]],
            [*path[: at + 1], *path[at:]],
            [*path[:at], path[at][:-1], *path[at + 1 :]],
        ]
    if len(path) > 1:
        made.append([path[1], path[0], *path[2:]])
    return made


def mutated(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def test_verifier_and_log_hash_alike_though_written_apart() -> None:
    for data in (b"", b"a", bytes(range(64))):
        assert leaf_hash(data) == frontier.leaf_hash(data)
        assert node_hash(data, data) == frontier.node_hash(data, data)


@pytest.mark.parametrize(
    ("level", "n", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 67, 12, "tile/0/067.p/12"),
        (1, 1_234_067, 256, "tile/1/x001/x234/067"),
        (2, 1000, 1, "tile/2/x001/000.p/1"),
    ],
)
def test_tiles_are_named_as_the_standard_names_them(level: int, n: int, width: int, path: str) -> None:
    assert tile_path(level, n, width) == path
    assert entries_path(n, width) == path.replace(f"tile/{level}/", "tile/entries/")


def test_tree_of_70_000_leaves_has_the_tiles_that_the_standard_counts() -> None:
    tiles = list(tiles_of(70_000))
    assert [sum(level == each[0] and each[2] == 256 for each in tiles) for level in range(3)] == [273, 1, 0]
    assert [tile for tile in tiles if tile[2] < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]


def test_tree_of_256_leaves_has_a_tile_above_them() -> None:
    assert list(tiles_of(256)) == [(0, 0, 256), (1, 0, 1)]
    assert list(tiles_of(0)) == []
