"""What a worker counts while it serves: batches, refusals, how long answers take, who waits.

A scrape reaches one worker, and must tell of all. So where several serve, each keeps its figures in files beside those
of the others (``FOLDER_VARIABLE`` names the directory, which lasts as long as the service), and whoever is asked adds
them up. The files bear the worker's place, not its pid: who comes after it goes on with its counts, and there are never
more files than places. A worker holds a lock on its place, which the kernel frees when it ends: its state goes then,
but for when it was last seen, which ages until there is another.

How many series there may be: per province nine of batches and four of who waits; of refusals at most
``REFUSAL_SERIES_MAX`` new ones in a worker's life, later ones under the province ``""``. Only provinces that somebody
with a role in them asked for are named; nobody else can make a series.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from functools import cache, partial
from pathlib import Path
from typing import IO, Any, Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, multiprocess, values

from emulation_saas.http.exchange import Exchange, note_course
from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.log.course import Course, Watch
from emulation_saas.supervising import PLACE_VARIABLE

FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Names the directory of the workers' figures; the library looks for it when it is imported."""
REFUSAL_SERIES_MAX: Final = 10_000
"""Pairs of province and code that one worker counts refusals by; what comes beyond is counted without its province."""
_COMMANDS: Final = (1, 2, 4, 8, 16, 32)
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_RECORDED: Final = 201
_several: Final[Any] = multiprocess  # the library has no types for it
_values: Final[Any] = values  # nor for this


class Located(Protocol):
    """What is asked of a province's log here."""

    handle: str
    province: ProvinceId


class Counts:
    """The figures of one worker, and, where there are several, of all of them."""

    def __init__(self) -> None:
        """Count from nothing, or on from what was counted in the place of this worker."""
        self._place = _take_place()
        self._kept = kept = CollectorRegistry()
        of_province = ["province"]
        self._commands = Histogram(
            "emulation_batch_commands",
            "Commands that were decided and appended together",
            of_province,
            buckets=_COMMANDS,
            registry=kept,
        )
        self._events = Counter(
            "emulation_appended_events", "Events that workers of this service appended", of_province, registry=kept
        )
        self._stages = Counter(
            "emulation_batch_stage_seconds",
            "Time that batches spent; stage: lock, read, decide, append",
            ["province", "stage"],
            registry=kept,
        )
        self._refusals = Counter(
            "emulation_refusals", "Requests that were refused or failed", ["province", "code"], registry=kept
        )
        self._refused_by: set[tuple[str, str]] = set()
        self._waited: set[str] = set()
        self._seconds = Histogram(
            "emulation_request_seconds",
            "From a request's head to the head of its answer; kind: command, question, stream",
            ["kind"],
            buckets=_SECONDS,
            registry=kept,
        )
        self._queued = _gauge(kept, "emulation_commands_queued", "Commands that wait to be decided", of_province)
        self._streams = _gauge(kept, "emulation_streams_open", "Streams of events that are open", of_province)
        self._behind = _gauge(
            kept, "emulation_streams_lag_events", "Lag of the stream that is furthest behind", of_province, "livemax"
        )
        self._faults = _gauge(kept, "emulation_loops_at_fault", "Loops of workers that ended or do not move")
        self._forked = _gauge(
            kept, "emulation_logs_forked", "Logs that contradict what was signed of them", (), "livemax"
        )
        self._workers = _gauge(kept, "emulation_workers", "Workers that live")
        self._seen = _gauge(
            kept,
            "emulation_worker_seen_timestamp_seconds",
            "When the worker that was silent for longest last told of itself",
            (),
            "min",  # not a live one: it outlives the worker
        )

    def of(self, province: str) -> Watch:
        """Return who counts what the commands of a province come to."""
        return _OfProvince(
            partial(self._commands.labels, province),
            partial(self._events.labels, province),
            partial(self._stages.labels, province),
        )

    def request_ended(self, exchange: Exchange, scope: Any) -> None:  # noqa: ANN401 - the server's ASGI scope
        """Count a request that is over."""
        if exchange.answered_s is not None:
            self._seconds.labels(_kind(exchange, scope)).observe(exchange.answered_s)
        if exchange.code is None:
            return
        refused_by = exchange.province or "", exchange.code
        if refused_by not in self._refused_by:
            if len(self._refused_by) >= REFUSAL_SERIES_MAX:
                refused_by = "", exchange.code
            self._refused_by.add(refused_by)
        self._refusals.labels(*refused_by).inc()

    def waits(self, province: str, *, queued: int, streams: int, behind: int) -> None:
        """Say who waits in a province just now; of those where nobody ever did, nothing is told.

        Args:
            province: its handle.
            queued: commands that wait to be decided.
            streams: streams of events that are open.
            behind: events between the head and the stream that is furthest behind.
        """
        if queued or streams or province in self._waited:
            self._waited.add(province)
            self._queued.labels(province).set(queued)
            self._streams.labels(province).set(streams)
            self._behind.labels(province).set(behind)

    def lives(self, *, faults: int, forked: int) -> None:
        """Say that this worker lives, how many of its loops do not, and how many logs it may not sign."""
        self._faults.set(faults)
        self._forked.set(forked)
        self._workers.set(1)
        self._seen.set(time.time())

    def of_all(self) -> Iterable[Metric]:
        """Give the figures of all workers of this service; where it is one process, its own."""
        folder = os.environ.get(FOLDER_VARIABLE)
        if folder is None:
            return self._kept.collect()
        _forget_ended(Path(folder))
        collected: Iterable[Metric] = _several.MultiProcessCollector(None, folder).collect()
        return collected


