"""(c) Rebuild of the standings from a log of scores, against bare decode and COPY of the same events.

The events are synthetic, but written by the real codec into a real log: gapless, with tags, leaf hashes and frontier.
"""

import gc
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from time import perf_counter
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from uuid import uuid4

import uvloop

from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.log import Codec, ProvinceLog, Registry
from emulation_saas.log.codec import Place
from emulation_saas.log.frontier import Frontier, leaf_hash
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.projecting.rebuild import rebuild
from emulation_saas.scoring.events import Rank, RankingFrozen, ScoreAppraised, SelfScore, SelfScoreSubmitted
from emulation_saas.wiring import EVENT_TYPES
from emulation_saas.years.events import Rules, YearOpened
from projections.standings import Standings
from tests.bench.figures import Row, medians
from tests.bench.world import scheme
from tests.database import fresh_database, superuser
from tests.logs import Opened, open_province, running_logs

if TYPE_CHECKING:
    from asyncpg import Record

    from tests.database import Connection

EVENTS: Final = 200_000
EVENTS_QUICK: Final = 40_000
EVENTS_A_YEAR: Final = 2_000
"""Of one bloc's year: its opening, a sheet of each member, two rankings, and appraisals."""
MEMBERS: Final = 20
CRITERIA: Final = 30
CHUNK: Final = 20_000
TITLE: Final = "(c) Rebuild of the standings: read, decode, fold, write; events/s"
_SIDE_TABLE: Final = "CREATE TABLE public.bench_copy (LIKE public.events INCLUDING ALL)"
_ROWS: Final = (
    "SELECT province_id, position, type, recorded_at, body, leaf_hash FROM events WHERE position > $1 ORDER BY position"
)
_COLUMNS: Final = ("province_id", "position", "type", "recorded_at", "body", "leaf_hash")


def measure(
    server: EmbeddedPostgres, *, rounds: int, quick: bool, say: Callable[[str], None]
) -> tuple[dict[str, float], list[Row]]:
    """Fill a log, then measure rebuild, decode and COPY in turns."""
    figures = uvloop.run(_measured(server, rounds, EVENTS_QUICK if quick else EVENTS, say))
    rate = figures["rebuild_events_per_s"]
    figures["rebuild_vs_decode_ratio"] = rate / figures["decode_events_per_s"]
    figures["rebuild_vs_copy_in_ratio"] = rate / figures["copy_in_rows_per_s"]
    figures["rebuild_vs_copy_out_ratio"] = rate / figures["copy_out_rows_per_s"]
    rows = [
        Row("rebuild", rate, "events/s", demanded=200_000),
        Row("", rate, "", "bare decode", figures["rebuild_vs_decode_ratio"]),
        Row("", rate, "", "COPY of the rows out", figures["rebuild_vs_copy_out_ratio"]),
        Row("", rate, "", "COPY of the rows in", figures["rebuild_vs_copy_in_ratio"]),
        Row("decode, rows in memory", figures["decode_events_per_s"], "events/s"),
        Row("COPY of the rows out", figures["copy_out_rows_per_s"], "rows/s"),
        Row("COPY of the rows in, indexes kept", figures["copy_in_rows_per_s"], "rows/s"),
    ]
    return figures, rows


