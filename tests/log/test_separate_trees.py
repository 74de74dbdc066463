"""200 logs of random sizes: one root by frontier, by tiles and by replay; no mutant of a proof passes."""

import random
from typing import Final
from uuid import UUID

from emulation_saas.audit.verifier import leaf_hash as replayed_leaf
from emulation_saas.audit.verifier import root_of as replayed_root
from emulation_saas.audit.verifier import verify_consistency, verify_inclusion
from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.log.frontier import Frontier
from emulation_saas.log.tree import Tree
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.audit.test_verifier_tree import mutants, mutated
from tests.database import superuser

TREES: Final = 200
BOUNDARIES: Final = (1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_537)
# $1 provinces, $2 how many leaves each has; every log has its own.
HEADS: Final = (
    "INSERT INTO log_head SELECT p, n, now(), '', sha256('') FROM unnest($1::uuid[], $2::bigint[]) AS t (p, n)"
)
EVENTS: Final = """
INSERT INTO events
SELECT t.p, n, 'kind.v1', now(), e.body, sha256('\\x00'::bytea || e.body)
FROM unnest($1::uuid[], $2::bigint[]) AS t (p, size)
CROSS JOIN LATERAL generate_series(1, t.size) AS n
CROSS JOIN LATERAL (SELECT (t.p || ' ' || n)::bytea) AS e (body)
"""


async def test_roots_are_one_and_no_mutant_of_a_proof_passes(server: EmbeddedPostgres, database_url: str) -> None:
    chance = random.Random(1969)  # noqa: S311 - a case, not a secret
    sizes = [*BOUNDARIES, *(chance.randint(1, 100 if at % 4 else 800) for at in range(TREES - len(BOUNDARIES)))]
    logs = {ProvinceId(UUID(int=number)): size for number, size in enumerate(sizes, 1)}
    async with superuser(server, database_url.partition("?")[0].rpartition("/")[2]) as connection:
        for statement in (HEADS, EVENTS):
            await connection.execute(statement, list(logs), sizes)
        async with open_database(database_url) as database:
            for province, size in logs.items():
                bodies = await connection.fetch(
                    "SELECT body FROM events WHERE province_id = $1 ORDER BY position", province
                )
                leaves = [replayed_leaf(row["body"]) for row in bodies]
                await demand_one_tree(Tree(database, province), leaves, size, chance)


async def demand_one_tree(tree: Tree, leaves: list[bytes], size: int, chance: random.Random) -> None:
    """Demand that the log's tree is that of the leaves, and that its proofs pass and their mutants do not."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    root = await tree.root(size)
    assert root == frontier.root() == replayed_root(leaves)
    assert await tree.peaks(size) == frontier.peaks
    index, first = chance.randrange(size), chance.randint(1, size)
    found = await tree.inclusion(index + 1, size)
    assert (found.leaf_hash, found.root) == (leaves[index], root)
    assert verify_inclusion(leaves[index], index, size, found.path, root)
    for other in mutants(found.path, chance):
        assert not verify_inclusion(leaves[index], index, size, other, root)
    for false in {index - 1, index + 1, index + size, index ^ 1} - {index}:
        assert not verify_inclusion(leaves[index], false, size, found.path, root)
    assert not verify_inclusion(mutated(leaves[index], chance), index, size, found.path, root)
    path, old = await tree.consistency(first, size), await tree.root(first)
    assert old == replayed_root(leaves[:first])
    assert verify_consistency(first, size, old, root, path)
    for other in mutants(path, chance):
        assert not verify_consistency(first, size, old, root, other)
    assert not verify_consistency(first, size, mutated(old, chance), root, path)
    assert not verify_consistency(first, size, old, mutated(root, chance), path)
