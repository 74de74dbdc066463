"""Receipts: asked for with a command, or of any event; each can be checked without the service."""

import base64
import json
from pathlib import Path
from typing import Any

import httpx

from emulation_saas.log.frontier import leaf_hash
from tests.audit.auditing import HERE, Service, serving
from tests.audit.test_log_routes import read_note
from tests.log.test_tree import verifies
from tests.logs import ISSUER
from tests.serving import opening


def demand_proof(text: str, vkeys: str, body: bytes, position: int) -> int:
    """Check a C2SP tlog-proof of an event's bytes; return the size of its checkpoint."""
    proof, _, note = text.partition("\n\n")
    kind, index, *path = proof.split("\n")
    assert (kind, index) == ("c2sp.org/tlog-proof@v1", f"index {position - 1}")
    size, root, _ = read_note(note, vkeys)
    hashes = [base64.b64decode(each, validate=True) for each in path]
    assert verifies(leaf_hash(body), position - 1, size, hashes, root)
    return size


async def register(service: Service, agency: str, **headers: str) -> httpx.Response:
    body: dict[str, Any] = {"agency": agency, "name": f"Sở {agency}", "aliases": [], "effective_on": "2020-01-01"}
    return await service.client.post(f"{HERE}/agencies", json=body, headers=headers)


async def test_every_event_has_a_receipt(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        vkey = (await service.get("/log/vkey")).text
        head = (await service.log.head()).position
        for entry in await service.log.entries(after=0, through=head):
            answer = await service.get(f"/events/{entry.position}.tlog-proof", "integrator")
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
            assert demand_proof(answer.text, vkey, entry.body, entry.position) >= entry.position


async def test_a_command_that_prefers_it_is_answered_with_its_receipt(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        vkey = (await service.get("/log/vkey")).text
        for number, prefer in enumerate(["receipt", "Receipt", "respond-async, receipt; signed=yes"]):
            answer = await register(service, f"so-moi-{number}", prefer=prefer)
            told = answer.json()
            assert (answer.status_code, answer.headers["preference-applied"]) == (201, "receipt")
            [entry] = await service.log.entries(after=told["position"] - 1, through=told["position"])
            assert demand_proof(told["receipt"], vkey, entry.body, entry.position) >= entry.position


async def test_the_opening_of_a_province_is_proved(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        headers = {**service.by("operator"), "prefer": "receipt"}
        body = opening("nam-song")
        body["admin"]["issuer"] = ISSUER
        answer = await service.client.post("/v1/provinces", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        log = await service.logs.find("nam-song")
        assert log is not None
        first, *_, last = await log.entries(after=0, through=answer.json()["position"])
        vkey = json.loads(first.body)["data"]["vkey"]
        assert demand_proof(answer.json()["receipt"], vkey, last.body, last.position) >= last.position


async def test_the_repetition_of_a_command_is_proved_too(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        first = await register(service, "so-moi", **{"idempotency-key": "k"})
        again = await register(service, "so-moi", **{"idempotency-key": "k"}, prefer="receipt")
        assert "receipt" not in first.json()
        assert {name: told for name, told in again.json().items() if name != "receipt"} == first.json()
        vkey = (await service.get("/log/vkey")).text
        [entry] = await service.log.entries(after=first.json()["position"] - 1, through=first.json()["position"])
        demand_proof(again.json()["receipt"], vkey, entry.body, entry.position)


async def test_without_the_header_or_an_event_there_is_no_receipt(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        for prefer in ({}, {"prefer": "return=minimal"}, {"prefer": "receipts"}):
            answer = await register(service, f"so-{len(str(prefer))}", **prefer)
            assert answer.status_code == 201
            assert "receipt" not in answer.json()
            assert "preference-applied" not in answer.headers
        nothing_new = await register(service, "so-2", prefer="receipt")
        assert nothing_new.status_code == 201
        assert nothing_new.json()["events"] == []
        assert "receipt" not in nothing_new.json()
        refused = await service.client.post(f"{HERE}/log/keys", json={"number": 7}, headers={"prefer": "receipt"})
        assert refused.status_code == 409