async def _measured(server: EmbeddedPostgres, rounds: int, events: int, say: Callable[[str], None]) -> dict[str, float]:
    url = await fresh_database(server)
    codec = Codec(Registry(EVENT_TYPES))
    measured: list[dict[str, float]] = []
    async with (
        running_logs(url) as logs,
        open_database(url) as database,
        superuser(server, urlsplit(url).path.removeprefix("/")) as root,
    ):
        opened = await open_province(logs)
        say(f"(c) writing {events} events")
        first = await fill(root, codec, opened, events)
        await root.execute(_SIDE_TABLE)
        for number in range(rounds):
            say(f"(c) round {number + 1} of {rounds}: rebuild, decode, COPY")
            began = perf_counter()
            rebuilt = await rebuild(opened.log, database, Standings())
            rebuild_s = perf_counter() - began
            assert (rebuilt.events, rebuilt.documents, rebuilt.quarantined) == (events, events // EVENTS_A_YEAR, 0)
            rows = await root.fetch(_ROWS, first - 1)
            measured.append(
                {
                    "rebuild_events_per_s": events / rebuild_s,
                    "decode_events_per_s": events / _decode_s(codec, rows),
                    "copy_out_rows_per_s": events / await _copy_out_s(root),
                    "copy_in_rows_per_s": events / await _copy_in_s(root, rows),
                }
            )
            del rows
    return medians(measured)


async def fill(root: "Connection", codec: Codec, opened: Opened, events: int) -> int:
    """Append events by COPY, past the service; return the position of the first."""
    log: ProvinceLog = opened.log
    head = await log.head()
    frontier = Frontier(head.position, head.frontier)
    recorded_at = max(utc_now(), head.recorded_at) + timedelta(microseconds=1)
    rows: list[tuple[object, ...]] = []
    tags: list[tuple[object, ...]] = []
    for event in _events(events):
        place = Place(
            province=log.province,
            position=frontier.size + 1,
            recorded_at=recorded_at,
            time=None,
            actor=opened.admin,
            command_id=uuid4(),
            salt=bytes(16),
        )
        body = codec.encode(event, place, None)
        hashed = leaf_hash(body)
        frontier.append(hashed)
        rows.append((log.province, place.position, event.type, recorded_at, body, hashed))
        tags += [(log.province, tag, place.position, event.type) for tag in event.tags()]
        if len(rows) == CHUNK or place.position == head.position + events:
            await root.copy_records_to_table("events", records=rows, columns=_COLUMNS)
            await root.copy_records_to_table("event_tags", records=tags)
            rows, tags = [], []
    await root.execute(
        "UPDATE log_head SET position = $2, recorded_at = $3, frontier = $4, root = $5 WHERE province_id = $1",
        log.province,
        frontier.size,
        recorded_at,
        frontier.peaks,
        frontier.root(),
    )
    for table in ("events", "event_tags"):
        await root.execute(f"VACUUM (ANALYZE) {table}")
    return head.position + 1


def _events(many: int) -> Iterator[Event]:
    """Return the events of as many blocs' years as it takes, one after the other."""
    opening = scheme(CRITERIA)
    rules = Rules(legal_basis="QC 1", leaders_max=1, self_vote=True, disputes_suspend_nominations=False)
    agencies = [AgencyId(f"so-{number}") for number in range(MEMBERS)]
    for number in range(many // EVENTS_A_YEAR):
        bloc, year = BlocId(f"khoi-{number % 10}"), 2015 + number // 10
        yield YearOpened(bloc=bloc, year=year, scheme=opening, rules=rules)
        for agency in agencies:
            yield SelfScoreSubmitted(bloc=bloc, year=year, agency=agency, points=_sheet())
        for appraisal in range(EVENTS_A_YEAR - 1 - MEMBERS - 2):
            yield ScoreAppraised(
                bloc=bloc,
                year=year,
                agency=agencies[appraisal % MEMBERS],
                criterion=f"tieu-chi-{appraisal // MEMBERS % CRITERIA}",
                points=Decimal(appraisal % 40) / 4,
                reasons="Thiếu minh chứng cho quý IV",
                stage="bloc",
            )
        ranks = [
            Rank(agency=agency, points=Decimal(200 - place), rank=place) for place, agency in enumerate(agencies, 1)
        ]
        for version in (1, 2):
            yield RankingFrozen(bloc=bloc, year=year, version=version, ranks=ranks)


def _sheet() -> list[SelfScore]:
    return [
        SelfScore(criterion=f"tieu-chi-{number}", points=Decimal("9.5"), explanation="Đã hoàn thành", evidence=[])
        for number in range(CRITERIA)
    ]


def _decode_s(codec: Codec, rows: "list[Record]") -> float:
    """Decode and drop every row; return how long it took, without what looking for cycles costs."""
    gc.disable()
    began = perf_counter()
    for row in rows:
        codec.decode(row["type"], row["body"], None)
    spent_s = perf_counter() - began
    gc.enable()
    return spent_s


async def _copy_out_s(root: "Connection") -> float:
    async def drop(_: bytes) -> None:
        """Take a part and forget it."""

    began = perf_counter()
    await root.copy_from_table("events", output=drop, columns=_COLUMNS, format="binary")
    return perf_counter() - began


async def _copy_in_s(root: "Connection", rows: "list[Record]") -> float:
    records = [tuple(row) for row in rows]
    await root.execute("TRUNCATE public.bench_copy")
    began = perf_counter()
    await root.copy_records_to_table("bench_copy", records=records, columns=_COLUMNS)
    return perf_counter() - began
