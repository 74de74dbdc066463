"""Prometheus is told the exact lags of all provinces, by whichever worker it asks, and nobody but operators is."""

import asyncio
import time
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.operating.counting import Counts
from emulation_saas.operating.lags import Lags, Standing
from emulation_saas.operating.looking import Lookout
from emulation_saas.operating.metrics import KEPT_S, Metrics
from emulation_saas.streams.cursors import Cursors
from projections.roster import Roster
from tests.logs import open_province
from tests.operating.test_lags import agency
from tests.privacy.living import alive
from tests.projections.live import place

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1"
    ";q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """Return the values by name and the labels' values, in the order of the labels' names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


async def test_every_province_and_follower_is_told_of(database_url: str) -> None:
    async with place(database_url) as there:
        other = (await open_province(there.logs, "nam-song")).log
        head = await there.tell(agency("noi-vu"))
        await Cursors(there.database, there.log.province, "webhook").open("portal", position=head - 1)
        counts = Counts()
        open_here = {there.log.province: [head, head - 2, head + 1]}
        lookout = Lookout(counts, lambda: [there.log, other], lambda: open_here, lambda: ["upkeep ended"], lambda: 2)
        await there.log.past(head - 1)
        lookout.look()
        metrics = Metrics(there.logs.all, Lags(there.database, [Roster()]), counts.of_all, 1_000)
        elsewhere = (await other.head()).position
        told = samples(await metrics.text())
        assert time.time() - told.pop(("emulation_worker_seen_timestamp_seconds",)) < 60
        assert told == {
            ("emulation_log_events_max",): 1_000,
            ("emulation_logs_forked",): 2,
            ("emulation_workers",): 1,
            ("emulation_commands_queued", "bac-song"): 0,
            ("emulation_log_head", "bac-song"): head,
            ("emulation_log_head", "nam-song"): elsewhere,
            ("emulation_lag_events", "projection", "roster", "bac-song"): head,
            ("emulation_lag_events", "webhook", "portal", "bac-song"): 1,
            ("emulation_lag_events", "projection", "roster", "nam-song"): elsewhere,
            ("emulation_quarantined_documents", "roster", "bac-song"): 0,
            ("emulation_quarantined_documents", "roster", "nam-song"): 0,
            ("emulation_streams_open", "bac-song"): 3,
            ("emulation_streams_lag_events", "bac-song"): 2,
            ("emulation_loops_at_fault",): 1,
        }


class _Counted(Lags):
    """Counts how often it is asked."""

    asked = 0

    async def of(self, province: ProvinceId) -> Standing:
        self.asked += 1
        return await super().of(province)


async def test_many_who_ask_at_once_cost_one_scrape(database_url: str) -> None:
    async with place(database_url) as there:
        lags = _Counted(there.database, [Roster()])
        metrics = Metrics(there.logs.all, lags, list, 1_000)
        texts = await asyncio.gather(*(metrics.text() for _ in range(10)))
        assert (lags.asked, len(set(texts))) == (1, 1)
        await asyncio.sleep(KEPT_S + 0.1)
        await there.tell(agency("noi-vu"))
        assert await metrics.text() not in texts
        assert lags.asked == 2


async def test_metrics_are_for_operators(database_url: str, tmp_path: Path) -> None:
    async with alive(database_url, tmp_path) as living:
        answer = await living.ask("/metrics", sub="root", headers={"accept": PROMETHEUS})
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert samples(answer.content)["emulation_loops_at_fault",] == 0
        assert (await living.ask("/metrics")).status_code == 403
        assert (await living.ask("/metrics", sub="")).status_code == 401
        assert (await living.ask("/health/ready", sub="")).status_code == 200
