"""Disputes over HTTP on a real service: from filing to corrected standings, and what is refused on the way."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import pytest

from emulation_saas.http.local_issuer import ISSUER
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.database import drop_database, fresh_database
from tests.serving import Served, served

HERE: Final = "/v1/provinces/bac-song"
YEAR: Final = "/blocs/khoi/years/2023"
PAPER: Final = "2023-12-20"
MEMBERS: Final = ("noi-vu", "tu-phap")
AGENCY: Final[dict[str, Any]] = {"aliases": [], "effective_on": "2020-01-01"}
DECIDED: Final[dict[str, Any]] = {"effective_on": "2022-01-01", "legal_basis": "QĐ 1"}
RULES: Final[dict[str, Any]] = {
    "legal_basis": "Quy chế",
    "leaders_max": 1,
    "self_vote": True,
    "dispute_answer_days": 10,
    "disputes_suspend_nominations": True,
}
SCHEME: Final[dict[str, Any]] = {
    "title": "Bảng điểm",
    "criteria": [{"criterion": "cai-cach", "title": "Cải cách hành chính", "points_max": "20"}],
}


@dataclass
class Town:
    """A province with a bloc of two members, and those who act there: administrator, council, a representative."""

    service: Served
    client: httpx.Client
    positions: dict[str, int] = field(default_factory=dict[str, int])

    def post(self, path: str, body: dict[str, Any], by: str = "admin") -> httpx.Response:
        headers = self.service.token("admin@bac-song" if by == "admin" else by)
        return self.client.post(f"{HERE}{path}", json=body, headers=headers)

    def done(self, path: str, body: dict[str, Any], by: str = "admin") -> list[dict[str, Any]]:
        """Command, demand that it is granted, and return the events."""
        answer = self.post(path, body, by)
        assert answer.status_code == 201, (path, answer.text)
        events: list[dict[str, Any]] = answer.json()["events"]
        return events

    def refused(self, path: str, body: dict[str, Any], by: str = "admin") -> tuple[int, str]:
        answer = self.post(path, body, by)
        return answer.status_code, answer.json()["code"]

    def read(self, path: str, **query: Any) -> Any:  # noqa: ANN401 - JSON
        """Return a document as of now, everything that was commanded contained."""
        if "as_of" not in query:
            query["min_position"] = self.positions["head"]
        answer = self.client.get(f"{HERE}{path}", params=query, headers=self.service.token("dai-dien"))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def prepare(self) -> None:
        """Play the year up to its ranking and one nomination, entered by the administrator."""
        for person, sub in (("p-daidien222", "dai-dien"), ("p-hoidong222", "hoi-dong")):
            self.done("/persons", {"person": person, "issuer": ISSUER, "sub": sub, "name": f"Nguyễn {sub}"})
        for agency in MEMBERS:
            self.done("/agencies", {"agency": agency, "name": f"Sở {agency}", **AGENCY})
        for bloc in ("khoi", "cum"):
            self.done("/blocs", {"bloc": bloc, "name": bloc, "kind": "khoi", **DECIDED})
        for agency in MEMBERS:
            self.done("/blocs/khoi/members", {"agency": agency, **DECIDED})
        represents = {"person": "p-daidien222", "role": "member-representative", "agency": "tu-phap"}
        self.done("/roles", represents)
        self.done("/roles", {"person": "p-hoidong222", "role": "council-member"})
        for year in (2022, 2023):
            self.done("/blocs/khoi/years", {"year": year, "scheme": SCHEME, "rules": RULES})
        for agency, points in zip(MEMBERS, ("18", "19"), strict=True):
            claim = {"criterion": "cai-cach", "points": points}
            self.done(f"{YEAR}/self-scores", {"agency": agency, "points": [claim], "time": PAPER})
        self.positions["appraised"] = self.appraise("17")[0]
        self.done(f"{YEAR}/ranking", {})
        made = {"nomination": "co", "agency": "noi-vu", "award": "prov_flag", "legal_basis": "Luật 06/2022/QH15"}
        self.positions["made"] = int(self.done(f"{YEAR}/nominations", made)[0]["id"])

    def appraise(self, points: str, **more: Any) -> list[int]:  # noqa: ANN401 - of the body
        body = {"agency": "tu-phap", "criterion": "cai-cach", "points": points, "reasons": "Theo hồ sơ"}
        events = self.done(f"{YEAR}/appraisals", {**body, "stage": "bloc", **more})
        self.positions["head"] = max(int(event["id"]) for event in events)
        return [int(event["id"]) for event in events]

    def file(self, dispute: str, about: str, *positions: int) -> list[dict[str, Any]]:
        body = {"dispute": dispute, "agency": "tu-phap", "about": about, "events": list(positions), "text": "Sai"}
        events = self.done(f"{YEAR}/disputes", body, by="dai-dien")
        self.positions["head"] = int(events[-1]["id"])
        return events


@pytest.fixture(scope="module")
def town(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    url = asyncio.run(fresh_database(server))
    with served(tmp_path_factory.mktemp("disputes"), workers=1, database_url=url) as service:
        service.open_province("bac-song")
        with httpx.Client(base_url=service.url, timeout=15, trust_env=False) as client:
            town = Town(service, client)
            town.prepare()
            yield town
    asyncio.run(drop_database(server, url))


def ranks(standings: Any) -> dict[str, int]:  # noqa: ANN401 - JSON
    return {row["agency"]: row["rank"] for row in standings["standings"]}


def test_dispute_goes_from_filing_to_corrected_standings(town: Town) -> None:
    contested = town.positions["appraised"]
    (filed,) = town.file("ve-diem", "score", contested, contested)
    assert [each["position"] for each in filed["data"]["events"]] == [contested]
    assert filed["data"]["answer_by"] > filed["recordedtime"][:10]
    assert "causationid" not in filed
    town.done(f"{YEAR}/disputes/ve-diem/answers", {"text": "Báo cáo nộp chậm"})
    (upheld,) = town.done(f"{YEAR}/disputes/ve-diem/uphold", {"reasons": "Báo cáo đúng hạn"}, by="hoi-dong")
    before = int(upheld["id"])
    corrections = town.appraise("19", dispute="ve-diem")
    assert ranks(town.read(f"{YEAR}/standings", as_of=before)) == {"noi-vu": 1, "tu-phap": 2}
    assert ranks(town.read(f"{YEAR}/standings")) == {"tu-phap": 1, "noi-vu": 2}
    dispute = town.read(f"{YEAR}/disputes/ve-diem")
    assert dispute["state"] == "upheld"
    assert dispute["corrections"] == [
        {"type": "scoring.score-appraised.v1", "position": corrections[0]},
        {"type": "scoring.ranking-frozen.v1", "position": corrections[1]},
    ]
    assert dispute["events"][0]["capacity"] == {"roles": [{"role": "province-admin"}], "offices": []}
    assert dispute["decision"]["capacity"] == {"roles": [{"role": "council-member"}], "offices": []}
    assert not dispute["is_overdue"]


def test_answer_that_does_not_come_is_overdue(town: Town) -> None:
    town.file("qua-han", "score", town.positions["appraised"])
    (line,) = [each for each in town.read(f"{YEAR}/disputes")["disputes"] if each["dispute"] == "qua-han"]
    assert not line["is_overdue"]
    late = town.read(f"{YEAR}/disputes", valid_on="2199-01-01")["disputes"]
    assert [each["dispute"] for each in late if each["is_overdue"]] == ["qua-han"]
    town.done(f"{YEAR}/disputes/qua-han/withdraw", {}, by="dai-dien")


def test_dispute_about_a_nomination_lets_it_rest_until_it_ends(town: Town) -> None:
    filed, suspended = town.file("ve-co", "nomination", town.positions["made"])
    assert (filed["data"]["nomination"], suspended["type"]) == ("co", "nomination.suspended.v1")
    assert suspended["data"]["because"] == "dispute:ve-co"
    assert filed["commandid"] == suspended["commandid"]
    of_nomination = f"{YEAR}/nominations/co"
    for step, body in (("resume", {"because": "Xong"}), ("forward", {"document_no": "1"})):
        assert town.refused(f"{of_nomination}/{step}", body) == (409, "nomination-disputed")
    assert town.refused(f"{YEAR}/close", {}) == (409, "dispute-pending")
    more = {"sha256": "0" * 64, "title": "Biên bản", "media_type": "application/pdf", "size": 9, "held_by": "tu-phap"}
    town.done(f"{YEAR}/disputes/ve-co/evidence", {"evidence": [more]}, by="dai-dien")
    refused, resumed = town.done(f"{YEAR}/disputes/ve-co/refuse", {"reasons": "Đủ tiêu chuẩn"}, by="hoi-dong")
    assert (refused["type"], resumed["type"]) == ("dispute.refused.v1", "nomination.resumed.v1")


def test_correction_names_a_dispute_that_was_upheld_in_that_bloc_and_year(town: Town) -> None:
    town.file("con-cho", "score", town.positions["appraised"])
    made = {"nomination": "khac", "agency": "tu-phap", "award": "prov_flag", "legal_basis": "Luật"}
    missing = (409, "dispute-not-upheld")
    for dispute in ("con-cho", "khong-co"):
        assert town.refused(f"{YEAR}/nominations", {**made, "dispute": dispute}) == missing
    town.done(f"{YEAR}/disputes/con-cho/uphold", {"reasons": "Có lý"}, by="hoi-dong")
    assert town.refused("/blocs/khoi/years/2022/ranking", {"dispute": "con-cho"}) == (409, "nothing-to-rank")
    elsewhere = {"agency": "tu-phap", "level": "good", "authority": "UBND", "dispute": "con-cho"}
    assert town.refused("/blocs/khoi/years/2022/ratings", elsewhere) == missing
    assert town.refused("/blocs/cum/members", {"agency": "noi-vu", "dispute": "con-cho", **DECIDED}) == missing
    admitted = {"agency": "noi-vu", "effective_on": "2022-01-01", "legal_basis": "QĐ 1", "dispute": "con-cho"}
    assert town.done("/blocs/khoi/members", admitted) == []  # entered before: nothing is left to correct
    (event,) = town.done(f"{YEAR}/nominations", {**made, "dispute": "con-cho"})
    upheld = town.read(f"{YEAR}/disputes/con-cho", as_of=int(event["id"]))["decision"]["position"]
    assert event["causationid"] == str(upheld)


@pytest.mark.parametrize(
    ("events", "status", "code"),
    [
        ([], 422, "malformed-body"),
        ([0], 422, "malformed-body"),
        (list(range(1, 22)), 422, "malformed-body"),
        ([2**53 + 1], 422, "integer-out-of-range"),
        ([2**53], 409, "disputed-event-unknown"),
        ([1], 409, "disputed-event-unknown"),
    ],
)
def test_what_cannot_be_contested_is_refused(town: Town, events: list[int], status: int, code: str) -> None:
    body = {"dispute": "sai", "agency": "tu-phap", "about": "score", "events": events, "text": "Sai"}
    assert town.refused(f"{YEAR}/disputes", body, by="dai-dien") == (status, code)


def test_event_of_another_kind_and_unknown_dispute_are_refused(town: Town) -> None:
    body = {"dispute": "sai", "agency": "tu-phap", "about": "vote", "text": "Sai"}
    appraised = {**body, "events": [town.positions["appraised"]]}
    assert town.refused(f"{YEAR}/disputes", appraised, by="dai-dien") == (422, "disputed-event-of-another-kind")
    ruling = {"reasons": "Có lý"}
    assert town.refused(f"{YEAR}/disputes/khong-co/uphold", ruling, by="hoi-dong") == (404, "no-such-dispute")
    answer = town.client.get(f"{HERE}{YEAR}/disputes/khong-co", headers=town.service.token("hoi-dong"))
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-document")


def test_nobody_decides_what_he_did_himself(town: Town) -> None:
    town.file("tu-xu", "score", town.positions["appraised"])
    ruling = {"reasons": "Có lý"}
    assert town.refused(f"{YEAR}/disputes/tu-xu/uphold", ruling) == (403, "ruler-is-disputed")
    assert town.refused(f"{YEAR}/disputes/tu-xu/uphold", ruling, by="dai-dien") == (403, "not-empowered")
    town.done(f"{YEAR}/disputes/tu-xu/withdraw", {}, by="dai-dien")
    assert town.refused(f"{YEAR}/disputes/tu-xu/refuse", ruling, by="hoi-dong") == (409, "dispute-over")


def test_nobody_decides_what_a_colleague_did_and_who_filed_never_does(town: Town) -> None:
    last_year = "/blocs/khoi/years/2022"
    for person, sub in (("p-truong2222", "truong-khoi"), ("p-dong222222", "dong-nghiep")):
        town.done("/persons", {"person": person, "issuer": ISSUER, "sub": sub, "name": f"Nguyễn {sub}"})
        town.done("/roles", {"person": person, "role": "member-representative", "agency": "noi-vu"})
    head = {"for_year": 2022, "office": "head", "agency": "noi-vu", "authority": "UBND", "document_no": "1"}
    town.done("/blocs/khoi/offices", head)
    for agency in MEMBERS:
        claim = {"criterion": "cai-cach", "points": "15"}
        town.done(f"{last_year}/self-scores", {"agency": agency, "points": [claim], "time": PAPER})
    (frozen,) = town.done(f"{last_year}/ranking", {}, by="truong-khoi")
    filing = {
        "dispute": "xep-hang",
        "agency": "tu-phap",
        "about": "score",
        "events": [int(frozen["id"])],
        "text": "Sai",
    }
    (filed,) = town.done(f"{last_year}/disputes", filing, by="dai-dien")
    assert [each["acted_for"] for each in filed["data"]["events"]] == [["noi-vu"]]
    ruling, refuse = {"reasons": "Không có căn cứ"}, f"{last_year}/disputes/xep-hang/refuse"
    for colleague in ("truong-khoi", "dong-nghiep"):
        assert town.refused(refuse, ruling, by=colleague) == (403, "ruler-is-disputed")
    role = {"person": "p-daidien222", "role": "member-representative", "agency": "tu-phap"}
    town.done("/roles", {"person": "p-daidien222", "role": "council-member"})
    town.done("/roles/revoke", role)
    assert town.refused(refuse, ruling, by="dai-dien") == (403, "ruler-is-filer")
    town.done(refuse, ruling, by="hoi-dong")
