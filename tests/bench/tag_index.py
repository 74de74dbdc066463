"""Which index finds events by tag: a side table, or GIN over (province_id, tags)?

Both designs are laid out side by side in schemas of their own and hold the same events of one province. Both are
appended to and read as the service does it, under forced row security, and as the owner without it: what row security
costs each design is what decides between them (DECISIONS.md, the tag index).

The side table is read by the service's own statement `events_matching`; the rival gets the simplest statement that
gives the same rows, planned anew each time, as its generic plan is worse, and its pending list cleared before reading:
the best that can be made of it. The tables are loaded with their indexes in place, as a log grows.
"""

import hashlib
import random
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Final
from uuid import UUID

from emulation_saas.postgres.server import APP_ROLE, MIGRATE_ROLE, OWNER_ROLE
from emulation_saas.postgres.statements import load_statements
from tests.database import connected

if TYPE_CHECKING:
    from tests.database import Connection

PROVINCE: Final = UUID("0190c3f2-0000-7000-8000-000000000001")
RECORDED_AT: Final = datetime(2024, 1, 30, tzinfo=UTC)
BODY: Final = random.Random(0).randbytes(420)  # noqa: S311 # any bytes of the usual length do
LEAF_HASH: Final = hashlib.sha256(BODY).digest()
BLOCS: Final = 10
MEMBERS_A_BLOC: Final = 20
YEARS: Final = 10
EVENTS_A_BALLOT: Final = 64
RARE_TYPE: Final = "year.opened.v1"
RARE_TYPE_EVERY: Final = 2_000
BATCH: Final = 64
BATCHES_MAX: Final = 800
BATCHES_A_TURN: Final = 20
READS_MAX: Final = 200
READS_MIN: Final = 5
READ_BUDGET_S: Final = 3.0
OWN_PROVINCE: Final = "province_id = current_setting('emulation.province')::uuid"


@dataclass(frozen=True)
class Fact:
    """One event, as far as an index sees it."""

    position: int
    type: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """What a use case asks: all of these tags, and one of these types where there are any."""

    tags: tuple[str, ...]
    types: tuple[str, ...] = ()


@dataclass(frozen=True)
class Design:
    """One way to index tags: its tables, its append, its read."""

    name: str
    tables: tuple[str, ...]
    layout: str
    append: str
    read: str

    @property
    def schema(self) -> str:
        return f"bench_{self.name}"


SIDE: Final = Design(
    name="side",
    tables=("events", "event_tags"),
    layout="""
    CREATE TABLE bench_side.events (LIKE public.events INCLUDING ALL);
    CREATE TABLE bench_side.event_tags (LIKE public.event_tags INCLUDING ALL);
    """,
    append="""
    WITH kept AS (
        INSERT INTO events (province_id, position, type, recorded_at, body, leaf_hash)
        SELECT $1, e.position, e.type, $2, e.body, e.leaf_hash
        FROM unnest($3::bigint [], $4::text [], $5::bytea [], $6::bytea []) AS e (position, type, body, leaf_hash)
    )
    INSERT INTO event_tags (province_id, tag, position, type)
    SELECT $1, t.tag, t.position, t.type
    FROM unnest($7::bigint [], $8::text [], $9::text []) AS t (position, tag, type)
    """,
    read=load_statements("emulation_saas.log")["events_matching"],
)
GIN: Final = Design(
    name="gin",
    tables=("events",),
    layout="""
    CREATE EXTENSION btree_gin SCHEMA bench_gin;
    CREATE TABLE bench_gin.events (LIKE public.events INCLUDING ALL, tags text [] COLLATE "C" NOT NULL);
    CREATE INDEX events_by_tags ON bench_gin.events USING gin (province_id, tags);
    """,
    append="""
    INSERT INTO events (province_id, position, type, recorded_at, body, leaf_hash, tags)
    SELECT $1, e.position, e.type, $2, e.body, e.leaf_hash, string_to_array(e.tags, ' ')
    FROM unnest($3::bigint [], $4::text [], $5::bytea [], $6::bytea [], $7::text [])
        AS e (position, type, body, leaf_hash, tags)
    """,
    read="""
    SELECT position, type, body FROM events
    WHERE
        province_id = $1 AND position > $2 AND position <= $3 AND tags @> $4::text []
        AND (cardinality($5::text []) = 0 OR type = ANY ($5::text []))
    ORDER BY position
    """,
)
DESIGNS: Final = (SIDE, GIN)


