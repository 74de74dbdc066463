"""(h) Catching up with 100 000 events over HTTP, as lines and in pages, against `COPY` of the same bytes.

Whoever reads does nothing with what comes, over HTTP as by COPY. Both use one connection of the service's role: of the
worker's pool there, of our own here.
"""

import http.client
import sys
import time
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

import msgspec
import uvloop

from emulation_saas.http.limits import PAGE_MAX
from emulation_saas.http.local_issuer import ISSUER, LocalIssuer
from emulation_saas.log import Codec, Registry
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.serving import worker_environment
from emulation_saas.wiring import EVENT_TYPES
from tests.bench.figures import Row, medians
from tests.bench.rebuilding import fill
from tests.bench.serving import Worker, serving, unbound, with_tests
from tests.bench.world import build
from tests.database import fresh_database, superuser
from tests.logs import Opened, keep_master_key, running_logs

EVENTS: Final = 100_000
EVENTS_QUICK: Final = 20_000
PROVINCE: Final = "doc-lai"
READ_BYTES: Final = 1 << 20
TITLE: Final = "(h) Catching up with a log of 100 000 events over HTTP, one reader, one worker; events/s"
_BODIES: Final = "SELECT body FROM events WHERE province_id = $1 AND position > $2 ORDER BY position"


def measure(
    server: EmbeddedPostgres, folder: Path, *, rounds: int, quick: bool, say: Callable[[str], None]
) -> tuple[dict[str, float], list[Row]]:
    """Fill a log, then read all of it in turns."""
    events = EVENTS_QUICK if quick else EVENTS
    say(f"(h) writing {events} events")
    url, opened, first, sub = uvloop.run(_filled(server, events))
    keep_master_key(folder)
    token = LocalIssuer(folder).issue(sub)
    env = with_tests(worker_environment(unbound(folder), url=url, local=True))
    program = [sys.executable, "-m", "emulation_saas", "worker"]
    measured: list[dict[str, float]] = []
    with serving(program, env=env, log=folder / "worker.log", health="/health/ready") as worker:
        say("(h) waiting until the documents are built and the log is signed")
        _settle(worker, token)
        for number in range(rounds):
            say(f"(h) round {number + 1} of {rounds}: lines, pages, COPY")
            measured.append(
                {
                    "feed_lines_events_per_s": events / _lines_s(worker, token, first - 1),
                    "feed_pages_events_per_s": events / _pages_s(worker, token, first - 1, events),
                    "copy_bodies_rows_per_s": events / uvloop.run(_copy_s(url, opened, first - 1)),
                }
            )
    figures = medians(measured)
    copied = figures["copy_bodies_rows_per_s"]
    lines, pages = figures["feed_lines_events_per_s"], figures["feed_pages_events_per_s"]
    figures["feed_vs_copy_ratio"] = lines / copied
    figures["feed_pages_vs_copy_ratio"] = pages / copied
    return figures, [
        Row("lines (NDJSON)", lines, "events/s", "COPY of the same rows", lines / copied, 0.5),
        Row(f"pages of {PAGE_MAX}", pages, "events/s", "COPY of the same rows", pages / copied),
        Row("COPY of the same rows out", copied, "rows/s"),
    ]


async def _filled(server: EmbeddedPostgres, events: int) -> tuple[str, Opened, int, str]:
    url = await fresh_database(server)
    async with running_logs(url) as logs, superuser(server, urlsplit(url).path.removeprefix("/")) as root:
        world = await build(logs, PROVINCE, voters=1, ballots=1)
        log = await logs.find(world.province)
        assert log is not None
        sub = f"{PROVINCE}/admin"
        admin = await log.person_of(ISSUER, sub)
        assert admin is not None
        opened = Opened(log, admin)
        return url, opened, await fill(root, Codec(Registry(EVENT_TYPES)), opened, events), sub


def _settle(worker: Worker, token: str) -> None:
    """Wait until the worker has nothing else to do: nobody is behind, and the newest checkpoint is the head's."""
    while True:
        lag = msgspec.json.decode(_got(worker, "lag", token, "application/json"))
        note = _got(worker, "log/checkpoint", token, "text/plain").decode()
        if not any(each["lag"] for each in lag["projections"]) and int(note.splitlines()[1]) == lag["head"]:
            return
        time.sleep(0.5)


def _got(worker: Worker, path: str, token: str, accept: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", worker.port, timeout=120)
    connection.request("GET", f"/v1/provinces/{PROVINCE}/{path}", headers=_headers(token, accept))
    body = connection.getresponse().read()
    connection.close()
    return body


def _lines_s(worker: Worker, token: str, after: int) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", worker.port, timeout=120)
    began = perf_counter()
    connection.request("GET", _path(after), headers=_headers(token, "application/x-ndjson"))
    answer = connection.getresponse()
    assert answer.status == http.client.OK, answer.read()
    while answer.read(READ_BYTES):
        pass
    spent_s = perf_counter() - began
    connection.close()
    return spent_s


def _pages_s(worker: Worker, token: str, after: int, events: int) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", worker.port, timeout=120)
    last = after + events
    began = perf_counter()
    while after < last:
        headers = _headers(token, "application/cloudevents-batch+json")
        connection.request("GET", f"{_path(after)}&limit={PAGE_MAX}", headers=headers)
        answer = connection.getresponse()
        assert answer.status == http.client.OK, answer.read()
        answer.read()
        after = int(answer.headers["log-scanned-to"])
    spent_s = perf_counter() - began
    connection.close()
    return spent_s


def _path(after: int) -> str:
    return f"/v1/provinces/{PROVINCE}/events?after={after}"


def _headers(token: str, accept: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "accept": accept}


async def _copy_s(url: str, opened: Opened, after: int) -> float:
    async def drop(_: bytes) -> None:
        """Take a part and forget it."""

    async with open_database(url) as database, database.in_province(opened.log.province) as connection:
        began = perf_counter()
        await connection.copy_from_query(_BODIES, opened.log.province, after, output=drop, format="binary")
        return perf_counter() - began
