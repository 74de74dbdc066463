"""The tree as of any size: by tiles in the database, by frontier, and by the definition, on one log of many leaves."""

import hashlib
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Final
from uuid import UUID

import pytest

from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.log import LogGapError
from emulation_saas.log.frontier import Frontier, leaf_hash, node_hash
from emulation_saas.log.tree import SizeBeyondHead, SizesOutOfOrder, Tree
from emulation_saas.postgres.database import Database, open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.database import superuser

PROVINCE: Final = ProvinceId(UUID("0190c3f2-0000-7000-8000-00000000000a"))
SIZE: Final = 66_500
"""Past 256 * 256, so that there is a second level of complete tiles."""
TREES: Final = 200
# $1 the province, $2 how many leaves.
FILLING: Final = """
INSERT INTO log_head VALUES ($1, $2, now(), '', sha256(''));
INSERT INTO events
SELECT $1, n, 'kind.v1', now(), ('entry ' || n)::bytea, sha256('\\x00'::bytea || ('entry ' || n)::bytea)
FROM generate_series(1, $2) AS n;
"""
LEAVES: Final = [leaf_hash(b"entry %d" % number) for number in range(1, SIZE + 1)]


@cache
def defined(begin: int, end: int) -> bytes:
    """The root by the definition of RFC 6962, section 2.1."""
    if begin == end:
        return hashlib.sha256(b"").digest()
    if end - begin == 1:
        return LEAVES[begin]
    half = 1
    while half * 2 < end - begin:
        half *= 2
    return node_hash(defined(begin, begin + half), defined(begin + half, end))


def verifies(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    """RFC 9162, section 2.1.3.2, in its own words."""
    fn, sn, reached = index, size - 1, leaf
    for each in path:
        if sn == 0:
            return False
        if fn % 2 == 1 or fn == sn:
            reached = node_hash(each, reached)
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            reached = node_hash(reached, each)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and reached == root


def is_consistent(first: int, second: int, path: list[bytes], roots: tuple[bytes, bytes]) -> bool:
    """RFC 9162, section 2.1.4.2, in its own words."""
    if first == second:
        return not path and roots[0] == roots[1]
    if not path:
        return False
    if first & (first - 1) == 0:
        path = [roots[0], *path]
    fn, sn = first - 1, second - 1
    while fn % 2 == 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for each in path[1:]:
        if sn == 0:
            return False
        if fn % 2 == 1 or fn == sn:
            fr, sr = node_hash(each, fr), node_hash(each, sr)
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, each)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and (fr, sr) == roots


@asynccontextmanager
async def filled(server: EmbeddedPostgres, url: str, size: int) -> AsyncGenerator[tuple[Database, Tree]]:
    """Lend the tree of a log with so many leaves and no tile yet."""
    name = url.partition("?")[0].rpartition("/")[2]
    async with superuser(server, name) as connection:
        await connection.execute(FILLING.replace("$1", f"uuid '{PROVINCE}'").replace("$2", str(size)))
    async with open_database(url) as database:
        yield database, Tree(database, PROVINCE)


def some_sizes(random_: random.Random) -> list[int]:
    """So many sizes: small ones, those around whole tiles, and those past the first tile of tiles."""
    near = [1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_792, SIZE]
    return near + [random_.randint(1, 1_200 if number % 4 else SIZE) for number in range(TREES - len(near))]


async def test_roots_by_tiles_by_frontier_and_by_definition_are_the_same(
    server: EmbeddedPostgres, database_url: str
) -> None:
    random_ = random.Random(20240130)  # noqa: S311 - a case, not a secret
    sizes = some_sizes(random_)
    frontier, by_frontier, peaks = Frontier(), {0: Frontier().root()}, {}
    for number, leaf in enumerate(LEAVES, 1):
        frontier.append(leaf)
        if number in sizes:
            by_frontier[number], peaks[number] = frontier.root(), frontier.peaks
    async with filled(server, database_url, SIZE) as (_, tree):
        assert await tree.root(0) == by_frontier[0]
        for size in sizes:
            assert await tree.root(size) == by_frontier[size] == defined(0, size)
            assert await tree.peaks(size) == peaks[size]


async def test_every_proof_verifies(server: EmbeddedPostgres, database_url: str) -> None:
    random_ = random.Random(1945)  # noqa: S311 - as above
    async with filled(server, database_url, SIZE) as (_, tree):
        for size in some_sizes(random_):
            position = random_.choice([1, size, random_.randint(1, size)])
            found = await tree.inclusion(position, size)
            assert (found.leaf_hash, found.root) == (LEAVES[position - 1], defined(0, size))
            assert verifies(found.leaf_hash, position - 1, size, found.path, found.root)
            first = random_.randint(1, size)
            path = await tree.consistency(first, size)
            assert is_consistent(first, size, path, (defined(0, first), defined(0, size)))


async def test_tiles_are_the_hashes_of_their_level(server: EmbeddedPostgres, database_url: str) -> None:
    async with filled(server, database_url, SIZE) as (_, tree):
        assert await tree.hashes(0, 256, 256) == b"".join(LEAVES[256:512])
        assert await tree.hashes(0, 66_304, 10) == b"".join(LEAVES[66_304:66_314])
        assert await tree.hashes(1, 0, 256) == b"".join(defined(at * 256, at * 256 + 256) for at in range(256))
        assert await tree.hashes(1, 256, 3) == b"".join(defined(at * 256, at * 256 + 256) for at in range(256, 259))
        assert await tree.hashes(2, 0, 1) == defined(0, 65_536)


async def test_what_is_beyond_the_head_is_not_answered(server: EmbeddedPostgres, database_url: str) -> None:
    async with filled(server, database_url, 511) as (_, tree):
        asked: list[Callable[[], object]] = [
            lambda: tree.root(512),
            lambda: tree.inclusion(512, 512),
            lambda: tree.inclusion(1, 513),
            lambda: tree.consistency(512, 512),
            lambda: tree.hashes(0, 256, 256),
            lambda: tree.hashes(1, 0, 2),
            lambda: tree.grow(512),
        ]
        for ask in asked:
            with pytest.raises(SizeBeyondHead):
                await ask()  # type: ignore[misc]
        for position, size in ((0, 5), (6, 5)):
            with pytest.raises(SizesOutOfOrder):
                await tree.inclusion(position, size)
        for first, second in ((0, 5), (6, 5)):
            with pytest.raises(SizesOutOfOrder):
                await tree.consistency(first, second)


async def test_tiles_are_built_once_and_from_the_first_one_on(server: EmbeddedPostgres, database_url: str) -> None:
    async with filled(server, database_url, 3_000) as (database, tree):
        await tree.grow(700)
        await tree.grow(2_999)
        await Tree(database, PROVINCE).grow(3_000)
        async with database.in_province(PROVINCE) as connection:
            rows = await connection.fetch("SELECT level, idx, root FROM tree_tiles ORDER BY level, idx")
    assert [tuple(row) for row in rows] == [(0, at, defined(at * 256, at * 256 + 256)) for at in range(11)]


async def test_a_missing_leaf_is_a_gap_and_no_tile(server: EmbeddedPostgres, database_url: str) -> None:
    async with filled(server, database_url, 600) as (_, tree):
        name = database_url.partition("?")[0].rpartition("/")[2]
        async with superuser(server, name) as connection:
            await connection.execute("DELETE FROM events WHERE position = 300")
        assert await tree.root(256) == defined(0, 256)
        with pytest.raises(LogGapError):
            await tree.root(600)