async def measure(url: str, events: int = 1_000_000) -> dict[str, float]:
    """Load both designs, append to them and read them; leave nothing behind.

    Args:
        url: base URL of a migrated database, without a user.
        events: loaded into each design before anything is measured.

    Returns:
        `{design}_{role}_{what}`; designs side and gin; roles app (row security forced) and owner (none). Rates per
        second, medians in ms, `{design}_bytes_per_event` of table and indexes, `{design}_{role}_searches_tags` 1 when
        the plan looks the tag up in an index.
    """
    figures: dict[str, float] = {}
    async with AsyncExitStack() as stack:
        owner = await stack.enter_async_context(connected(url, MIGRATE_ROLE))
        app = await stack.enter_async_context(connected(url, APP_ROLE))
        await owner.execute(f"SET ROLE {OWNER_ROLE}")
        await app.execute(f"SET emulation.province = '{PROVINCE}'")
        await _forget(owner)
        try:
            for design in DESIGNS:
                await _lay_out(owner, design)
                figures[f"{design.name}_loaded_per_s"] = events / await _load(owner, design, events)
                figures[f"{design.name}_bytes_per_event"] = await _size(owner, design) / events
            appended = events
            for role, connection in (("owner", owner), ("app", app)):
                await _force_row_security(owner, forced=role == "app")
                appended = await _measure_appends(connection, role, figures, start=appended, events=events)
                await owner.execute("SELECT gin_clean_pending_list('bench_gin.events_by_tags')")
                await _measure_reads(connection, role, figures, events)
        finally:
            await _forget(owner)
    return figures


