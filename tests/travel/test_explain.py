"""Why a figure is what it is, over HTTP: the tree down to the events, lists of figures, and who may ask."""

from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from emulation_saas.kernel.numbers import spell_points
from emulation_saas.projecting import explaining
from emulation_saas.projecting.explaining import witness
from projections import PROJECTIONS
from tests.builders import BLOC, FULL_SAMPLES, SAMPLES
from tests.projections.histories import recorded
from tests.projections.live import place, running, told
from tests.scenario import ADMIN, NOBODY, representing
from tests.travel.asked import HERE, PATHS, RICH, STANDINGS, YEAR, serving


async def explained(client: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:  # noqa: ANN401 - a query's values
    answer = await client.get(f"{HERE}/explain", params={"path": path, **query})
    assert answer.status_code == 200, answer.text
    told_: dict[str, Any] = answer.json()
    assert answer.headers["log-position"] == str(told_["position"])
    assert answer.headers["log-root"] == told_["root"]
    return told_


def nodes(derivation: dict[str, Any]) -> list[dict[str, Any]]:
    return [derivation, *(node for each in derivation["inputs"] for node in nodes(each))]


async def test_every_figure_of_every_document_is_explained_down_to_events(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        head = await there.tell(*told(RICH))
        history = {each.position: each for each in await there.history()}
        tried = 0
        for path in PATHS[:-1]:
            listed = await explained(client, path, limit=1000, as_of=head)
            assert listed["figures"], path
            for line in listed["figures"][::7]:
                found = await explained(client, path, figure=line["figure"], as_of=head)
                derivation = found["derivation"]
                assert line == {name: derivation[name] for name in line}
                events = [event for node in nodes(derivation) for event in node["events"]]
                assert events
                for event in events:
                    assert event["type"] == history[event["position"]].event.type
                    assert event["proof"] == f"{HERE}/events/{event['position']}.tlog-proof"
                tried += 1
        assert tried > 20


async def test_sum_is_told_with_its_parts_and_rank_with_all_sums(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        await there.tell(*told(RICH))
        figures = {line["figure"]: line for line in (await explained(client, STANDINGS))["figures"]}
        ranked = next(name for name in figures if name.startswith("rank/"))
        rank = (await explained(client, STANDINGS, figure=ranked))["derivation"]
        assert (rank["op"], rank["rule"], rank["events"]) == ("rank", "standings.rank-by-points@1", [])
        assert {each["figure"] for each in rank["inputs"]} == {
            name for name in figures if name.startswith("points/") and name.count("/") == 1
        }
        for total in rank["inputs"]:
            parts = [Decimal(each["value"]) for each in total["inputs"]]
            assert total["op"] == "sum"
            assert total["value"] == spell_points(sum(parts, Decimal(0)))
            assert all(len(each["events"]) == 1 for each in total["inputs"])


async def test_figures_are_listed_page_by_page_as_of_one_position(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        await there.tell(*told(RICH))
        whole = await explained(client, STANDINGS, limit=1000)
        page = await explained(client, STANDINGS, limit=3)
        walked = list(page["figures"])
        await there.tell(*(event for event in told(12) if event.type.startswith("scoring.")))
        while "next" in page:
            page = await explained(client, STANDINGS, limit=3, cursor=page["next"])
            assert page["position"] == whole["position"]
            walked += page["figures"]
        assert walked == whole["figures"]


async def test_past_is_explained_as_it_was(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, running(there), serving(there, tmp_path) as client:
        first = await there.tell(*told(RICH))
        before = await explained(client, STANDINGS, as_of=first)
        await there.reached(await there.tell(*(event for event in told(12) if event.type.startswith("scoring."))))
        assert await explained(client, STANDINGS, as_of=first) == before
        assert (await explained(client, STANDINGS))["figures"] != before["figures"]
        entries = (await explained(client, f"{YEAR}/timeline", as_of=first // 2, limit=1000))["figures"]
        assert max(int(line["figure"].rpartition("/")[2]) for line in entries) <= first // 2


async def test_timeline_explains_only_what_the_caller_may_see(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        head = await there.tell(*told(RICH))
        listed = await explained(client, f"{YEAR}/timeline", limit=1000)
        shown = (await client.get(f"{HERE}{YEAR}/timeline", params={"limit": 1000, "as_of": head})).json()
        at = {line["figure"].rpartition("/")[2] for line in listed["figures"]}
        assert at == {str(each["position"]) for each in shown["events"]}


REFUSED: Final[list[tuple[dict[str, str], int, str]]] = [
    ({"path": "/khac"}, 404, "no-such-document"),
    ({"path": ""}, 422, "malformed-parameter"),
    ({"path": "blocs"}, 422, "malformed-parameter"),
    ({"path": "/Blocs"}, 422, "malformed-parameter"),
    ({"path": "/blocs/tham-muu-1/years/1947/standings"}, 404, "no-such-document"),
    ({"path": "/blocs/tham-muu-1/years/02023/standings"}, 404, "no-such-document"),
    ({"path": "/blocs/tham-muu-1/years/khac/standings"}, 404, "no-such-document"),
    ({"path": "/blocs/khac/years/2023/standings"}, 404, "no-such-document"),
    ({"path": f"/blocs/{'a' * 41}"}, 404, "no-such-document"),
    ({"path": STANDINGS, "figure": "khac"}, 404, "no-such-figure"),
    ({"path": STANDINGS, "figure": ""}, 422, "malformed-parameter"),
    ({"path": f"{YEAR}/pledge", "figure": "2024/text"}, 404, "no-such-figure"),
    ({"path": STANDINGS, "as_of": "100000"}, 422, "as-of-beyond-head"),
    ({"path": STANDINGS, "as_of": "2999-01-01"}, 422, "as-of-in-future"),
    ({"path": STANDINGS, "as_of": "1"}, 404, "no-such-document"),
    ({"path": STANDINGS, "cursor": "AAAA"}, 422, "bad-cursor"),
    ({}, 422, "malformed-parameter"),
]


async def test_what_cannot_be_explained_is_refused(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        await there.tell(*told(11, steps=30))
        for query, status, code in REFUSED:
            answer = await client.get(f"{HERE}/explain", params=query)
            assert (answer.status_code, answer.json()["code"]) == (status, code), query


async def test_small_explanation_says_where_it_is_cut(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        await there.tell(*told(RICH))
        ranked = next(
            line["figure"] for line in (await explained(client, STANDINGS))["figures"] if line.get("op") == "rank"
        )
        whole = nodes((await explained(client, STANDINGS, figure=ranked))["derivation"])
        size = len(whole) + sum(len(node["events"]) for node in whole)
        assert not any("is_cut" in node for node in whole)
        for most in (1, 2, size - 1, size):
            monkeypatch.setattr(explaining, "EXPLAINED_MAX", most)
            shown = nodes((await explained(client, STANDINGS, figure=ranked))["derivation"])
            assert len(shown) + sum(len(node["events"]) for node in shown) == most
            assert any(node.get("is_cut") for node in shown) == (most < size)


def test_hidden_event_is_a_position_and_nothing_more() -> None:
    class _Log:
        handle = "bac-song"

    for sample in (*SAMPLES.values(), *FULL_SAMPLES.values()):
        (told_,) = recorded([sample], first=7, actor="p-khacnguoi2")
        for may in (ADMIN, NOBODY, representing("khac"), representing("khac", blocs=[BLOC])):
            shown = witness(_Log(), told_, may)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - a name
            if may.may_see(sample, actor=told_.actor):
                assert (shown.type, shown.actor) == (sample.type, told_.actor)
            else:
                assert shown == explaining.Witness(position=7, hidden=True)


def test_every_view_has_its_path_here() -> None:
    assert len(PATHS) == sum(len(projection.views) for projection in PROJECTIONS)
