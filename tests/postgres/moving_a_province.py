"""`python -m tests.postgres.moving_a_province`: a hot province gets a node to itself while everybody appends to it.

Needs a Citus cluster: `TESTS_DATABASE_URL` names its coordinator, whose database `postgres` knows two workers. The
steps are those of `deploy/runbooks/hot-province.md`: the province's rows get shards of their own, and those move to the
other worker. Then every position is there once, every acknowledged command too, the bytes from before are the same
bytes, and the root that the head holds is that of all of them.

Exit status: 0 if all of that holds; 1 if not; 2 without a cluster.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from uuid import uuid4

from emulation_saas.log.faults import OutcomeUnknownError
from emulation_saas.log.frontier import leaf_hash
from emulation_saas.log.reading import NO_LIMIT, STATEMENTS
from emulation_saas.postgres.database import open_database
from tests.cluster import nodes_of
from tests.database import VARIABLE, drop_database, fresh_database, given_server, superuser
from tests.log.test_frontier import root_of
from tests.logs import Opened, open_province, register, running_logs

if TYPE_CHECKING:
    from tests.database import Connection

CALLERS: Final = 4
SETTLING_S: Final = 2.0
_PLACE: Final = """
SELECT s.shardid, n.nodename, n.nodeport FROM pg_dist_placement AS s INNER JOIN pg_dist_node AS n USING (groupid)
WHERE s.shardid = get_shard_id_for_distribution_column('log_head', $1::uuid)
"""


@dataclass
class _Load:
    """What callers were told: positions acknowledged, how often they had to ask again, the longest time without."""

    positions: list[int] = field(default_factory=list)
    again: int = 0
    last: float = field(default_factory=monotonic)
    longest_s: float = 0.0


async def move(url: str) -> list[str]:
    """Isolate and move a province of a fresh database under load; return what was seen to be wrong."""
    name = urlsplit(url).path.removeprefix("/")
    async with running_logs(url) as logs:
        hot, other = await open_province(logs, "nong"), await open_province(logs, "nguoi")
        async with _appending(hot) as load:
            before = await _bytes_of(url, hot)
            server = given_server()
            assert server is not None
            async with superuser(server, name) as root:
                await _isolate_and_move(root, hot)
        await other.log.execute(register("a-1"), by=other.acting(str(uuid4())))
        head = await hot.log.head()
    after = await _bytes_of(url, hot)
    _say(f"{len(load.positions)} commands, {load.again} asked again, longest wait {load.longest_s:.2f} s")
    faults = {
        "a position is missing": len(after) != head.position,
        "an acknowledged command is not there once": sorted(load.positions) != list(range(6, head.position + 1)),
        "bytes from before have changed": after[: len(before)] != before,
        "the root is another": root_of([leaf_hash(body) for body in after]) != head.root,
    }
    return [fault for fault, found in faults.items() if found]


async def _isolate_and_move(root: "Connection", hot: Opened) -> None:
    began = monotonic()
    isolating = "SELECT isolate_tenant_to_new_shard('log_head', $1::text::uuid, 'CASCADE', 'block_writes')"
    await root.fetchval(isolating, str(hot.log.province))
    _say(f"shards of its own after {monotonic() - began:.1f} s")
    shard, host, port = await root.fetchrow(_PLACE, hot.log.province) or (0, "", 0)
    target = next(node for node in (await nodes_of(root))[1:] if (node.host, node.port) != (host, port))
    began = monotonic()
    moving = "SELECT citus_move_shard_placement($1, $2, $3, $4, $5, 'block_writes')"
    await root.execute(moving, shard, host, port, target.host, target.port)
    moved = await root.fetchrow(_PLACE, hot.log.province)
    _say(f"moved from {host}:{port} to {moved and tuple(moved)[1:]} in {monotonic() - began:.1f} s")


@asynccontextmanager
async def _appending(hot: Opened) -> AsyncGenerator[_Load]:
    load, ended = _Load(), asyncio.Event()

    async def call(number: int) -> None:
        count = 0
        while not ended.is_set():
            key, count = str(uuid4()), count + 1
            accepted = None
            while accepted is None:
                try:
                    accepted = await hot.log.execute(register(f"a-{number}-{count}"), by=hot.acting(key))
                except OutcomeUnknownError:
                    load.again += 1
                    await asyncio.sleep(0.05)
            now = monotonic()
            load.longest_s, load.last = max(load.longest_s, now - load.last), now
            load.positions.append(accepted.position)

    async with asyncio.TaskGroup() as callers:
        for number in range(CALLERS):
            callers.create_task(call(number))
        await asyncio.sleep(SETTLING_S)
        try:
            yield load
            await asyncio.sleep(SETTLING_S)
        finally:
            ended.set()


async def _bytes_of(url: str, province: Opened) -> Sequence[bytes]:
    async with open_database(url, app_max=1) as database, database.in_province(province.log.province) as connection:
        rows = await connection.fetch(STATEMENTS["entries_after"], province.log.province, 0, NO_LIMIT, NO_LIMIT)
    return [row["body"] for row in rows]


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


async def _run() -> int:
    server = given_server()
    if server is None:
        _say(f"{VARIABLE} names no server")
        return 2
    async with superuser(server) as connection:
        nodes = await nodes_of(connection)
    if len(nodes) < len(("coordinator", "worker", "worker")):
        _say(f"{VARIABLE} names no coordinator of two workers")
        return 2
    url = await fresh_database(server)
    try:
        faults = await move(url)
    finally:
        await drop_database(server, url)
    sys.stdout.write("\n".join(faults or ["nothing lost, nothing changed, the proofs hold"]) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.stdout.write(f"{__doc__}\n")
        sys.exit(0)
    sys.exit(asyncio.run(_run()))
