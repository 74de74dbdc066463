"""A bloc's whole year in as few commands as there are kinds of command, over HTTP. Every text in it bears a mark.

Two provinces played with two marks have data of equal shape that share no handle and no text, so whatever of the one
turns up in an answer of the other is a leak.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from emulation_saas.http.local_issuer import ISSUER
from tests.webhooks.steps import webhook_steps

YEAR: Final = 2023
PAPER: Final = "2023-12-20"
OPENING_EVENTS: Final = 5
"""Events that stand in a province's log once it is open."""
By = Literal["admin", "referee"]


@dataclass(frozen=True)
class Step:
    """A command of a province: its path with its parameters still open, and its body."""

    path: str
    body: dict[str, Any]
    by: By = "admin"
    """Who commands it: the administrator does all but decide disputes about what he did himself."""
    status: int = 201
    """What it is answered: the receiver of a webhook is not there, and cannot shake hands."""


@dataclass(frozen=True)
class Marked:
    """What one province calls things: a mark in every handle, a canary in every text, its administrator's person id."""

    mark: str
    canary: str
    person: str

    @property
    def province(self) -> str:
        """The province's handle."""
        return f"tinh-{self.mark}"

    def handle(self, name: str) -> str:
        """Return the handle of a thing."""
        return f"{name}-{self.mark}"

    def text(self, about: str) -> str:
        """Return a text that occurs nowhere else."""
        return f"{self.canary} {about}"

    @property
    def on_paper(self) -> str:
        """The id of somebody who stands on paper only."""
        return f"p-{self.mark * 10}"[:12]

    @property
    def referee(self) -> str:
        """The person id of who decides disputes."""
        return f"p-r{self.mark * 9}"

    def sub(self, by: By) -> str:
        """Return the subject of the token of who commands a step."""
        return f"{by}@{self.province}"

    @property
    def erased(self) -> str:
        """The id of somebody who stands on paper only, and whose name is erased in the end."""
        return f"p-{self.mark * 9}7"[:12]

    @property
    def path_parameters(self) -> dict[str, Any]:
        """What stands in paths."""
        return {
            "province": self.province,
            "bloc": self.handle("khoi"),
            "agency": self.handle("noi-vu"),
            "ballot": self.handle("bau"),
            "nomination": self.handle("co"),
            "dispute": self.handle("kien-nghi"),
            "year": YEAR,
            "event": "1",
            "size": 1,
            "level": 0,
            "place": "000.p/1",
            "person": self.erased,
            "consumer": self.handle("cong"),
            "webhook": self.handle("cong"),
        }

    def opening(self, sub: str) -> dict[str, Any]:
        """Return the body that opens the province."""
        return {
            "province": self.province,
            **self._name("2020-01-01"),
            "admin": {"issuer": ISSUER, "sub": sub, "name": self.text("quản trị")},
        }

    def steps(self) -> list[Step]:
        """Return the commands, in an order in which each is accepted."""
        before = [*self._province(), *self._bloc(), *self._year()]
        contested = OPENING_EVENTS + len(before)  # each of these is one event, and the last one is a sheet
        hooks = [Step(path, body, status=status) for path, body, status in webhook_steps(self)]
        last = [*self._end(), *hooks, *self._privacy()]
        return [*before, *self._disputes(contested), *self._scores(), *self._ballots(), *last]

    def _name(self, day: str) -> dict[str, Any]:
        return {
            "name": self.text(f"tỉnh {day}"),
            "kind": "tinh",
            "code": self.text("mã")[:300],
            "effective_on": day,
            "legal_basis": self.text("nghị quyết"),
        }

    def _province(self) -> list[Step]:
        agencies = [self.handle(name) for name in ("noi-vu", "tu-phap", "thanh-tra")]
        return [
            Step("/names", self._name("2021-01-01")),
            Step("/log/keys", {"number": 2}),
            Step("/persons", {"issuer": "https://id.example", "sub": self.text("sub"), "name": self.text("họ tên")}),
            Step(
                "/persons",
                {
                    "person": self.on_paper,
                    "issuer": "https://id.example",
                    "sub": self.text("sub 2"),
                    "name": self.text("họ tên 2"),
                },
            ),
            Step(
                "/persons",
                {
                    "person": self.referee,
                    "issuer": ISSUER,
                    "sub": self.sub("referee"),
                    "name": self.text("họ tên 3"),
                },
            ),
            *(
                Step(
                    "/agencies",
                    {
                        "agency": agency,
                        "name": self.text(agency),
                        "aliases": [self.text(f"tắt {agency}")],
                        "code": self.text(f"mã {agency}"),
                        "effective_on": "2020-01-01",
                    },
                )
                for agency in agencies
            ),
            Step(
                "/agencies/{agency}/rename",
                {"name": self.text("tên mới"), "effective_on": "2021-01-01", "legal_basis": self.text("quyết định")},
            ),
            Step("/agencies/{agency}/aliases", {"alias": self.text("tên khác")}),
        ]

    def _bloc(self) -> list[Step]:
        bloc, dated = self.handle("khoi"), {"effective_on": "2022-01-01", "legal_basis": self.text("quyết định khối")}
        described = {"bloc": bloc, "name": self.text("khối"), "aliases": [self.text("cụm")], "kind": "khoi"}
        granted: list[dict[str, str]] = [
            {"role": "council-member"},
            {"role": "bloc-secretary", "bloc": bloc},
            {"role": "auditor"},
            *({"role": "member-representative", "agency": self.handle(agency)} for agency in ("noi-vu", "tu-phap")),
            {"role": "expert", "bloc": bloc, "criterion": self.handle("tieu-chi")},
        ]
        scoped = [{"role": "member-representative", "agency": self.handle("thanh-tra")}, granted[-1]]
        return [
            Step("/blocs", {**described, **dated}),
            *(
                Step("/blocs/{bloc}/members", {"agency": self.handle(agency), **dated})
                for agency in ("noi-vu", "tu-phap", "thanh-tra")
            ),
            *(Step("/roles", {"person": self.person, **role}) for role in granted),
            Step("/roles", {"person": self.referee, "role": "council-member"}),
            Step("/roles/revoke", {"person": self.person, "role": "auditor"}),
            *(Step(path, {"person": self.on_paper, **role}) for path in ("/roles", "/roles/revoke") for role in scoped),
        ]

    def _year(self) -> list[Step]:
        of_year, sheet = "/blocs/{bloc}/years/{year}", self.handle("tieu-chi")
        scheme = {
            "title": self.text("bảng điểm"),
            "criteria": [
                {"criterion": self.handle("nhom"), "title": self.text("nhóm"), "points_max": "10"},
                {
                    "criterion": sheet,
                    "title": self.text("tiêu chí"),
                    "parent": self.handle("nhom"),
                    "points_max": "10",
                },
            ],
        }
        rules = {
            "legal_basis": self.text("quy chế"),
            "leaders_max": 3,
            "self_vote": True,
            "dispute_answer_days": 10,
            "disputes_suspend_nominations": True,
        }
        claim = {
            "criterion": sheet,
            "points": "9.5",
            "explanation": self.text("giải trình"),
            "evidence": [self._evidence()],
        }
        coming = {**rules, "self_scores_close_at": "2099-01-01T00:00:00Z"}
        return [
            Step("/blocs/{bloc}/years", {"year": YEAR, "scheme": scheme, "rules": rules}),
            Step("/blocs/{bloc}/years", {"year": YEAR + 1, "scheme": scheme, "rules": coming}),
            Step(of_year + "/launch", {"text": self.text("phát động")}),
            Step(of_year + "/pledge", {"text": self.text("giao ước")}),
            Step(
                of_year + "/pledge/signatures", {"agency": self.handle("noi-vu"), "signed_by": self._official("ký tên")}
            ),
            Step(of_year + "/self-scores", {"agency": self.handle("noi-vu"), "points": [claim]}),
        ]

    def _disputes(self, contested: int) -> list[Step]:
        of_year = "/blocs/{bloc}/years/{year}"

        def filed(dispute: str) -> Step:
            body = {
                "dispute": self.handle(dispute),
                "agency": self.handle("tu-phap"),
                "about": "score",
                "events": [contested],
                "text": self.text("kiến nghị"),
                "evidence": [self._evidence()],
            }
            return Step(of_year + "/disputes", body)

        def of(dispute: str, step: str, body: dict[str, Any], by: By = "admin") -> Step:
            return Step(f"{of_year}/disputes/{self.handle(dispute)}/{step}", body, by)

        return [
            filed("kien-nghi"),
            of("kien-nghi", "evidence", {"evidence": [self._evidence()]}),
            of("kien-nghi", "answers", {"text": self.text("trả lời")}),
            of("kien-nghi", "uphold", {"reasons": self.text("có lý")}, "referee"),
            filed("vo-ly"),
            of("vo-ly", "refuse", {"reasons": self.text("vô lý")}, "referee"),
            filed("rut"),
            of("rut", "withdraw", {}),
        ]

    def _scores(self) -> list[Step]:
        of_year = "/blocs/{bloc}/years/{year}"
        return [
            Step(
                of_year + "/appraisals",
                {
                    **self._correcting(),
                    "agency": self.handle("thanh-tra"),
                    "criterion": self.handle("tieu-chi"),
                    "points": "9",
                    "reasons": self.text("lý do"),
                    "stage": "council",
                },
            ),
            Step(of_year + "/ranking", self._correcting()),
            Step(
                of_year + "/ratings",
                {
                    **self._correcting(),
                    "agency": self.handle("tu-phap"),
                    "level": "good",
                    "authority": self.text("chủ tịch"),
                    "document_no": self.text("văn bản"),
                },
            ),
        ]

    def _ballots(self) -> list[Step]:
        of_year = "/blocs/{bloc}/years/{year}"
        of_ballot = of_year + "/ballots/{ballot}"
        question, options = "deputy", [self.handle("noi-vu"), self.handle("tu-phap")]
        asked = [{"question": question, "title": self.text("câu hỏi"), "options": options}]
        described = {
            **self._correcting(),
            "title": self.text("phiếu"),
            "questions": asked,
            "roll": options,
            "rule": {
                "base": "electorate",
                "threshold": {"num": 1, "den": 2},
                "quorum": {"num": 1, "den": 2},
                "comparison": ">=",
                "seats": 1,
                "tie": "revote",
            },
        }
        counted = {"present": 2, "issued": 2, "collected": 2, "valid": 2, "invalid": 0, "time": PAPER}
        votes = [
            {"question": question, "option": option, "votes": votes}
            for option, votes in zip(options, (2, 0), strict=True)
        ]
        paper = {"ballot": self.handle("giay"), "mode": "paper_secret", "time": PAPER, **described}
        return [
            Step(of_year + "/ballots", paper),
            Step(
                of_ballot.replace("{ballot}", self.handle("giay")) + "/count",
                {**self._correcting(), **counted, "votes": votes},
            ),
            Step(
                of_year + "/ballots",
                {"ballot": self.handle("bau"), "mode": "open", "closes_at": "2099-01-01T00:00:00Z", **described},
            ),
            *(
                Step(
                    of_ballot + "/votes",
                    {"agency": voter, "choices": [{"question": question, "options": options[:1]}]},
                )
                for voter in options
            ),
            Step(of_ballot + "/close", self._correcting()),
        ]

    def _end(self) -> list[Step]:
        of_year = "/blocs/{bloc}/years/{year}"
        of_nomination = of_year + "/nominations/{nomination}"
        awarded = {
            **self._correcting(),
            "legal_basis": self.text("luật"),
            "because": self.text("vì"),
            "agency": self.handle("noi-vu"),
        }
        giving_way = {"nomination": self.handle("nhuong"), "award": "prov_flag", **awarded}
        by_ballot = {"nomination": self.handle("co"), "award": "gov_flag", "ballot": self.handle("giay")}
        meeting = {
            "meeting": self.handle("hop"),
            "held_on": PAPER,
            "place": self.text("phòng họp"),
            "chairs": [self._official("chủ trì"), {**self._official("đồng chủ trì"), "person": self.erased}],
            "attendance": {"members": [self.handle("noi-vu")], "others": [self.text("khách")]},
            "covers_year": YEAR,
            "plans_year": YEAR + 1,
            "time": PAPER,
        }
        office = {"office": "head", "for_year": YEAR + 1, "agency": self.handle("tu-phap")}
        appointed = {"authority": self.text("ủy ban"), "document_no": self.text("số")}
        decided = {**self._correcting(), "legal_basis": self.text("nghị định")}
        left = {**decided, "effective_on": "2024-01-01", "because": self.text("giải thể")}
        back = {**decided, "effective_on": "2025-01-01", "agency": self.handle("thanh-tra")}
        return [
            Step(
                of_year + "/leader",
                {
                    **self._correcting(),
                    "agency": self.handle("noi-vu"),
                    "method": "ballot",
                    "ballot": self.handle("giay"),
                    "because": self.text("do"),
                },
            ),
            Step(of_year + "/nominations", giving_way),
            Step(
                of_nomination.replace("{nomination}", self.handle("nhuong")) + "/yield",
                {**self._correcting(), "because": self.text("nhường")},
            ),
            Step(of_year + "/nominations", {**by_ballot, **awarded}),
            Step(of_nomination + "/suspend", {**self._correcting(), "because": self.text("tạm dừng")}),
            Step(of_nomination + "/resume", {**self._correcting(), "because": self.text("tiếp tục")}),
            Step(of_nomination + "/forward", {"document_no": self.text("tờ trình")}),
            Step("/blocs/{bloc}/offices", {**office, **appointed}),
            Step(
                "/blocs/{bloc}/offices",
                {**office, "office": "deputy", "agency": self.handle("noi-vu"), "ballot": self.handle("giay")},
            ),
            Step("/blocs/{bloc}/meetings", meeting),
            Step(f"/blocs/{{bloc}}/members/{self.handle('thanh-tra')}/withdraw", left),
            Step("/blocs/{bloc}/members", back),
            Step(of_year + "/close", {}),
        ]

    def _correcting(self) -> dict[str, Any]:
        """Return what names the upheld dispute."""
        return {"dispute": self.handle("kien-nghi")}

    def _evidence(self) -> dict[str, Any]:
        file = {"sha256": "0" * 64, "media_type": "application/pdf", "size": 1}
        return {**file, "title": self.text("minh chứng"), "held_by": self.handle("noi-vu")}

    def _privacy(self) -> list[Step]:
        of_person = "/persons/{person}"
        return [
            Step(of_person + "/hold", {"legal_basis": self.text("luật lưu trữ"), "because": self.text("thanh tra")}),
            Step(of_person + "/hold/lift", {"because": self.text("xong")}),
            Step(of_person + "/erase", {"legal_basis": self.text("luật dữ liệu"), "document_no": self.text("đơn")}),
        ]

    def _official(self, about: str) -> dict[str, str]:
        return {"person": self.on_paper, "name": self.text(about), "office": self.text(f"chức vụ {about}")}
