"""What workers count is added up over all of them, by province and code, in a number of series that is bounded."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from emulation_saas.http.exchange import Exchange
from emulation_saas.operating import counting
from emulation_saas.operating.counting import FOLDER_VARIABLE, Counts
from emulation_saas.supervising import PLACE_VARIABLE
from tests.operating.test_metrics import samples
from tests.privacy.living import HERE, pledged

WORKER: Final = """
import sys
from emulation_saas.http.exchange import Exchange
from emulation_saas.log.course import Course
from emulation_saas.operating.counting import Counts

counts = Counts()
course = Course(3)
course.enter("decide")
course.end()
course.events = 2
counts.of("bac-song").batch_ended(course)
exchange = Exchange()
exchange.province, exchange.code = "bac-song", "busy"
counts.request_ended(exchange, {"method": "GET"})
counts.waits("bac-song", queued=4, streams=int(sys.argv[1]), behind=int(sys.argv[1]))
counts.lives(faults=1, forked=0)
print("ready", flush=True)
sys.stdin.read()
"""


def scraped(counts: Counts) -> dict[tuple[str, ...], float]:
    """Return what is told, by name and the labels' values."""

    class Told(Collector):
        def collect(self) -> object:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] - as it is made
            return counts.of_all()

    registry = CollectorRegistry()
    registry.register(Told())
    return samples(generate_latest(registry))


def worker(folder: Path, streams: int, *, place: int, script: str = WORKER) -> "subprocess.Popen[bytes]":
    """Start a process that counts in a place, and return once it has."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(streams)],
        env={**os.environ, FOLDER_VARIABLE: str(folder), PLACE_VARIABLE: str(place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def end(process: "subprocess.Popen[bytes]") -> None:
    """Let a worker end, and be gone."""
    process.communicate()


def test_counts_of_ended_workers_stay_and_their_state_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    first, second = worker(tmp_path, 5, place=1), worker(tmp_path, 7, place=2)
    here = Counts()
    try:
        told = scraped(here)
        assert told["emulation_appended_events_total", "bac-song"] == 4
        assert told["emulation_batch_commands_sum", "bac-song"] == 6
        assert told["emulation_batch_commands_bucket", "4.0", "bac-song"] == 2
        assert told["emulation_refusals_total", "busy", "bac-song"] == 2
        assert told["emulation_streams_open", "bac-song"] == 12
        assert told["emulation_streams_lag_events", "bac-song"] == 7
        assert told["emulation_commands_queued", "bac-song"] == 8
        assert told["emulation_workers",] == 2
        assert told["emulation_loops_at_fault",] == 2
    finally:
        end(second)
    try:
        told = scraped(here)
        assert told["emulation_refusals_total", "busy", "bac-song"] == 2
        assert told["emulation_streams_open", "bac-song"] == 5
        assert told["emulation_streams_lag_events", "bac-song"] == 5
        assert told["emulation_workers",] == 1
    finally:
        end(first)


def test_successor_goes_on_with_the_counts_of_its_place_and_not_with_the_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    here, silent = Counts(), WORKER.replace("counts.waits(", "0 and counts.waits(")
    end(worker(tmp_path, 5, place=1))
    files = {path.name for path in tmp_path.iterdir()}
    for lives in range(2, 5):
        process = worker(tmp_path, 5, place=1, script=silent)
        try:
            told = scraped(here)
            assert told["emulation_refusals_total", "busy", "bac-song"] == lives
            assert told["emulation_batch_commands_bucket", "4.0", "bac-song"] == lives
            assert told["emulation_workers",] == 1
            assert ("emulation_streams_open", "bac-song") not in told, "nobody waits there"
        finally:
            end(process)
        assert {path.name for path in tmp_path.iterdir()} == files


def test_place_in_which_no_worker_lives_is_silent_for_ever_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    seen: Final = ("emulation_worker_seen_timestamp_seconds",)
    before = time.time()
    end(worker(tmp_path, 5, place=1))
    after = time.time()
    other = worker(tmp_path, 5, place=2)
    try:
        told = scraped(Counts())
        assert before < told[seen] < after
        assert told["emulation_workers",] == 1
    finally:
        end(other)


async def test_requests_of_the_service_are_counted_by_kind_and_code(database_url: str, tmp_path: Path) -> None:
    async with pledged(database_url, tmp_path) as living:
        assert (await living.do(f"{HERE}/agencies", {"agency": "BAD"})).status_code == 422
        assert (await living.ask("/v1/provinces/nam-song/standings")).status_code == 404
        assert (await living.ask("/v1/provinces/la-lung/lag")).status_code == 404
        text = (await living.ask("/metrics", sub="root")).content
    told = samples(text)
    assert told["emulation_refusals_total", "malformed-body", "bac-song"] == 1
    assert told["emulation_refusals_total", "no-such-province", ""] == 1
    assert told["emulation_appended_events_total", "bac-song"] >= 7
    assert told["emulation_request_seconds_count", "command"] >= 7
    assert told["emulation_request_seconds_count", "question"] >= 2
    assert told["emulation_log_events_max",] == 20_000_000
    assert not [key for key in told if "la-lung" in key], "only provinces that somebody has a role in are named"


def test_series_of_refusals_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "REFUSAL_SERIES_MAX", 2)
    counts = Counts()
    for province in ("mot", "hai", "ba", "mot", "bon"):
        exchange = Exchange()
        exchange.province, exchange.code = province, "busy"
        counts.request_ended(exchange, {"method": "GET"})
    told = {key: value for key, value in scraped(counts).items() if key[0] == "emulation_refusals_total"}
    assert told == {
        ("emulation_refusals_total", "busy", "mot"): 2,
        ("emulation_refusals_total", "busy", "hai"): 1,
        ("emulation_refusals_total", "busy", ""): 2,
    }


def test_who_waits_is_told_until_nobody_does() -> None:
    counts = Counts()
    counts.waits("mot", queued=0, streams=0, behind=0)
    assert ("emulation_streams_open", "mot") not in scraped(counts)
    counts.waits("mot", queued=1, streams=2, behind=3)
    assert scraped(counts)["emulation_streams_lag_events", "mot"] == 3
    counts.waits("mot", queued=0, streams=0, behind=0)
    assert scraped(counts)["emulation_streams_open", "mot"] == 0
