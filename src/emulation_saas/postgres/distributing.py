"""Spreading the schema over the nodes of a Citus cluster: every table by `province_id`, all of a province on one node.

So a province's transaction is one node's transaction: one order, one snapshot, one commit. Nothing holds over two
provinces: what is read of several is several readings. The registry, which belongs to no province, is kept on every
node. `tests/law/test_fit_for_citus.py` keeps the schema and the statements such that this goes on to work.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from emulation_saas.postgres.server import ServerRefusedError
from emulation_saas.postgres.statements import load_statements

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.Connection[asyncpg.Record]

STATEMENTS: Final = load_statements("emulation_saas.postgres")


async def is_distributed(connection: "Connection") -> bool:
    """Tell whether the tables have been spread over nodes before."""
    if not await connection.fetchval(STATEMENTS["has_citus"]):
        return False
    found: bool = await connection.fetchval(STATEMENTS["is_distributed"])
    return found


async def distribute(connection: "Connection", report: Callable[[str], None]) -> None:
    """Spread what is not spread yet; as the owner of the tables. Interrupted, it is done again.

    Raises:
        ServerRefusedError: the database has no Citus.
    """
    if not await connection.fetchval(STATEMENTS["has_citus"]):
        message = "this database has no Citus: a superuser makes it with deploy/citus.sql (deploy/runbooks)"
        raise ServerRefusedError(message)
    for row in await connection.fetch(STATEMENTS["settings_for_citus"]):
        await connection.execute(row["setting_it"])
    for of_one_node in ("tables_of_one_node", "functions_of_one_node"):
        for row in await connection.fetch(STATEMENTS[of_one_node]):
            report(f"distributing: {row['name']}")
            await connection.execute(row["spreading"])
