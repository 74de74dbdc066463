"""What changed between two positions: the patch makes the one document of the other, and each part has its events."""

from pathlib import Path
from random import Random
from typing import Any, Final

import httpx
import msgspec
import pytest

from emulation_saas.projecting import comparing
from emulation_saas.scoring.events import ScoreAppraised
from tests.projections.histories import BLOCS, YEARS
from tests.projections.live import place, told
from tests.travel.asked import HERE, PATHS, RICH, STANDINGS, serving
from tests.travel.patching import applied


async def document_at(client: httpx.AsyncClient, path: str, position: int) -> Any:  # noqa: ANN401 - any JSON
    """Return the document as of a position, without where a list goes on; None where it was not there."""
    query: dict[str, Any] = {"as_of": position, "limit": 1000, "valid_on": "2024-06-01"}
    url = f"{HERE}{path}".rstrip("/")
    answer = await client.get(url, params=query)
    if answer.status_code == 422:  # not every document is of a day, or a list
        for undeclared in answer.json()["errors"]:
            del query[undeclared["parameter"]]
        answer = await client.get(url, params=query)
    if answer.status_code == 404:
        return None
    assert answer.status_code == 200
    found = answer.json()
    found.pop("next", None)
    return found


async def compared(client: httpx.AsyncClient, path: str, start: int, end: int) -> httpx.Response:
    query: dict[str, Any] = {"path": path, "from": start, "to": end, "valid_on": "2024-06-01"}
    return await client.get(f"{HERE}/diff", params=query)


@pytest.mark.parametrize("seed", [41, RICH])
async def test_patch_makes_the_earlier_document_the_later_one(database_url: str, tmp_path: Path, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - the same each time
    async with place(database_url) as there, serving(there, tmp_path) as client:
        head = await there.tell(*told(seed))
        history = {each.position: each for each in await there.history()}
        for path in PATHS:
            for _ in range(3):
                start, end = sorted((chance.randint(0, head), chance.randint(0, head)))
                before, after = [await document_at(client, path, at) for at in (start, end)]
                answer = await compared(client, path, start, end)
                if before is None and after is None:
                    assert answer.status_code == 404
                    continue
                found = answer.json()
                assert applied(found["patch"], before) == after
                assert (found["from"]["position"], found["to"]["position"]) == (start, end)
                assert [each["operation"] for each in found["causes"]] == list(range(len(found["patch"])))
                for cause in found["causes"]:
                    assert cause["positions"], (path, found["patch"][cause["operation"]])
                    assert all(start < at <= end and at in history for at in cause["positions"])


async def test_change_of_one_row_is_caused_by_what_concerns_that_row(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        start = await there.tell(*told(11, steps=0), *(appraised(agency, "10") for agency in ("noi-vu", "tu-phap")))
        end = await there.tell(appraised("tu-phap", "9"), appraised("noi-vu", "12"), appraised("tu-phap", "8"))
        found = (await compared(client, STANDINGS, start, end)).json()
        by_path = {
            operation["path"]: cause["positions"]
            for operation, cause in zip(found["patch"], found["causes"], strict=True)
        }
        assert by_path["/standings/0/points"] == [start + 2]
        assert by_path["/standings/1/points"] == [start + 1, start + 3]
        assert by_path["/standings/1/rank"] == [start + 1]
        assert not any(operation["op"] == "move" for operation in found["patch"])


def appraised(agency: Any, points: Any) -> ScoreAppraised:  # noqa: ANN401 - as JSON has them
    fields = {"bloc": BLOCS[0], "year": YEARS[0], "agency": agency, "criterion": "cai-cach", "points": points}
    return msgspec.convert({**fields, "reasons": "Chậm", "stage": "council"}, ScoreAppraised)


REFUSED: Final[list[tuple[dict[str, Any], int, str]]] = [
    ({"path": STANDINGS, "from": 20, "to": 10}, 422, "diff-backwards"),
    ({"path": STANDINGS, "from": 10, "to": 100_000}, 422, "as-of-beyond-head"),
    ({"path": STANDINGS, "from": "hôm qua", "to": 10}, 422, "no-such-moment"),
    ({"path": STANDINGS, "from": 10}, 422, "malformed-parameter"),
    ({"path": STANDINGS, "to": 10}, 422, "malformed-parameter"),
    ({"path": "/khac", "from": 1, "to": 10}, 404, "no-such-document"),
    ({"path": STANDINGS, "from": 0, "to": 1}, 404, "no-such-document"),
    ({"path": STANDINGS, "from": 1, "to": "2999-01-01"}, 422, "as-of-in-future"),
]


async def test_what_cannot_be_compared_is_refused(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        start = await there.tell(*told(11, steps=20))
        for query, status, code in REFUSED:
            answer = await client.get(f"{HERE}/diff", params=query)
            assert (answer.status_code, answer.json()["code"]) == (status, code), query
        end = await there.tell(*(appraised("noi-vu", str(points)) for points in range(5)))
        monkeypatch.setattr(comparing, "DIFF_EVENTS_MAX", 5)
        assert (await compared(client, STANDINGS, start, end)).status_code == 200
        for limit, most in (("DIFF_EVENTS_MAX", 4), ("DIFF_BYTES_MAX", 1_000)):
            with monkeypatch.context() as patched:
                patched.setattr(comparing, limit, most)
                answer = await compared(client, STANDINGS, start, end)
            assert (answer.status_code, answer.json()["code"]) == (422, "diff-too-wide"), limit


async def test_instants_are_taken_for_positions(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        head = await there.tell(*told(11, steps=20))
        answer = await client.get(f"{HERE}/diff", params={"path": "/blocs", "from": "2020-01-01", "to": head})
        assert (answer.json()["from"]["position"], answer.json()["to"]["position"]) == (0, head)
        assert answer.json()["patch"][0]["path"] == ""
