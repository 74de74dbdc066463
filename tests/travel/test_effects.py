"""Which figures an event touched: those that differ just before it and at it, wherever the caller may read them."""

from datetime import date
from pathlib import Path
from typing import Any

from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.projecting.effects import effects_of
from emulation_saas.projecting.figures import Figures
from emulation_saas.projecting.finding import Finder
from emulation_saas.projecting.projection import AnyProjection
from projections import PROJECTIONS
from tests.projections.live import place, told
from tests.projections.test_laws import by_hand
from tests.scenario import ADMIN, representing
from tests.travel.asked import HERE, STANDINGS, serving
from tests.travel.test_diff import appraised

DAY = date(2024, 6, 1)


def _figures(projection: AnyProjection, key: str, history: list[AnyRecorded]) -> Figures:
    states = by_hand(projection, history)
    return projection.figures(states[key][0], DAY) if key in states else {}


async def test_effects_are_the_difference_of_two_folds(database_url: str) -> None:
    async with place(database_url) as there:
        await there.tell(*told(51))
        history = await there.history()
        finder = Finder(there.database, PROJECTIONS)
        tried = 0
        for recorded in history[5::3]:
            at = recorded.position
            expected: set[tuple[str, str]] = set()
            for projection in PROJECTIONS:
                if type(recorded.event) not in projection.read_types:
                    continue
                for key in projection.keys_of(recorded):
                    before, after = [_figures(projection, key, history[:through]) for through in (at - 1, at)]
                    expected |= {
                        (projection.name, name)
                        for name in before.keys() | after.keys()
                        if before.get(name) != after.get(name)
                    }
            found = await effects_of(finder, there.log, ADMIN, at, DAY)
            assert {(effect.projection, effect.figure) for effect in found.effects} == expected
            for effect in found.effects:
                assert effect.told
            tried += len(expected)
        assert tried > 50


async def test_appraisal_touches_its_points_their_sum_and_the_ranks(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        await there.tell(*told(11, steps=0), appraised("noi-vu", "10"), appraised("tu-phap", "8"))
        position = await there.tell(appraised("tu-phap", "12"))
        answer = await client.get(f"{HERE}/events/{position}/effects")
        found = answer.json()
        assert (found["position"], found["type"]) == (position, "scoring.score-appraised.v1")
        standings = {each["figure"]: each for each in found["effects"] if each["projection"] == "standings"}
        told_: dict[str, tuple[Any, Any]] = {name: (each["before"], each["after"]) for name, each in standings.items()}
        assert told_ == {
            "points/tu-phap/cai-cach": ("8", "12"),
            "points/tu-phap": ("8", "12"),
            "rank/tu-phap": (2, 1),
            "rank/noi-vu": (1, 2),
        }
        for each in found["effects"]:
            for place_ in each["told"]:
                query = {"path": place_["path"], "figure": place_["figure"], "as_of": position}
                explained = await client.get(f"{HERE}/explain", params=query)
                assert explained.json()["derivation"]["value"] == each["after"]
        assert standings["rank/noi-vu"]["told"] == [{"path": STANDINGS, "figure": "rank/noi-vu"}]
        sub = {each["projection"] for each in found["effects"]}
        assert sub == {"standings", "timeline"}


async def test_documents_that_the_caller_may_not_read_are_not_told_of(database_url: str) -> None:
    async with place(database_url) as there:
        await there.tell(*told(11, steps=0))
        opened = next(each.position for each in await there.history() if each.event.type.startswith("year.opened"))
        finder = Finder(there.database, PROJECTIONS)
        stranger = representing("cuc-khac")
        seen = {each.projection for each in (await effects_of(finder, there.log, ADMIN, opened, DAY)).effects}
        less = {each.projection for each in (await effects_of(finder, there.log, stranger, opened, DAY)).effects}
        assert (seen, less) == ({"years", "deadlines", "timeline"}, {"years"})
