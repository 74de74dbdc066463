"""All that a real service gives out passes the offline verifier, and the fault campaign finds every fault in it."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.audit.asking import verify
from tests.audit.auditing import HERE, OVERSEEING, ROLES, Service, serving
from tests.audit.campaign import campaign
from tests.audit.exports import read
from tests.audit.test_export import grown

GROWN = 600
SPANS: list[dict[str, int]] = [{}, {"to": 257}, {"from": 300, "to": 520}, {"from": 513}]


async def saved(service: Service, path: Path, asked: str, role: str | None = None, **query: Any) -> Path:  # noqa: ANN401 - query values
    """Keep what the service answers in a file."""
    answer = await service.get(asked, role, **query)
    assert answer.status_code == 200, answer.text
    path.write_bytes(answer.content)  # noqa: ASYNC240 - nobody else is waiting
    return path


async def rotated(service: Service, number: int) -> str:
    """Let the next key sign; return it."""
    answer = await service.client.post(f"{HERE}/log/keys", json={"number": number})
    assert answer.status_code == 201, answer.text
    vkey: str = answer.json()["events"][0]["data"]["vkey"]
    return vkey


async def first_vkey(service: Service) -> str:
    return (await service.get("/log/vkey")).text.strip().split("\n")[0]


@pytest.mark.parametrize("is_rotated", [False, True])
async def test_exports_of_every_role_and_span_pass(database_url: str, tmp_path: Path, *, is_rotated: bool) -> None:
    async with serving(database_url, tmp_path) as service:
        vkey = await first_vkey(service)
        await grown(service, 400)
        if is_rotated:
            await rotated(service, 2)
        await grown(service, GROWN)
        for role in ROLES:
            for span in SPANS:
                tar = await saved(service, tmp_path / "log.tar", "/log/export", role, **span)
                status, found = verify("export", tar, "--vkey", vkey)
                assert (status, found["to"]) == (0, span.get("to", GROWN)), (role, span, found)
                if "from" not in span:
                    assert (found["hidden"] > 0) == (role not in OVERSEEING), (role, span, found)


async def test_heads_and_proofs_of_a_growing_log_pass(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        await grown(service, 300)
        vkey, state = await first_vkey(service), tmp_path / "head.json"
        old = await saved(service, tmp_path / "old", "/log/checkpoint")
        assert verify("checkpoint", old, "--vkey", vkey)[0] == 0
        assert verify("remember", old, "--state", state, "--vkey", vkey)[0] == 0
        await rotated(service, 2)
        await grown(service, GROWN)
        new = await saved(service, tmp_path / "new", f"/log/checkpoints/{GROWN}")
        proof = await saved(service, tmp_path / "proof", "/log/proof/consistency", first=300, second=GROWN)
        status, found = verify("consistency", old, new, proof, "--vkey", vkey)
        assert (status, found["grown from"]) == (0, 300), found
        assert verify("remember", new, "--state", state, "--proof", proof)[0] == 0
        tar = await saved(service, tmp_path / "log.tar", "/log/export", "integrator")
        status, found = verify("export", tar, "--remember", state)
        assert (status, "rollback" in found["not_covered"]) == (0, False), found
        for position in (1, 7, 256, 257, 300, 301, GROWN):
            entry = await saved(service, tmp_path / "entry", f"/events/{position}")
            proved = await saved(service, tmp_path / "p", f"/events/{position}.tlog-proof")
            status, found = verify("inclusion", proved, "--entry", entry, "--vkey", vkey)
            assert (status, found["position"]) == (0, position), found
            other = await saved(service, tmp_path / "entry", f"/events/{position % GROWN + 1}")
            assert verify("inclusion", proved, "--entry", other, "--vkey", vkey)[0] == 1
        hidden = json.loads((await service.get("/events/7", "integrator")).content)
        if "leaf_hash" in hidden:
            proved = await saved(service, tmp_path / "p", "/events/7.tlog-proof", "integrator")
            assert verify("inclusion", proved, "--leaf-hash", hidden["leaf_hash"], "--vkey", vkey)[0] == 0


async def test_every_fault_in_exports_of_a_service_is_found(database_url: str, tmp_path: Path) -> None:
    chance = random.Random(1945)  # noqa: S311 - places of faults are no secrets
    async with serving(database_url, tmp_path) as service:
        vkey = await first_vkey(service)
        await grown(service, 300)
        exports = [
            read((await service.get("/log/export", role, **span)).content)
            for role, span in (("auditor", {}), ("integrator", {}), ("auditor", {"from": 257}))
        ]
    tallies = campaign(exports, vkey, rounds=2, chance=chance)
    assert [failure for tally in tallies.values() for failure in tally.missed] == []
    assert (tallies["genuine"].caught, len(tallies)) == (3, 13)


async def test_command_writes_the_bytes_that_http_gives(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        await rotated(service, 2)
        head = await grown(service, 300)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EMULATION_")}
        for span in ({}, {"from": 257, "to": 290}, {"to": 256}):
            out = tmp_path / "command.tar"
            asked = [text for name, at in span.items() for text in (f"--{name}", str(at))]
            command = [sys.executable, "-m", "emulation_saas", "export", "bac-song", "--database-url", database_url]
            done = subprocess.run(  # noqa: ASYNC221 - nobody else is waiting
                [*command, "--out", str(out), *asked], env=environment, capture_output=True, check=False, timeout=120
            )
            assert done.returncode == 0, done.stderr
            assert out.read_bytes() == (await service.get("/log/export", "auditor", **span)).content
        assert head == (await service.log.head()).position
