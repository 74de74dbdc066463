"""Row security costs no index: every statement that reads a log or its documents touches only the rows it asks for.

A condition whose functions or operators are not leakproof is judged after the policy, row by row, so an index on it
lies idle for the service's role while a test as the owner sees nothing wrong (reliability.md 2.1, hole 14).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest

from emulation_saas.agencies.events import AgencyRegistered
from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.postgres.database import in_transaction
from emulation_saas.postgres.server import APP_ROLE
from emulation_saas.postgres.statements import load_statements
from tests.database import connected
from tests.logs import open_province, register, running_logs

if TYPE_CHECKING:
    from tests.database import Connection

ADA: Final = ProvinceId(UUID("0190c3f2-0000-7000-8000-00000000000a"))
ROWS: Final = 20_000
TOUCHED_MAX: Final = 500
MANY: Final = 50
NO_LIMIT: Final = 2**62
BEGAN: Final = datetime(2024, 1, 1, tzinfo=UTC)
LOG: Final = load_statements("emulation_saas.log")
PRIVACY: Final = load_statements("emulation_saas.privacy")
PROJECTING: Final = load_statements("emulation_saas.projecting")
# $1 the province, $2 how many rows.
FILLING: Final = """
INSERT INTO log_head VALUES ($1, $2, now(), '', sha256(''));
INSERT INTO events
SELECT $1, n, 'kind-' || n % 200 || '.v1', timestamptz '2024-01-01Z' + n * interval '1 s', repeat('x', 420)::bytea,
    sha256('')
FROM generate_series(1, $2) AS n;
INSERT INTO event_tags SELECT $1, 'tag:' || n % 200, n, 'kind-' || n % 200 || '.v1' FROM generate_series(1, $2) AS n;
INSERT INTO event_tags SELECT $1, 'pair:' || n % 199, n, 'kind-' || n % 200 || '.v1' FROM generate_series(1, $2) AS n;
INSERT INTO idempotency SELECT $1, 'p-' || n % 10, 'key-' || n, '', n, n FROM generate_series(1, $2) AS n;
INSERT INTO documents SELECT $1, 'p' || n % 10, 1, lpad(n::text, 6, '0'), n, '{}' FROM generate_series(1, $2) AS n;
INSERT INTO quarantined SELECT $1, 'p' || n % 10, 1, lpad(n::text, 6, '0'), n, 'no' FROM generate_series(1, $2) AS n;
INSERT INTO snapshots SELECT $1, 'p' || n % 10, 1, lpad(n::text, 6, '0'), n, '{}' FROM generate_series(1, $2) AS n;
INSERT INTO tree_tiles SELECT $1, n % 2, n / 2, decode(repeat('00', 8192), 'hex'), sha256('')
FROM generate_series(1, $2) AS n;
INSERT INTO access_log
SELECT $1, timestamp '2024-01-01' + n % 100 * interval '1 day', timestamptz '2024-01-01Z' + n % 100 * interval '1 day'
    + n * interval '1 s', gen_random_uuid(), 'p-1', 'GET /', null, n, 'names'
FROM generate_series(1, $2) AS n;
INSERT INTO checkpoints SELECT $1, 'p' || n, 1, n FROM generate_series(1, $2) AS n;
ANALYZE
"""
# $1 the province, $2 the position of the event whose copies follow.
GROWING: Final = """
INSERT INTO events
SELECT $1, $2 + n, type, recorded_at, body, sha256('') FROM events, generate_series(1, 20000) AS n
WHERE province_id = $1 AND position = $2;
INSERT INTO event_tags
SELECT $1, tag, $2 + n, type FROM event_tags, generate_series(1, 20000) AS n WHERE province_id = $1 AND position = $2
"""
READS: Final[dict[str, tuple[str, tuple[object, ...]]]] = {
    "head": (LOG["head"], ()),
    "events after": (LOG["events_after"], (19_000, 19_100, 100)),
    "entries after": (LOG["entries_after"], (19_000, 19_100, 100, NO_LIMIT)),
    "hashes of the tree": (LOG["tree_hashes"], ([0, 1], [7, 7], [1], [256], [300], 19_900, 20_000)),
    "tiles built": (LOG["tiles_built"], ()),
    "leaf runs": (LOG["leaf_runs"], (512, 768)),
    "tile runs": (LOG["tile_runs"], (0, 256, 511)),
    "recorded at": (LOG["recorded_at"], ([19_000, 19_100],)),
    "types between": (LOG["types_between"], (19_000, 19_100)),
    "types of a long span": (LOG["types_between"], (1, ROWS)),
    "lines after": (LOG["lines_after"], (19_000, 19_100, 50, 4_096)),
    "one tag": (LOG["events_matching"], (0, ROWS, [0], ["tag:7"], [], [], NO_LIMIT)),
    "two tags": (LOG["events_matching"], (0, ROWS, [0, 0], ["tag:7", "pair:9"], [], [], NO_LIMIT)),
    "tag and type": (LOG["events_matching"], (0, ROWS, [0], ["tag:7"], [0], ["kind-7.v1"], NO_LIMIT)),
    "type": (LOG["events_matching"], (0, ROWS, [], [], [0], ["kind-7.v1"], NO_LIMIT)),
    "settled": (LOG["settled"], (["p-7"], ["key-7"])),
    "checkpoints": (PROJECTING["checkpoints_of"], (["p7"], [1])),
    "documents at": (PROJECTING["documents_at"], (["p7"], [1], ["000007"])),
    "documents between": (PROJECTING["documents_between"], ("p7", 1, "000007", "000107", 50)),
    "reads of a day": (PRIVACY["reads_of_day"], (date(2024, 1, 7), BEGAN, UUID(int=0), 100)),
    "next finished day": (PRIVACY["next_finished_day"], (date(2024, 1, 7), timedelta(0))),
    "snapshots": (PROJECTING["newest_snapshots"], ("p7", 1, "000007", "000107", 100)),
}


@pytest.fixture
async def reading(database_url: str, administrator: "Connection") -> "AsyncIterator[Connection]":
    """The service's role in a province with many rows."""
    await administrator.execute(FILLING.replace("$1", f"uuid '{ADA}'").replace("$2", str(ROWS)))
    async with connected(database_url, APP_ROLE) as connection, in_transaction(connection, ADA):
        yield connection


