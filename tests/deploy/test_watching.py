"""What is watched exists: each query of the dashboard and of the alerts names metrics that the service tells."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import promql_parser
import pytest
import yaml

from emulation_saas.audit.refusals import LogForked
from emulation_saas.backups.streaming import SLOT
from emulation_saas.http.refusals import ProvinceOverShare, TooManyRequests, status_of
from emulation_saas.operating.counting import Counts
from emulation_saas.operating.lags import Lags
from emulation_saas.operating.metrics import Metrics
from emulation_saas.projecting.refusals import ProjectionBehind
from projections.roster import Roster
from tests.law.readme_tables import every_rejection
from tests.projections.live import place

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
RULES: Final[list[dict[str, Any]]] = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD: Final[dict[str, Any]] = json.loads((DEPLOY / "dashboard.json").read_text())
PANELS: Final = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
NAMES_OF_OURS: Final = {"name", "slot_name"}
QUERIES: Final = [target["expr"] for panel in PANELS for target in panel["targets"]]
OF_PROMETHEUS: Final = {"up"}
OF_MACHINES: Final[list[dict[str, Any]]] = yaml.safe_load((DEPLOY / "alerts-machines.yml").read_text())["groups"][0][
    "rules"
]
OF_EXPORTERS: Final = {
    "node_filesystem_avail_bytes",
    "node_filesystem_size_bytes",
    "node_systemd_timer_last_trigger_seconds",
    "node_systemd_unit_state",
    "patroni_sync_standby",
    "pg_replication_slot_safe_wal_size_bytes",
    "pg_replication_slot_slot_is_active",
}
"""Read in the sources of node_exporter, postgres_exporter and Patroni, none of which runs here."""


def selectors(query: str) -> Iterator[Any]:
    """Give the selectors of a query, which must be one."""
    found: list[Any] = []
    _gather(promql_parser.parse(query), found)
    assert found, query
    yield from found


def _gather(node: Any, found: list[Any]) -> None:  # noqa: ANN401 - the parser has no types
    if isinstance(node, promql_parser.VectorSelector):
        found.append(node)
    for name in ("lhs", "rhs", "expr", "vector_selector", "args"):
        below: Any = getattr(node, name, None)
        for each in (*below,) if isinstance(below, list) else (below,):  # pyright: ignore[reportUnknownVariableType]
            if each is not None:
                _gather(each, found)


async def told(url: str) -> set[str]:
    """Return every name by which a scrape gives a value."""
    async with place(url) as there:
        metrics = Metrics(there.logs.all, Lags(there.database, [Roster()]), Counts().of_all, 1_000)
        text = (await metrics.text()).decode()
    names = set(re.findall(r"^# TYPE (\S+) (?:counter|gauge)$", text, re.MULTILINE))
    for histogram in re.findall(r"^# TYPE (\S+) histogram$", text, re.MULTILINE):
        names |= {f"{histogram}_bucket", f"{histogram}_sum", f"{histogram}_count"}
    return names


async def test_every_query_names_what_the_service_tells(database_url: str) -> None:
    names = await told(database_url)
    asked = {
        selector.name
        for query in [*map(filled, QUERIES), *(rule["expr"] for rule in RULES)]
        for selector in selectors(query)
    }
    assert asked - OF_PROMETHEUS <= names
    unwatched = {name for name in names - asked if not name.endswith(("_bucket", "_sum", "_count", "_created"))}
    assert unwatched == set(), "told, and shown nowhere"


def filled(query: str) -> str:
    """Return a query of the dashboard as Grafana sends it."""
    return query.replace("$__rate_interval", "2m").replace("$province", ".*")


def test_whatever_fails_by_our_fault_is_told_by_an_alert() -> None:
    matchers = [
        matcher
        for rule in RULES
        for selector in selectors(rule["expr"])
        for matcher in selector.matchers.matchers
        if matcher.name == "code"
    ]
    told = {code for matcher in matchers for code in matcher.value.split("|")}
    ours = {each.code for each in every_rejection() if status_of(each.__new__(each)) >= 500}
    assert ours - told == {LogForked.code, ProjectionBehind.code}, "alerts of their own, by other metrics"
    assert told - ours == {ProvinceOverShare.code, TooManyRequests.code}


def test_documents_that_stand_still_are_told_of_however_few_events_wait() -> None:
    """Only the shape of the query: there is no Prometheus here that would answer it."""
    (told,) = (rule["expr"] for rule in RULES if rule["alert"] == "EmulationDocumentsBehind")
    parsed: Any = promql_parser.parse(told)
    few = parsed.rhs.expr
    assert (str(few.lhs.rhs), str(few.op)) == ("0", "unless")
    assert [selector.name for selector in selectors(str(few.lhs))] == ["emulation_lag_events"]
    assert [selector.name for selector in selectors(str(few.rhs))] == ["emulation_log_head"]


@pytest.mark.parametrize("query", ["rate(emulation_log_head[5m]", "sum by province (x)", "x{province=}"])
def test_what_is_no_query_is_found(query: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        promql_parser.parse(query)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_has_a_runbook_that_tells_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["runbook"] == f"deploy/runbooks/{rule['alert']}.md"
    page = (DEPLOY.parent / rule["annotations"]["runbook"]).read_text(encoding="utf-8")
    title, alert, *_ = (line for line in page.splitlines() if line)
    assert title == f"# {rule['alert']}"
    assert alert == f"> `{rule['expr']}` for {rule['for']}, severity {rule['labels']['severity']}"
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == ["What it means", "Look", "Do"]


def test_machines_are_watched_by_what_their_exporters_tell() -> None:
    asked = [selector for rule in OF_MACHINES for selector in selectors(rule["expr"])]
    assert {selector.name for selector in asked} == OF_EXPORTERS
    named = {
        matcher.value for selector in asked for matcher in selector.matchers.matchers if matcher.name in NAMES_OF_OURS
    }
    units = {path.name for path in (DEPLOY / "systemd").iterdir()}
    patterns = {name for name in named if "[.]" in name}
    assert all(any(re.fullmatch(pattern, unit) for unit in units) for pattern in patterns)
    assert named - patterns <= units | {SLOT}


def test_each_alert_of_machines_has_its_section() -> None:
    page = (DEPLOY / "runbooks" / "machines.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == [rule["alert"] for rule in OF_MACHINES]
    assert {rule["annotations"]["runbook"] for rule in OF_MACHINES} == {"deploy/runbooks/machines.md"}
    assert {rule["labels"]["severity"] for rule in OF_MACHINES} == {"page", "ticket"}


def test_each_runbook_of_an_alert_has_its_alert() -> None:
    pages = {path.stem for path in (DEPLOY / "runbooks").glob("Emulation*.md")}
    assert pages == {rule["alert"] for rule in RULES}


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert all(panel["type"] == "timeseries" and panel["title"] and panel["targets"] for panel in PANELS)
    assert {variable["name"] for variable in DASHBOARD["templating"]["list"]} == {"datasource", "province"}
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells)), "panels lie on each other"