class _OfProvince:
    """Counts for one province; its series are looked up once."""

    def __init__(
        self, commands: Callable[[], Histogram], events: Callable[[], Counter], stage: Callable[[str], Counter]
    ) -> None:
        self._commands = cache(commands)
        self._events = cache(events)
        self._stage = cache(stage)

    def batch_ended(self, course: Course) -> None:
        self._commands().observe(course.commands)
        self._events().inc(course.events)
        for stage in course.stages():
            self._stage(stage.name).inc((stage.ended_ns - stage.began_ns) / 1e9)

    def command_ended(self, course: Course) -> None:
        note_course(course)


def _gauge(
    registry: CollectorRegistry,
    name: str,
    told: str,
    labels: Sequence[str] = (),
    mode: Any = "livesum",  # noqa: ANN401 - the library's own literal
) -> Gauge:
    return Gauge(name, told, labels, registry=registry, multiprocess_mode=mode)


def _kind(exchange: Exchange, scope: Any) -> str:  # noqa: ANN401 - as above
    if exchange.is_aside:
        return "stream"
    handler = scope.get("route_handler")
    is_command = scope["method"] == "POST" and (handler is None or handler.status_code == _RECORDED)
    return "command" if is_command else "question"


def _take_place() -> IO[bytes] | None:
    """Have the figures kept in the files of this worker's place, if it has one; return what holds it."""
    folder, place = os.environ.get(FOLDER_VARIABLE), os.environ.get(PLACE_VARIABLE)
    if folder is None or place is None:
        return None
    held = _lock_of(Path(folder), place)
    flock(held, LOCK_EX)  # who lived here has ended; at most somebody just lets its state go
    _several.mark_process_dead(place, folder)
    _values.ValueClass = _values.MultiProcessValue(lambda: place)
    return held


def _forget_ended(folder: Path) -> None:
    """Let the state of workers that have ended go; what they counted stays."""
    for place in {path.stem.rpartition("_")[2] for path in folder.glob("gauge_live*.db")}:
        with _lock_of(folder, place) as lock, suppress(BlockingIOError):
            flock(lock, LOCK_EX | LOCK_NB)
            _several.mark_process_dead(place, str(folder))


def _lock_of(folder: Path, place: str) -> IO[bytes]:
    return (folder / f"{place}.lock").open("ab")