def rows_touched(node: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """Give for each scan of a table or of what is wanted in a plan how many rows it looked at, and how."""
    if "Relation Name" in node or node["Node Type"] == "Function Scan":
        seen = node["Actual Rows"] + sum(count for name, count in node.items() if name.startswith("Rows Removed"))
        yield round(seen * node["Actual Loops"]), f"{node['Node Type']} on {node['Alias']}"
    for child in node.get("Plans", ()):
        yield from rows_touched(child)


async def explained(reading: "Connection", statement: str, values: tuple[object, ...]) -> dict[str, Any]:
    plan: str = await reading.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", ADA, *values)
    told: dict[str, Any] = json.loads(plan)[0]["Plan"]
    return told


async def most_touched(reading: "Connection", statement: str, values: tuple[object, ...]) -> tuple[int, str]:
    return max(rows_touched(await explained(reading, statement, values)))


async def test_reads_touch_few_rows_under_row_security(reading: "Connection") -> None:
    found = {name: await most_touched(reading, *read) for name, read in READS.items()}
    assert {name: most for name, most in found.items() if most[0] > TOUCHED_MAX} == {}


async def test_many_wanted_items_are_not_looked_through_for_every_event(reading: "Connection") -> None:
    items = range(MANY)
    values = (0, ROWS, [*items], [f"tag:{n}" for n in items], [*items], [f"kind-{n}.v1" for n in items], NO_LIMIT)
    plan = await explained(reading, LOG["events_matching"], values)
    wanted = [(looked, how) for looked, how in rows_touched(plan) if how.startswith("Function Scan")]
    assert max(wanted)[0] == MANY, max(wanted)


async def test_finding_an_instant_touches_few_rows_under_row_security(reading: "Connection") -> None:
    seen, how = await most_touched(reading, LOG["position_at"], (BEGAN + timedelta(seconds=7),))
    assert seen <= TOUCHED_MAX, how


async def test_an_index_on_a_leaky_operator_lies_idle(reading: "Connection", administrator: "Connection") -> None:
    """Why tags are no array: `@>` is not leakproof, so the service's role would read the whole province."""
    await reading.execute("COMMIT")  # so that the table is free for the index
    await administrator.execute('ALTER TABLE event_tags ADD tags text [] COLLATE "C"')
    await administrator.execute("UPDATE event_tags SET tags = ARRAY[tag]")
    await administrator.execute("CREATE INDEX tags_by_element ON event_tags USING gin (tags)")
    await administrator.execute("ANALYZE event_tags")
    asked = "EXPLAIN SELECT position FROM event_tags WHERE province_id = $1 AND tags @> '{tag:7}'"
    by_owner = "\n".join(row[0] for row in await administrator.fetch(asked, ADA))
    async with in_transaction(reading, ADA):
        by_service = "\n".join(row[0] for row in await reading.fetch(asked, ADA))
    await reading.execute("BEGIN")
    assert "tags_by_element" in by_owner
    assert "tags_by_element" not in by_service


async def test_plan_that_was_made_for_a_small_log_is_not_kept_for_a_large_one(
    database_url: str, administrator: "Connection"
) -> None:
    """Statistics come a minute later: a plan that is kept until then compares each tag with each event, for 20 s."""
    async with running_logs(database_url, app_max=2) as logs:
        opened = await open_province(logs)
        accepted = await opened.log.execute(register("ada"), by=opened.acting())
        selector = Selector(types=[AgencyRegistered], tags=["agency:ada"])
        for _ in range(8):  # from the sixth on, one plan is for all values
            assert len(await opened.log.recorded([selector])) == 1
        await administrator.execute(
            GROWING.replace("$1", f"uuid '{opened.log.province}'").replace("$2", str(accepted.position))
        )
        async with asyncio.timeout(5):
            assert len(await opened.log.recorded([selector])) == 20_001
