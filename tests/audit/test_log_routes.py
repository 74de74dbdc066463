"""What the log tells over HTTP: in C2SP's forms, true to each other, and to each role no more than it may see."""

import base64
import re
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from emulation_saas.log.frontier import Frontier, leaf_hash
from emulation_saas.log.merkle import begins
from emulation_saas.webhooks.events import EVENTS as WEBHOOKS
from tests.audit.auditing import HERE, OVERSEEING, ROLES, Service, serving
from tests.http.notebook import token
from tests.log.test_tree import verifies
from tests.logs import ISSUER

COUNCILS: Final = {
    *(event_type.type for event_type in WEBHOOKS if event_type.becomes is None),
    *("access.person-registered.v1", "access.role-granted.v1", "access.role-revoked.v1"),
    *("privacy.hold-placed.v1", "privacy.hold-lifted.v1", "privacy.access-log-digested.v1"),
}
REFUSED: Final = [
    ("/log/tile/0/000", 422, "size-beyond-head"),
    ("/log/tile/1/000.p/1", 422, "size-beyond-head"),
    ("/log/tile/0/x999/x999/x999/x999/x999/999", 422, "size-beyond-head"),
    ("/log/tile/entries/000.p/255", 422, "size-beyond-head"),
    ("/log/tile/7/000", 422, "malformed-parameter"),
    ("/log/tile/a/000", 404, "no-such-route"),
    ("/log/tile/0/0", 404, "no-such-thing"),
    ("/log/tile/0/000.p/0", 404, "no-such-thing"),
    ("/log/tile/0/000.p/256", 404, "no-such-thing"),
    ("/log/tile/0/x000/001", 404, "no-such-tile"),
    ("/log/tile/entries/x000/001", 404, "no-such-tile"),
    ("/log/checkpoints/0", 422, "malformed-parameter"),
    ("/log/checkpoints/9999", 422, "size-beyond-head"),
    (f"/log/checkpoints/{2**60}", 422, "malformed-parameter"),
    ("/log/proof/inclusion?position=1&size=9999", 422, "size-beyond-head"),
    ("/log/proof/inclusion?position=3&size=2", 422, "sizes-out-of-order"),
    ("/log/proof/inclusion?position=1", 422, "malformed-parameter"),
    ("/log/proof/consistency?first=3&second=2", 422, "sizes-out-of-order"),
    ("/log/proof/consistency?first=0&second=2", 422, "malformed-parameter"),
    ("/log/proof/consistency?first=9999&second=9999", 422, "size-beyond-head"),
    ("/log/export?from=3&to=2", 422, "sizes-out-of-order"),
    ("/log/export?to=9999", 422, "size-beyond-head"),
    ("/events/9999", 404, "no-such-event"),
    ("/events/9999.tlog-proof", 404, "no-such-event"),
    ("/events/0", 404, "no-such-thing"),
    ("/events/01", 404, "no-such-thing"),
    ("/events/1.json", 404, "no-such-thing"),
]
ACCEPTED: Final = [
    ("/log/checkpoint", "text/plain", 200),
    ("/log/checkpoint", "application/json", 406),
    ("/log/tile/0/000.p/1", "application/octet-stream", 200),
    ("/log/tile/0/000.p/1", "text/plain", 406),
    ("/log/proof/consistency?first=1&second=2", "application/json", 200),
    ("/log/export", "application/x-tar", 200),
    ("/log/export", "application/zip", 406),
    ("/events/1", "application/json", 200),
    ("/events/1.tlog-proof", "text/plain", 200),
]


def read_note(note: str, vkeys: str) -> tuple[int, bytes, int]:
    """Return size and root of a checkpoint, and how many of the keys have signed it; every signature must be good."""
    text, _, signatures = note.partition("\n\n")
    origin, size, root = text.split("\n")
    keys = {tuple(vkey.split("+", 2)[:2]): base64.b64decode(vkey.split("+", 2)[2]) for vkey in vkeys.split()}
    lines = signatures.splitlines()
    for line in lines:
        dash, name, encoded = line.split(" ")
        raw = base64.b64decode(encoded, validate=True)
        key = keys[name, raw[:4].hex()]
        assert (dash, name, key[:1]) == ("—", origin, b"\x01")
        Ed25519PublicKey.from_public_bytes(key[1:]).verify(raw[4:], f"{text}\n".encode())
    return int(size), base64.b64decode(root, validate=True), len(lines)


def unspelled(hashes: list[str]) -> list[bytes]:
    return [base64.b64decode(each, validate=True) for each in hashes]


async def bodies(service: Service) -> list[bytes]:
    head = await service.log.head()
    return [entry.body for entry in await service.log.entries(after=0, through=head.position)]


