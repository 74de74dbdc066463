"""A year in which an appraisal is disputed, upheld and corrected, and other disputes are left as they are."""

from typing import Any, Final

from emulation_saas.kernel.ids import AgencyId, BlocId
from tests.audit.auditing import HERE, Service
from tests.http.notebook import token
from tests.logs import ISSUER

YEAR: Final = "/blocs/khoi/years/2023"
CORRECTED: Final = "ve-diem"
OPEN: Final = "con-cho"
_DECIDED: Final[dict[str, Any]] = {"effective_on": "2022-01-01", "legal_basis": "QĐ 1"}
_RULES: Final = {"legal_basis": "Quy chế", "leaders_max": 1, "self_vote": True, "disputes_suspend_nominations": True}
_SCHEME: Final = {
    "title": "Bảng điểm",
    "criteria": [{"criterion": "cai-cach", "title": "Cải cách hành chính", "points_max": "20"}],
}
_WHO: Final[dict[str, dict[str, Any]]] = {
    "dai-dien": {"role": "member-representative", "agency": AgencyId("tu-phap")},
    "hoi-dong": {"role": "council-member"},
    "kiem-toan": {"role": "auditor"},
    "thu-ky": {"role": "bloc-secretary", "bloc": BlocId("khoi")},
    "ngoai": {"role": "integrator"},
}
PARTIES: Final = ("dai-dien", "hoi-dong", "kiem-toan", "thu-ky")
"""Who may read the disputes; `ngoai` may not."""


async def done(service: Service, path: str, body: dict[str, Any], by: str | None = None) -> list[int]:
    """Command something, demand that it is granted, and return the positions of the events."""
    headers = {} if by is None else {"authorization": f"Bearer {token(by, iss=ISSUER)}"}
    answer = await service.client.post(f"{HERE}{path}", json=body, headers=headers)
    assert answer.status_code == 201, (path, answer.text)
    return [int(event["id"]) for event in answer.json()["events"]]


async def appraised(service: Service, points: str, **more: Any) -> list[int]:  # noqa: ANN401 - of the body
    """Let the bloc appraise the member who will complain."""
    body = {"agency": "tu-phap", "criterion": "cai-cach", "points": points, "reasons": "Theo hồ sơ", "stage": "bloc"}
    return await done(service, f"{YEAR}/appraisals", {**body, **more})


async def played(service: Service) -> dict[str, list[int]]:
    """Play the year; return where the steps of the dispute `CORRECTED` stand."""
    for number, (sub, role) in enumerate(_WHO.items()):
        person = f"p-nguoi{'abcde'[number] * 5}"
        await done(service, "/persons", {"person": person, "issuer": ISSUER, "sub": sub, "name": f"Nguyễn {sub}"})
        if "agency" in role:
            for agency in ("noi-vu", "tu-phap"):
                registered: dict[str, Any] = {
                    "agency": agency,
                    "name": f"Sở {agency}",
                    "aliases": [],
                    "effective_on": "2020-01-01",
                }
                await done(service, "/agencies", registered)
            await done(service, "/blocs", {"bloc": "khoi", "name": "Khối I", "kind": "khoi", **_DECIDED})
            for agency in ("noi-vu", "tu-phap"):
                await done(service, "/blocs/khoi/members", {"agency": agency, **_DECIDED})
        await done(service, "/roles", {"person": person, **role})
    await done(service, "/blocs/khoi/years", {"year": 2023, "scheme": _SCHEME, "rules": _RULES})
    for agency, points in (("noi-vu", "18"), ("tu-phap", "19")):
        sheet = [{"criterion": "cai-cach", "points": points}]
        await done(service, f"{YEAR}/self-scores", {"agency": agency, "points": sheet, "time": "2023-12-20"})
    contested = await appraised(service, "17")
    await done(service, f"{YEAR}/ranking", {})
    grounds = {"agency": "tu-phap", "about": "score", "events": contested, "text": "Không chậm"}
    disputed = f"{YEAR}/disputes/{CORRECTED}"
    steps = {"contested": contested}
    steps["filed"] = await done(service, f"{YEAR}/disputes", {**grounds, "dispute": CORRECTED}, by="dai-dien")
    paper = {"title": "Biên bản", "media_type": "application/pdf", "size": 9, "held_by": "tu-phap"}
    brought = {"evidence": [{"sha256": "0" * 64, **paper}]}
    steps["evidence"] = await done(service, f"{disputed}/evidence", brought, by="dai-dien")
    steps["answered"] = await done(service, f"{disputed}/answers", {"text": "Báo cáo nộp chậm"})
    steps["upheld"] = await done(service, f"{disputed}/uphold", {"reasons": "Đúng hạn"}, by="hoi-dong")
    await done(service, "/agencies", {"agency": "khac", "name": "Khác", "aliases": [], "effective_on": "2020-01-01"})
    steps["corrected"] = await appraised(service, "19", dispute=CORRECTED)
    await done(service, f"{YEAR}/disputes", {**grounds, "dispute": OPEN}, by="dai-dien")
    return steps