def fact(position: int, events: int) -> Fact:
    """Return the event at a position: bloc, its year, one of its members and one ballot of 64 events."""
    ballot = position // EVENTS_A_BALLOT
    bloc = ballot % BLOCS
    year = 2015 + min(position * YEARS // events, YEARS - 1)
    mixed = position * 2_654_435_761 % 2**32
    member = mixed // 256 % MEMBERS_A_BLOC
    type_ = RARE_TYPE if mixed % RARE_TYPE_EVERY == 0 else f"scoring.kind-{mixed // 4096 % 20}.v1"
    tags = (f"bloc:khoi-{bloc}", f"year:khoi-{bloc}/{year}", f"agency:so-{bloc}-{member}", f"ballot:phieu-{ballot}")
    return Fact(position, type_, tags)


def questions(events: int) -> dict[str, list[Question]]:
    """Return what is asked: a rare tag (64 events), two common ones (1/2000 of all), a rare type with a common tag."""
    draw = random.Random(1)  # noqa: S311 # the same questions in every run
    asked: dict[str, list[Question]] = {"rare": [], "two": [], "types": []}
    for _ in range(READS_MAX):
        _, year, agency, ballot = fact(draw.randint(1, events), events).tags
        asked["rare"].append(Question((ballot,)))
        asked["two"].append(Question((year, agency)))
        asked["types"].append(Question((year,), (RARE_TYPE,)))
    return asked


async def _forget(owner: "Connection") -> None:
    for design in DESIGNS:
        await owner.execute(f"DROP SCHEMA IF EXISTS {design.schema} CASCADE")


async def _lay_out(owner: "Connection", design: Design) -> None:
    await owner.execute(f"CREATE SCHEMA {design.schema}; GRANT USAGE ON SCHEMA {design.schema} TO {APP_ROLE}")
    await owner.execute(design.layout)
    for table in design.tables:
        await owner.execute(
            f"ALTER TABLE {design.schema}.{table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY own_province ON {design.schema}.{table} TO {APP_ROLE}"
            f" USING ({OWN_PROVINCE}) WITH CHECK ({OWN_PROVINCE});"
            f"GRANT SELECT, INSERT ON {design.schema}.{table} TO {APP_ROLE}"
        )


async def _force_row_security(owner: "Connection", *, forced: bool) -> None:
    for design in DESIGNS:
        for table in design.tables:
            word = "FORCE" if forced else "NO FORCE"
            await owner.execute(f"ALTER TABLE {design.schema}.{table} {word} ROW LEVEL SECURITY")


async def _load(owner: "Connection", design: Design, events: int) -> float:
    """Fill the tables by COPY and return how long it took, in s."""
    facts = [fact(position, events) for position in range(1, events + 1)]

    def event_rows() -> Iterator[tuple[object, ...]]:
        for each in facts:
            row = (PROVINCE, each.position, each.type, RECORDED_AT, BODY, LEAF_HASH)
            yield row if design is SIDE else (*row, each.tags)

    tag_rows = ((PROVINCE, tag, each.position, each.type) for each in facts for tag in each.tags)
    began = perf_counter()
    await owner.copy_records_to_table("events", records=event_rows(), schema_name=design.schema)
    if design is SIDE:
        await owner.copy_records_to_table("event_tags", records=tag_rows, schema_name=design.schema)
    for table in design.tables:
        await owner.execute(f"VACUUM (ANALYZE) {design.schema}.{table}")
    return perf_counter() - began


async def _size(owner: "Connection", design: Design) -> int:
    sizes = [
        await owner.fetchval("SELECT pg_total_relation_size($1::text::regclass)", f"{design.schema}.{table}")
        for table in design.tables
    ]
    return sum(sizes)


async def _measure_appends(
    connection: "Connection", role: str, figures: dict[str, float], *, start: int, events: int
) -> int:
    """Append batches, both designs in turns, so that the machine's moods meet both; return the last position."""
    batches = min(BATCHES_MAX, max(BATCHES_A_TURN, events // BATCH // 10))
    spent_s = dict.fromkeys(DESIGNS, 0.0)
    for turn in range(0, batches, BATCHES_A_TURN):
        for design in DESIGNS:
            await connection.execute(f"SET search_path = {design.schema}")
            append = await connection.prepare(design.append)
            for number in range(turn, turn + BATCHES_A_TURN):
                first = start + number * BATCH + 1
                values = _batch(design, [fact(position, events) for position in range(first, first + BATCH)])
                began = perf_counter()
                await append.fetch(PROVINCE, RECORDED_AT, *values)
                spent_s[design] += perf_counter() - began
    last = start + -(-batches // BATCHES_A_TURN) * BATCHES_A_TURN * BATCH
    for design in DESIGNS:
        figures[f"{design.name}_{role}_appends_per_s"] = (last - start) / spent_s[design]
    return last


def _batch(design: Design, facts: Sequence[Fact]) -> list[object]:
    """Return the columns of a batch as the design's append takes them."""
    events: list[object] = [
        [each.position for each in facts],
        [each.type for each in facts],
        [BODY] * len(facts),
        [LEAF_HASH] * len(facts),
    ]
    if design is GIN:
        return [*events, [" ".join(each.tags) for each in facts]]
    rows = [(each.position, tag, each.type) for each in facts for tag in each.tags]
    return [*events, [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]]


async def _measure_reads(connection: "Connection", role: str, figures: dict[str, float], events: int) -> None:
    asked = questions(events)
    found: dict[str, set[int]] = {}
    for design in DESIGNS:
        planning = "force_custom_plan" if design is GIN else "auto"
        await connection.execute(f"SET search_path = {design.schema}; SET plan_cache_mode = {planning}")
        read = await connection.prepare(design.read)
        for name, alternatives in asked.items():
            times_s: list[float] = []
            for question in alternatives:
                if len(times_s) >= READS_MIN and sum(times_s) > READ_BUDGET_S:
                    break
                began = perf_counter()
                rows = await read.fetch(PROVINCE, 0, events, *_asked(design, question))
                times_s.append(perf_counter() - began)
                positions = {row["position"] for row in rows}
                assert positions == found.setdefault(f"{name} {len(times_s)}", positions), "the designs must agree"
            figures[f"{design.name}_{role}_{name}_ms"] = median(times_s) * 1_000
        plan = await connection.fetch(f"EXPLAIN {design.read}", PROVINCE, 0, events, *_asked(design, asked["rare"][0]))
        conditions = [line[0] for line in plan if "Index Cond" in line[0]]
        figures[f"{design.name}_{role}_searches_tags"] = float(any("tag" in line for line in conditions))


def _asked(design: Design, question: Question) -> list[object]:
    if design is GIN:
        return [list(question.tags), list(question.types)]
    items = [0] * len(question.tags)
    return [items, list(question.tags), [0] * len(question.types), list(question.types), 2**62]
