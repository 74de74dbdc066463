"""The past is asked for with today's rights, and every answer of the past names the root that it was computed at."""

import hashlib
from base64 import b64decode
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulation_saas.access.events import PersonRegistered, RoleGranted, RoleRevoked
from emulation_saas.kernel.ids import AgencyId, PersonId
from emulation_saas.log import ProvinceLog
from emulation_saas.projecting import finding
from tests.logs import ISSUER
from tests.projections.histories import BLOCS
from tests.projections.live import place, running, told
from tests.travel.asked import HERE, PATHS, RICH, STANDINGS, serving

AUDITOR = PersonId("p-kiemtoan222")
MEMBER = PersonId("p-thanhvien22")


def introduced(person: PersonId, sub: str, role: RoleGranted) -> tuple[PersonRegistered, RoleGranted]:
    return PersonRegistered(person=person, issuer=ISSUER, sub=sub, name="Ai Đó"), role


auditor = introduced(AUDITOR, "auditor", RoleGranted(person=AUDITOR, role="auditor"))
member = introduced(
    MEMBER, "member", RoleGranted(person=MEMBER, role="member-representative", agency=AgencyId("cuc-khac"))
)


def questions(head: int) -> list[tuple[str, str, dict[str, Any]]]:
    """Return every way of asking about the standings of the past."""
    return [
        ("GET", STANDINGS, {"as_of": head}),
        ("GET", "/explain", {"path": STANDINGS, "as_of": head}),
        ("GET", "/diff", {"path": STANDINGS, "from": head - 5, "to": head}),
        ("POST", "/what-if", {"path": STANDINGS, "as_of": head}),
    ]


async def asked(client: httpx.AsyncClient, method: str, path: str, given: dict[str, Any]) -> httpx.Response:
    if method == "POST":
        return await client.post(HERE + path, json=given)
    return await client.get(HERE + path, params=given)


async def test_answer_of_the_past_names_its_root_and_the_present_none(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, running(there), serving(there, tmp_path) as client:
        head = await there.tell(*told(RICH))
        await there.reached(await there.tell(*told(12)[:5]))
        for path in PATHS[:-1]:
            past = await client.get(f"{HERE}{path}".rstrip("/"), params={"as_of": head})
            assert b64decode(past.headers["log-root"]) == await there.log.root(head)
            tagged = {"if-none-match": past.headers["etag"]}
            again = await client.get(f"{HERE}{path}".rstrip("/"), params={"as_of": head}, headers=tagged)
            assert (again.status_code, again.headers["log-root"]) == (304, past.headers["log-root"])
            assert "log-root" not in (await client.get(f"{HERE}{path}".rstrip("/"))).headers
        for method, path, given in questions(head):
            answer = await asked(client, method, path, given)
            assert b64decode(answer.headers["log-root"]) == await there.log.root(head), path
            assert answer.headers["log-position"] == str(head)
        nothing = await client.get(f"{HERE}/explain", params={"path": "/", "as_of": 0})
        assert nothing.status_code == 404
        empty = await client.get(f"{HERE}/digest", params={"as_of": 0})
        assert b64decode(empty.json()["root"]) == hashlib.sha256(b"").digest()


async def test_who_lost_his_role_today_cannot_read_the_past(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path, "auditor") as client:
        head = await there.tell(*told(RICH), *auditor)
        for method, path, given in questions(head):
            assert (await asked(client, method, path, given)).status_code == 200, path
        assert (await client.get(f"{HERE}/digest", params={"as_of": head})).status_code == 200
        await there.tell(
            RoleRevoked(person=AUDITOR, role="auditor"),
            RoleGranted(person=AUDITOR, role="integrator"),
        )
        for method, path, given in [*questions(head), ("GET", "/digest", {"as_of": head})]:
            answer = await asked(client, method, path, given)
            while answer.status_code == 200:  # rights may be a moment old
                answer = await asked(client, method, path, given)
            assert (answer.status_code, answer.json()["code"]) == (403, "not-empowered"), path
        await there.tell(RoleRevoked(person=AUDITOR, role="integrator"))
        for method, path, given in questions(head):
            answer = await asked(client, method, path, given)
            while answer.status_code == 403:
                answer = await asked(client, method, path, given)
            assert (answer.status_code, answer.json()["code"]) == (404, "no-such-province"), path


async def test_stranger_asks_about_public_documents_only(database_url: str, tmp_path: Path) -> None:
    async with place(database_url) as there, serving(there, tmp_path, "member") as client:
        head = await there.tell(*told(RICH), *member)
        for method, path, given in questions(head):
            assert (await asked(client, method, path, given)).status_code == 403, path
        public = f"/blocs/{BLOCS[0]}"
        for method, path, given in questions(head)[1:]:
            assert (await asked(client, method, path, {**given, "path": public})).status_code == 200, path
        history = await there.history()
        seen = {each.position for each in history if each.event.type.startswith("bloc.")}
        unseen = {each.position for each in history if each.event.type.startswith("scoring.")}
        for position in (max(seen), max(unseen), head + 1, 2**60, 0, -1):
            answer = await client.get(f"{HERE}/events/{position}/effects")
            expected = (200, None) if position in seen else (404, "event-out-of-sight")
            assert (answer.status_code, answer.json().get("code")) == expected
        hidden = await client.post(f"{HERE}/what-if", json={"path": public, "without": [max(unseen)]})
        assert (hidden.status_code, hidden.json()["code"]) == (404, "event-out-of-sight")


async def test_past_is_folded_part_by_part(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[int | None] = []
    recorded = ProvinceLog.recorded

    async def counted(log: ProvinceLog, *selectors: Any, **span: Any) -> Any:  # noqa: ANN401 - passed on
        limits.append(span.get("limit"))
        return await recorded(log, *selectors, **span)

    async with place(database_url) as there, serving(there, tmp_path) as client:
        head = await there.tell(*told(RICH))
        whole = (await asked(client, "GET", STANDINGS, {"as_of": head})).content
        monkeypatch.setattr(finding, "SLICE", 3)
        monkeypatch.setattr(ProvinceLog, "recorded", counted)
        assert (await asked(client, "GET", STANDINGS, {"as_of": head})).content == whole
        assert limits.count(3) > 2
