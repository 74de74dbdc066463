"""(f) Questions about answers at 100 000 events of fifty blocs' years: as of, explained, compared, supposed, digested.

Documents are built before; as of is asked for halfway, so that what is stored does not answer it.
"""

from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

import uvloop

from emulation_saas.log import Codec, Registry
from emulation_saas.postgres.database import Database, open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.projecting.comparing import difference
from emulation_saas.projecting.digesting import digest_at, digest_of
from emulation_saas.projecting.effects import effects_of
from emulation_saas.projecting.explaining import Wanted, explain
from emulation_saas.projecting.finding import Finder
from emulation_saas.projecting.reading import Query, Reader
from emulation_saas.projecting.rebuild import rebuild
from emulation_saas.projecting.supposing import Supposer, suppose
from emulation_saas.projecting.suppositions import SuppositionBody
from emulation_saas.wiring import EVENT_TYPES, require_sound
from projections import PROJECTIONS
from tests.bench.figures import Row, medians
from tests.bench.rebuilding import EVENTS_A_YEAR, fill
from tests.database import fresh_database, superuser
from tests.logs import Opened, open_province, running_logs
from tests.scenario import ADMIN

EVENTS: Final = 100_000
EVENTS_QUICK: Final = 20_000
ASKED: Final = 30
COMPARED: Final = 250
"""Events between the two sides of a comparison."""
TITLE: Final = "(f) Questions about answers, of a bloc's year of 2 000 events in a log of 100 000"
PATH: Final = "/blocs/khoi-3/years/2015/standings"


def measure(
    server: EmbeddedPostgres, *, rounds: int, quick: bool, say: Callable[[str], None]
) -> tuple[dict[str, float], list[Row]]:
    """Fill a log, build the documents, then ask."""
    figures = uvloop.run(_measured(server, rounds, EVENTS_QUICK if quick else EVENTS, say))
    rows = [
        Row("standings as of halfway, median", figures["as_of_ms"], "ms"),
        Row("a rank explained down to its events, median", figures["explain_ms"], "ms"),
        Row("the same as of halfway, median", figures["explain_as_of_ms"], "ms"),
        Row("effects of an appraisal, median", figures["effects_ms"], "ms"),
        Row(f"diff over {COMPARED} events with their causes, median", figures["diff_ms"], "ms"),
        Row("what-if without one event, median", figures["what_if_ms"], "ms"),
        Row("digest of everything over the log", figures["digest_ms"], "ms"),
        Row("the same, events decoded before", figures["digest_decoded_ms"], "ms"),
    ]
    return figures, rows


async def _measured(server: EmbeddedPostgres, rounds: int, events: int, say: Callable[[str], None]) -> dict[str, float]:
    url = await fresh_database(server)
    async with (
        running_logs(url) as logs,
        open_database(url) as database,
        superuser(server, urlsplit(url).path.removeprefix("/")) as root,
    ):
        opened = await open_province(logs)
        say(f"(f) writing {events} events")
        first = await fill(root, Codec(Registry(EVENT_TYPES)), opened, events)
        for projection in PROJECTIONS:
            await rebuild(opened.log, database, projection)
        await opened.log.root(first)  # builds the tiles that are missing
        measured: list[dict[str, float]] = []
        for number in range(rounds):
            say(f"(f) round {number + 1} of {rounds}")
            measured.append(await _round(opened, database, first))
    return medians(measured)


async def _round(opened: Opened, database: Database, first: int) -> dict[str, float]:
    log, finder, reader = opened.log, Finder(database, PROJECTIONS), Reader(database)
    named = finder.named(PATH, ADMIN)
    begin = first + 3 * EVENTS_A_YEAR
    halfway, end = begin + EVENTS_A_YEAR // 2, begin + EVENTS_A_YEAR - 1
    rank = Wanted(path=PATH, figure="rank/so-7")
    past = Wanted(path=PATH, figure="rank/so-7", as_of=str(halfway))
    start = str(end - COMPARED)
    supposed = SuppositionBody(path=PATH, as_of=end, without=[end - 3])
    query, supposer = Query(as_of=str(halfway)), Supposer(finder, require_sound)
    figures = {
        "as_of_ms": await _ms(lambda: reader.read(log, ADMIN, (named.projection, named.view), named.where, query)),
        "explain_ms": await _ms(lambda: explain(finder, log, ADMIN, rank)),
        "explain_as_of_ms": await _ms(lambda: explain(finder, log, ADMIN, past)),
        "effects_ms": await _ms(lambda: effects_of(finder, log, ADMIN, end - 5, None)),
        "diff_ms": await _ms(
            lambda: difference(finder, log, ADMIN, PATH, start=start, end=str(end), valid_on=None), asked=3
        ),
        "what_if_ms": await _ms(lambda: suppose(supposer, log, ADMIN, supposed)),
    }
    began = perf_counter()
    digest = await digest_at(finder, log, ADMIN, None)
    figures["digest_ms"] = (perf_counter() - began) * 1000
    recorded = await log.recorded()
    began = perf_counter()
    assert digest_of(PROJECTIONS, recorded).digest == digest.digest
    figures["digest_decoded_ms"] = (perf_counter() - began) * 1000
    return figures


async def _ms(ask: Callable[[], Awaitable[object]], *, asked: int = ASKED) -> float:
    """Return how long an answer takes, in the middle of many."""
    spent: list[float] = []
    for _ in range(asked):
        began = perf_counter()
        await ask()
        spent.append((perf_counter() - began) * 1000)
    return median(spent)
