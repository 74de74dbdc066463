"""What Prometheus is told, whichever worker it asks: exact lags from the database, and what all workers have counted.

Heads and lags are of the whole service, and the same from every replica: take the `max` of them over replicas. What is
counted (`counting`) is of the workers of one replica: take the `sum`. A scrape reads one province after another on one
connection. Who asks while another scrape runs, or within a second after it, is told what that one found.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Final

from litestar import get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from emulation_saas.http.answers import ANSWERS, Answer
from emulation_saas.operating.counting import Located
from emulation_saas.operating.lags import Lags, Standing

KEPT_S: Final = 1.0
"""How long a scrape's answer serves the next one."""
_TEXT: Final = (b"content-type", CONTENT_TYPE_PLAIN_0_0_4.encode())


Provinces = Callable[[], Awaitable[Sequence[Located]]]


class Metrics:
    """Makes the text that Prometheus reads."""

    def __init__(
        self,
        provinces: Provinces,
        lags: Lags,
        counted: Callable[[], Iterable[Metric]],
        events_max: int,
    ) -> None:
        """Know nothing yet.

        Args:
            provinces: lists all provinces.
            lags: tells who follows their logs, and how far they are.
            counted: gives what the workers have counted.
            events_max: how many events a province's log is to hold.
        """
        self._provinces = provinces
        self._lags = lags
        self._counted = counted
        self._events_max = events_max
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
        return await asyncio.to_thread(self._spelled, standings)  # of thousands of provinces this is megabytes

    def _spelled(self, standings: Mapping[str, Standing]) -> bytes:
        registry = CollectorRegistry()
        registry.register(_Told([*_of_provinces(standings), _of_service(self._events_max), *self._counted()]))
        return generate_latest(registry)


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


def _of_service(events_max: int) -> Metric:
    return GaugeMetricFamily(
        "emulation_log_events_max", "Events that a province's log is to hold; then nothing new is begun", events_max
    )


def metrics_route(metrics: Metrics) -> HTTPRouteHandler:
    """Return the route that Prometheus asks, as an operator."""

    @get("/metrics", summary="Lags of all provinces, for Prometheus", opt={ANSWERS: {"text/plain": {"type": "string"}}})
    async def read_metrics() -> Answer:
        """Return how far behind everybody is who follows a log, in Prometheus' text format. For operators."""
        return Answer(await metrics.text(), status=200, headers=[_TEXT])

    return read_metrics