def json_of(answer: httpx.Response) -> Any:  # noqa: ANN401 - any JSON
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_checkpoint_is_a_signed_note_of_the_head(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        answer = await service.get("/log/checkpoint")
        vkey = await service.get("/log/vkey")
        head = await service.log.head()
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert "no-cache" in answer.headers["cache-control"]
        assert read_note(answer.text, vkey.text) == (head.position, head.root, 1)
        assert answer.headers["log-position"] == str(head.position)
        opened = msgspec.json.decode((await bodies(service))[0])["data"]
        assert vkey.text == f"{opened['vkey']}\n"
        assert answer.text.startswith(f"{opened['origin']}\n")


async def test_every_size_has_its_checkpoint_and_all_are_consistent(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        vkey = (await service.get("/log/vkey")).text
        frontier = Frontier()
        head = (await service.log.head()).position
        before: tuple[int, bytes] | None = None
        for size, body in enumerate(await bodies(service), 1):
            frontier.append(leaf_hash(body))
            note = (await service.get(f"/log/checkpoints/{size}")).text
            assert read_note(note, vkey) == (size, frontier.root(), 1)
            assert await service.log.root(size) == frontier.root()
            if before is not None:
                told = json_of(await service.get("/log/proof/consistency", first=before[0], second=size))
                assert (told["first"], told["second"]) == (size - 1, size)
                assert begins(before, (size, frontier.root()), unspelled(told["consistency"]))
            before = size, frontier.root()
        assert (await service.get(f"/log/checkpoints/{head}")).text == (await service.get("/log/checkpoint")).text


async def test_inclusion_is_proved_for_every_position(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        head = await service.log.head()
        for position, body in enumerate(await bodies(service), 1):
            proof = json_of(await service.get("/log/proof/inclusion", position=position, size=head.position))
            leaf, root = unspelled([proof["leaf_hash"], proof["root_hash"]])
            assert (leaf, root) == (leaf_hash(body), head.root)
            assert (proof["leaf_index"], proof["tree_size"]) == (position - 1, head.position)
            assert verifies(leaf, position - 1, head.position, unspelled(proof["audit_path"]), root)


async def test_tiles_and_entries_are_those_of_tlog_tiles(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        stored = await bodies(service)
        width = len(stored)
        tile = await service.get(f"/log/tile/0/000.p/{width}")
        assert tile.content == b"".join(map(leaf_hash, stored))
        assert tile.headers["content-type"] == "application/octet-stream"
        assert "immutable" in tile.headers["cache-control"]
        assert (await service.get("/log/tile/0/000.p/3")).content == tile.content[:96]
        bundle = await service.get(f"/log/tile/entries/000.p/{width}")
        assert bundle.content == b"".join(len(body).to_bytes(2, "big") + body for body in stored)
        assert bundle.headers["cache-control"] == "private, no-cache", "who may see it today may not tomorrow"


async def test_what_is_not_there_is_refused(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        for path, status, code in REFUSED:
            answer = await service.client.get(f"{HERE}{path}")
            assert (answer.status_code, answer.json()["code"]) == (status, code), path


async def test_each_role_sees_of_the_log_what_it_may(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        stored = await bodies(service)
        hidden_from: dict[str, set[str]] = {}
        for role in ROLES:
            may = await service.log.authority(await person(service, role))
            hidden_from[role] = set()
            for position, body in enumerate(stored, 1):
                entry = (await service.log.entries(after=position - 1, through=position))[0]
                recorded = service.log.closed(entry)
                answer = await service.get(f"/events/{position}", role)
                if may.may_see(recorded.event, actor=recorded.actor):
                    assert answer.content == body
                else:
                    spelled = base64.b64encode(leaf_hash(body)).decode()
                    assert answer.json() == {"position": position, "leaf_hash": spelled}
                    hidden_from[role].add(entry.type)
                assert answer.headers["content-type"] == "application/json"
            entries = await service.get(f"/log/tile/entries/000.p/{len(stored)}", role)
            assert entries.status_code == (403 if hidden_from[role] else 200)
            for path in ("/log/checkpoint", "/log/vkey", "/log/checkpoints/3", "/log/tile/0/000.p/3"):
                assert (await service.get(path, role)).status_code == 200
        assert {role for role, hidden in hidden_from.items() if not hidden} == OVERSEEING
        assert hidden_from["member-representative"] == COUNCILS
        assert hidden_from["integrator"] > hidden_from["member-representative"]


async def test_entries_of_which_all_may_be_seen_are_shown(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        assert (await service.get("/log/tile/entries/000.p/3", "integrator")).status_code == 200
        refused = await service.get("/log/tile/entries/000.p/4", "integrator")
        assert (refused.status_code, refused.json()["code"]) == (403, "not-empowered")


async def test_without_a_role_there_is_no_such_log(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        for path in ("/log/checkpoint", "/log/vkey", "/log/tile/0/000.p/1", "/events/1", "/log/export"):
            answer = await service.client.get(
                f"{HERE}{path}", headers={"authorization": f"Bearer {token('stranger', iss=ISSUER)}"}
            )
            assert (answer.status_code, answer.json()["code"]) == (404, "no-such-province")


async def test_answers_come_in_the_type_asked_for_or_not_at_all(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        for path, accept, status in ACCEPTED:
            answer = await service.client.get(f"{HERE}{path}", headers={"accept": accept})
            assert answer.status_code == status, path
            assert answer.headers["content-type"].startswith(accept if status == 200 else "application/problem+json")


async def person(service: Service, role: str) -> Any:  # noqa: ANN401 - a person's id
    found = await service.log.person_of(ISSUER, role)
    assert found is not None
    assert re.fullmatch("p-[a-p]{10}", found)
    return found
