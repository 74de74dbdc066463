"""What would be if: nothing is stored, nothing supposed is what is, and what breaks is said."""

from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import pytest

from emulation_saas.disputes.events import DisputedEvent, DisputeFiled
from emulation_saas.kernel.ids import DisputeId
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.projecting import supposing
from tests.database import superuser
from tests.projections.histories import AGENCIES, BLOCS, OFFICER, YEARS
from tests.projections.live import Place, place, running, told
from tests.travel.asked import HERE, PATHS, RICH, STANDINGS, YEAR, serving
from tests.travel.patching import applied
from tests.travel.test_diff import appraised, document_at

WHO: Final[dict[str, Any]] = {"bloc": BLOCS[0], "year": YEARS[0]}
APPRAISED: Final = "scoring.score-appraised.v1"


def appraisal(agency: str, points: str, **other: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {
        **WHO,
        "agency": agency,
        "criterion": "cai-cach",
        "points": points,
        "reasons": "x",
        "stage": "bloc",
        **other,
    }


async def supposed(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    answer = await client.post(f"{HERE}/what-if", json={"path": path, "valid_on": "2024-06-01", **body})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json()
    assert found["counterfactual"] is True
    assert applied(found["patch"], found["actual"]) == found["document"]
    return found


async def test_without_a_change_it_is_what_is(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        head = await there.tell(*told(RICH))
        for path in PATHS:
            for position in (head, head // 2):
                actual = await document_at(client, path, position)
                if actual is None:
                    continue
                for mode in ("strict", "cascade"):
                    found = await supposed(client, path, as_of=position, mode=mode)
                    assert found["document"] == found["actual"] == actual
                    assert (found["patch"], found["dropped"], found["violations"]) == ([], [], [])
                    assert found["as_of"]["position"] == position


async def test_event_that_is_missing_or_added_or_another_scheme_shows(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        first = await there.tell(*told(11, steps=0), appraised("noi-vu", "10"))
        head = await there.tell(appraised("noi-vu", "7"), appraised("tu-phap", "8"))
        without = await supposed(client, STANDINGS, without=[first + 1])
        assert [(row["agency"], row["points"]) for row in without["document"]["standings"]] == [
            ("noi-vu", "10"),
            ("tu-phap", "8"),
        ]
        assert without["dropped"] == [first + 1]
        inserted = await supposed(
            client, STANDINGS, insert=[{"after": first, "type": APPRAISED, "data": appraisal("tu-phap", "19.50")}]
        )
        assert inserted["patch"] == []  # what came after it stands instead
        late = {"after": head, "type": APPRAISED, "data": appraisal("tu-phap", "19.50"), "time": "2023-01-01"}
        (best, _) = (await supposed(client, STANDINGS, insert=[late]))["document"]["standings"]
        assert (best["agency"], best["points"]) == ("tu-phap", "19.5")
        assert best["scores"][0]["appraised"]["position"] == head + 1
        scheme = {"title": "Khác", "criteria": [{"criterion": "cai-cach", "title": "Cải cách", "points_max": "7.5"}]}
        other = await supposed(client, STANDINGS, scheme=scheme)
        assert other["document"]["criteria"] == [{"criterion": "cai-cach", "points_max": "7.5"}]
        assert [each["position"] for each in other["violations"]] == [first, head]
        past = await supposed(client, STANDINGS, as_of=first, without=[first])
        assert past["document"]["standings"] == []


async def test_what_a_change_breaks_is_told(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        first = await there.tell(*told(11, steps=0), appraised("noi-vu", "10"))
        ranks = [{"agency": "noi-vu", "points": "10", "rank": 1}]
        frozen = {"after": first, "type": "scoring.ranking-frozen.v1", "data": {**WHO, "version": 1, "ranks": ranks}}
        assert (await supposed(client, STANDINGS, insert=[frozen]))["violations"] == []
        broken = await supposed(client, STANDINGS, insert=[frozen], without=[first])
        assert [each["position"] for each in broken["violations"]] == [first + 1]
        assert "ranking" in broken["violations"][0]["reason"]
        renamed = {"agency": "khac", "name": "Sở Khác", "effective_on": "2021-01-01", "legal_basis": "NQ"}
        failing = {"after": first, "type": "agency.renamed.v1", "data": renamed}
        stopped = await supposed(client, "/agencies", insert=[failing])
        assert stopped["document"]["quarantined"] == {"position": first + 1, "reason": "KeyError: 'khac'"}
        assert stopped["violations"] == [{"position": first + 1, "reason": "KeyError: 'khac'"}]
        opened = {**WHO, "ballot": "x", "title": "X", "mode": "open", "questions": [], "roll": ["noi-vu"]}
        rule = {"base": "electorate", "threshold": {"num": 1, "den": 2}, "quorum": {"num": 1, "den": 2}}
        ballot = {**opened, "rule": {**rule, "comparison": ">", "seats": 1, "tie": "revote"}}
        ballot["questions"] = [{"question": "q", "title": "Q", "options": ["a"]}]
        counts: dict[str, Any] = {
            "present": 0,
            "issued": 0,
            "collected": 0,
            "valid": 0,
            "invalid": 0,
            "votes": [],
            "outcomes": [],
        }
        unanswerable = await supposed(
            client,
            f"{YEAR}/ballots/x/tally",
            insert=[
                {"after": first, "type": "ballot.opened.v1", "data": ballot},
                {"after": first, "type": "ballot.counted.v1", "data": {**WHO, "ballot": "x", **counts}},
            ],
        )
        assert (unanswerable["actual"], unanswerable["document"]) == (None, None)
        assert unanswerable["violations"] == [
            {"position": first + 2, "reason": "the count is not that of the votes before it"},
            {"reason": "KeyError: 'a'"},
        ]


async def test_names_of_inserted_officials_are_shown_and_kept_nowhere(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        head = await there.tell(*told(11, steps=0))
        signer = {"person": OFFICER.person, "name": "Người Giả Định", "office": "Giám đốc"}
        signed = {**WHO, "agency": "noi-vu", "signed_by": signer}
        found = await supposed(
            client, f"{YEAR}/pledge", insert=[{"after": head, "type": "pledge.signed.v1", "data": signed}]
        )
        assert found["document"]["signatures"][0]["signed_by"] == signer


async def test_capacities_are_told_of_what_was_done_and_never_of_what_is_supposed(
    database_url: str, tmp_path: Path
) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        head = await there.tell(*told(11, steps=0), appraised("noi-vu", "10"))
        granted = next(each for each in await there.history() if each.event.type == "access.role-granted.v1")
        admin = granted.event.person
        done = DisputedEvent(position=head, type=APPRAISED, actor=admin, acted_for=[])
        filed = DisputeFiled(
            **WHO,
            dispute=DisputeId("that"),
            agency=AGENCIES[0],
            about="score",
            events=[done],
            text="Sai",
            evidence=[],
            filed_by=admin,
        )
        head = await there.tell(filed)
        path = f"{YEAR}/disputes/that"
        capacity = {"roles": [{"role": "province-admin"}], "offices": []}
        (contested,) = (await supposed(client, path, without=[head - 1]))["document"]["events"]
        assert contested["capacity"] == capacity, "that is in the log"
        data = {**msgspec.to_builtins(filed), "dispute": "gia-dinh"}
        claimed: dict[str, Any] = {"type": APPRAISED, "actor": admin, "acted_for": []}
        data["events"] = [{**claimed, "position": at} for at in (head - 1, head, head + 9)]
        ended = {**WHO, "dispute": "gia-dinh", "agency": AGENCIES[0], "reasons": "x"}
        inserted = [
            {"after": head, "type": "dispute.filed.v1", "data": data},
            {"after": head, "type": "dispute.upheld.v1", "data": ended},
        ]
        document = (await supposed(client, f"{YEAR}/disputes/gia-dinh", insert=inserted))["document"]
        assert [each["actor"] for each in document["events"]] == [admin] * 3
        assert [each for each in (*document["events"], document["decision"]) if "capacity" in each] == []


REFUSED: Final[list[tuple[dict[str, Any], int, str]]] = [
    ({"path": "/khac"}, 404, "no-such-document"),
    ({"path": "khac"}, 422, "malformed-body"),
    ({"path": f"{YEAR}/ballots/khac/tally"}, 404, "no-such-document"),
    ({"path": STANDINGS, "as_of": 100_000}, 422, "as-of-beyond-head"),
    ({"path": STANDINGS, "as_of": "2999-01-01"}, 422, "as-of-in-future"),
    ({"path": STANDINGS, "mode": "lenient"}, 422, "malformed-body"),
    ({"path": STANDINGS, "without": [0]}, 422, "malformed-body"),
    ({"path": STANDINGS, "without": [100_000]}, 422, "position-out-of-range"),
    ({"path": STANDINGS, "as_of": 10, "without": [11]}, 422, "position-out-of-range"),
    ({"path": STANDINGS, "without": list(range(1, 102))}, 422, "malformed-body"),
    ({"path": "/agencies", "scheme": {"title": "x", "criteria": []}}, 422, "no-scheme-here"),
    ({"path": STANDINGS, "scheme": {"title": "x"}}, 422, "malformed-event"),
    ({"path": STANDINGS, "scheme": {"title": "x", "criteria": [], "more": 1}}, 422, "malformed-event"),
    (
        {"path": STANDINGS, "scheme": {"title": "x", "criteria": [{"criterion": "a", "title": "", "points_max": "0"}]}},
        422,
        "maximum-not-positive",
    ),
    ({"path": STANDINGS, "unknown": 1}, 422, "malformed-body"),
]
INSERTED: Final[list[tuple[dict[str, Any], str]]] = [
    ({"after": 100_000, "type": APPRAISED, "data": appraisal("noi-vu", "1")}, "position-out-of-range"),
    ({"after": 9, "type": "khac", "data": {}}, "no-such-event-type"),
    ({"after": 9, "type": "log.unknown", "data": {}}, "no-such-event-type"),
    ({"after": 9, "type": "year.launched.v1", "data": {**WHO, "text": "x"}}, "not-of-this-document"),
    ({"after": 9, "type": APPRAISED, "data": appraisal("noi-vu", "1", year=2024)}, "not-of-this-document"),
    ({"after": 9, "type": APPRAISED, "data": {}}, "malformed-event"),
    ({"after": 9, "type": APPRAISED, "data": appraisal("noi-vu", "x")}, "malformed-event"),
    ({"after": 9, "type": APPRAISED, "data": appraisal("noi-vu", "NaN")}, "bad-number"),
    ({"after": 9, "type": APPRAISED, "data": appraisal("noi-vu", "1e999999")}, "bad-number"),
    ({"after": 9, "type": APPRAISED, "data": appraisal("noi-vu", "0.0000001")}, "bad-number"),
    ({"after": 9, "type": APPRAISED, "data": appraisal("Nội vụ", "1")}, "malformed-event"),
    ({"after": 9, "type": APPRAISED, "data": appraisal("noi-vu", "1", year="2023")}, "malformed-event"),
    ({"after": 9, "type": APPRAISED, "data": appraisal("noi-vu", "1", more=1)}, "malformed-event"),
    ({"after": 9, "type": APPRAISED, "data": appraisal("noi-vu", "1", reasons="x" * 66_000)}, "event-too-large"),
    ({"after": 9, "type": APPRAISED, "data": appraisal("noi-vu", "1"), "time": "2024-02-30"}, "no-such-moment"),
]


async def test_what_cannot_be_supposed_is_refused(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        await there.tell(*told(11, steps=20))
        inserted = [({"path": STANDINGS, "insert": [insertion]}, 422, code) for insertion, code in INSERTED]
        for body, status, code in [*REFUSED, *inserted]:
            answer = await client.post(f"{HERE}/what-if", json=body)
            assert (answer.status_code, answer.json()["code"]) == (status, code), body
        insertion = {"after": 9, "type": APPRAISED, "data": appraisal("noi-vu", "1")}
        full: dict[str, Any] = {"path": STANDINGS, "without": list(range(1, 10)), "insert": [insertion] * 91}
        assert (await client.post(f"{HERE}/what-if", json=full)).status_code == 200
        full["without"].append(10)
        assert (await client.post(f"{HERE}/what-if", json=full)).json()["code"] == "too-many-changes"
        monkeypatch.setattr(supposing, "SUPPOSED_EVENTS_MAX", 1)
        many = await client.post(f"{HERE}/what-if", json={"path": "/agencies"})
        assert (many.status_code, many.json()["code"]) == (422, "too-much-to-suppose")


async def everything_kept(server: EmbeddedPostgres, database_url: str) -> dict[str, Any]:
    """Return a digest of all rows of all tables but that of who read names, where an actual document shows some."""
    async with superuser(server, database_url.partition("?")[0].rpartition("/")[2]) as connection:
        tables = await connection.fetch(
            "SELECT schemaname || '.' || tablename AS name FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename <> 'access_log'"
        )
        statement = "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} AS t"
        return {row["name"]: await connection.fetchval(statement.format(table=row["name"])) for row in tables}


async def test_nothing_supposed_is_ever_kept(server: EmbeddedPostgres, database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path) as client:
        async with running(there):
            head = await there.tell(*told(RICH))
            await there.reached(head)
        await there.log.root(head)  # builds the tiles that are missing
        before = await everything_kept(server, database_url)
        await _suppose_much(there, client)
        keyed = await client.post(f"{HERE}/what-if", json={"path": STANDINGS}, headers={"idempotency-key": "k"})
        assert keyed.status_code == 200
        assert await everything_kept(server, database_url) == before
        assert len(before) > 8


async def _suppose_much(there: Place, client: httpx.AsyncClient) -> None:
    head = (await there.log.head()).position
    for mode in ("strict", "cascade"):
        for path in PATHS[:-1]:
            await supposed(client, path, without=[head, head - 1, 20], mode=mode)
    insertion = {"after": head, "type": APPRAISED, "data": appraisal("noi-vu", "1")}
    await supposed(client, STANDINGS, insert=[insertion])
