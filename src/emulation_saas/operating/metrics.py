"""What Prometheus is told: exact lags of all provinces, from the database, whichever worker it asks.

The figures are of the whole service, but for those that bear the label `process`: these are the worker's that answered.
A scrape reads one province after another on one connection. Who asks while another scrape runs, or within a second
after it, is told what that one found.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Final, Protocol

from litestar import get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from emulation_saas.http.answers import ANSWERS, Answer
from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.operating.lags import Lags, Standing

KEPT_S: Final = 1.0
"""How long a scrape's answer serves the next one."""
_TEXT: Final = (b"content-type", CONTENT_TYPE_PLAIN_0_0_4.encode())


class Located(Protocol):
    """What is asked of a province's log here."""

    handle: str
    province: ProvinceId


Provinces = Callable[[], Awaitable[Sequence[Located]]]


class Metrics:
    """Makes the text that Prometheus reads."""

    def __init__(
        self,
        provinces: Provinces,
        lags: Lags,
        streams: Callable[[ProvinceId], Sequence[int]],
        faults: Callable[[], Sequence[str]],
    ) -> None:
        """Know nothing yet.

        Args:
            provinces: lists all provinces.
            lags: tells who follows their logs, and how far they are.
            streams: the positions of a province's streams that are open at this worker.
            faults: what is wrong with this worker's loops.
        """
        self._provinces = provinces
        self._lags = lags
        self._streams = streams
        self._faults = faults
        self._scraping = asyncio.Lock()
        self._text = b""
        self._made_at = float("-inf")

    async def text(self) -> bytes:
        """Return all metrics in the text format, at most a second old."""
        async with self._scraping:
            if monotonic() - self._made_at > KEPT_S:
                self._text = await self._made()
                self._made_at = monotonic()
            return self._text

    async def _made(self) -> bytes:
        provinces = await self._provinces()
        standings = {log.handle: await self._lags.of(log.province) for log in provinces}
        streams = {log.handle: found for log in provinces if (found := self._streams(log.province))}
        told = [*_of_provinces(standings), *_of_streams(streams, standings), _of_worker(self._faults())]
        registry = CollectorRegistry()
        registry.register(_Told(told))
        return await asyncio.to_thread(generate_latest, registry)  # of thousands of provinces this is megabytes


class _Told(Collector):
    """Hands over metrics that are made already."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _of_provinces(standings: Mapping[str, Standing]) -> list[Metric]:
    head = GaugeMetricFamily("emulation_log_head", "Position of the newest event of a log", labels=["province"])
    lag = GaugeMetricFamily(
        "emulation_lag_events",
        "Events between the position of who follows a log and its head; kind: projection, bridge, consumer, webhook",
        labels=["province", "kind", "name"],
    )
    quarantined = GaugeMetricFamily(
        "emulation_quarantined_documents",
        "Documents that stand still since an event could not be folded into them",
        labels=["province", "projection"],
    )
    for province, standing in standings.items():
        head.add_metric([province], standing.head)
        for follower in standing.followers:
            lag.add_metric([province, follower.kind, follower.name], follower.lag)
            if follower.kind == "projection":
                quarantined.add_metric([province, follower.name], follower.quarantined)
    return [head, lag, quarantined]


def _of_streams(streams: Mapping[str, Sequence[int]], standings: Mapping[str, Standing]) -> list[Metric]:
    of = ["process", "province"]
    count = GaugeMetricFamily("emulation_streams_open", "Streams of events open at this worker", labels=of)
    worst = GaugeMetricFamily("emulation_streams_lag_events", "Lag of the one that is furthest behind", labels=of)
    for province, positions in streams.items():
        labels = [str(os.getpid()), province]
        count.add_metric(labels, len(positions))
        worst.add_metric(labels, max(0, standings[province].head - min(positions)))
    return [count, worst]


def _of_worker(faults: Sequence[str]) -> Metric:
    stopped = GaugeMetricFamily(
        "emulation_loops_at_fault", "Loops of this worker that ended or do not move", labels=["process"]
    )
    stopped.add_metric([str(os.getpid())], len(faults))
    return stopped


def metrics_route(metrics: Metrics) -> HTTPRouteHandler:
    """Return the route that Prometheus asks, as an operator."""

    @get("/metrics", summary="Lags of all provinces, for Prometheus", opt={ANSWERS: {"text/plain": {"type": "string"}}})
    async def read_metrics() -> Answer:
        """Return how far behind everybody is who follows a log, in Prometheus' text format. For operators."""
        return Answer(await metrics.text(), status=200, headers=[_TEXT])

    return read_metrics
