"""`emulation-saas verify replay`: the digest that a service gives is that of its export folded here, or it is said."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from emulation_saas.__main__ import main
from emulation_saas.audit.verifier import TAMPERED
from emulation_saas.projecting.digesting import ProjectionDigest, together
from tests.audit.auditing import HERE, Service, serving
from tests.audit.exports import KEEPER, Exported, exported, read, rewritten
from tests.audit.test_export import grown
from tests.builders import PERSON

CANNOT_TELL = 2
Replay = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Replay:
    """Return the command, for an export's bytes and a digest: its exit status, and what it printed for a machine."""

    def replayed(tar: bytes, digest: str, *trust: str) -> tuple[int, dict[str, Any]]:
        path = tmp_path / "log.tar"
        path.write_bytes(tar)
        capsys.readouterr()
        status = main(["verify", "replay", str(path), "--digest", digest, "--json", *trust])
        return status, json.loads(capsys.readouterr().out)

    return replayed


async def digest_at(service: Service, position: int) -> str:
    answer = await service.get("/digest", "auditor", as_of=position)
    assert answer.status_code == 200, answer.text
    digest: str = answer.json()["digest"]
    return digest


async def compared_by_projection(service: Service, size: int, file: Path, replay: Replay) -> None:
    """Demand that what differs is told apart: other documents, other versions, another answer than its own hash."""
    genuine = (await service.get("/digest", "auditor", as_of=size)).json()
    tar = await export_of(service, to=size)

    def answered(state: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        file.write_bytes(msgspec.json.encode({**genuine, **state}))
        return replay(tar, str(file))

    def given(**changed: Any) -> tuple[int, dict[str, Any]]:  # noqa: ANN401 - of one projection
        first, *rest = genuine["projections"]
        state = together(msgspec.convert([{**first, **changed}, *rest], list[ProjectionDigest]))
        return answered(msgspec.to_builtins(state))

    name, version = genuine["projections"][0]["name"], genuine["projections"][0]["version"]
    assert given()[0] == 0
    status, found = given(digest="0" * 64)
    assert (status, f"by {name} v{version}" in found["reason"]) == (TAMPERED, True), found
    status, found = given(digest="0" * 64, version=version + 1)
    assert (status, f"{name} v{version + 1}" in found["reason"]) == (CANNOT_TELL, True), found
    with pytest.raises(SystemExit) as ended:
        answered({"digest": "0" * 64})
    assert ended.value.code == CANNOT_TELL


async def export_of(service: Service, role: str = "auditor", *, first: int = 1, to: int | None = None) -> bytes:
    span = {"from": first} if to is None else {"from": first, "to": to}
    answer = await service.get("/log/export", role, **span)
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_digest_of_every_event_type_is_that_of_the_export_of_its_size(
    database_url: str, tmp_path: Path, replay: Replay
) -> None:
    async with serving(database_url, tmp_path) as service:
        told = (await service.log.head()).position
        head = await grown(service, 300)
        vkey = (await service.get("/log/vkey")).text.strip()
        digests = {size: await digest_at(service, size) for size in (1, told // 2, told, head)}
        for size, digest in digests.items():
            status, found = replay(await export_of(service, to=size), digest, "--vkey", vkey)
            assert (status, found["digest"], found["size"]) == (0, digest, size), found
            assert "docket v" in found["documents"]
        digest = digests[head]
        for hidden in ("integrator", "member-representative", "bloc-secretary"):
            status, found = replay(await export_of(service, hidden), digest)
            assert (status, "events are hidden" in found["reason"]) == (CANNOT_TELL, True), found
        status, found = replay(await export_of(service, first=257), digest)
        assert (status, "does not begin with the log" in found["reason"]) == (CANNOT_TELL, True), found
        status, found = replay(await export_of(service), digests[told])
        assert (status, found["digest"], digest in found["reason"]) == (TAMPERED, digest, True)
        await compared_by_projection(service, head, tmp_path / "digest.json", replay)


async def test_who_was_erased_changes_no_digest(database_url: str, tmp_path: Path, replay: Replay) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        before = await export_of(service), await digest_at(service, head)
        erased = await service.client.post(
            f"{HERE}/persons/{PERSON}/erase", json={"legal_basis": "Luật 91/2025/QH15", "document_no": "12/YC"}
        )
        assert erased.status_code == 201, erased.text
        assert await digest_at(service, head) == before[1]
        assert await export_of(service, to=head) == before[0]
        assert replay(*before)[0] == 0
        after = (await service.log.head()).position
        assert after > head
        assert replay(await export_of(service), await digest_at(service, after))[0] == 0


def test_event_that_is_none_of_its_type_is_found(replay: Replay) -> None:
    genuine = exported(9)
    status, found = replay(genuine.tar(), "0" * 64, "--vkey", KEEPER.vkey)
    assert (status, found["position"]) == (TAMPERED, None)  # these events are read; they lead to another digest
    status, broken = replay(with_data(genuine, 5, {"year": "hai nghìn"}).tar(), found["digest"], "--vkey", KEEPER.vkey)
    assert (status, broken["position"], "no event of its type" in broken["reason"]) == (TAMPERED, 5, True), broken
    flipped = read(genuine.tar())
    entries = [*flipped.entries[:4], flipped.entries[3], *flipped.entries[5:]]
    status, moved = replay(
        Exported(flipped.leaves, tuple(entries), flipped.note).tar(), found["digest"], "--vkey", KEEPER.vkey
    )
    assert (status, moved["position"]) == (TAMPERED, 5)


def test_events_of_a_later_release_are_passed_over_and_that_is_said(replay: Replay) -> None:
    genuine = exported(9)
    digest = replay(genuine.tar(), "0" * 64)[1]["digest"]
    entries = list(genuine.entries)
    entries[8] = rewritten(bytes(entries[8]), type="later.happened.v9")  # type: ignore[arg-type]
    status, found = replay(genuine.rebuilt(entries, KEEPER).tar(), digest)
    assert "first at position 9" in found["not_covered"]["types of a later release"], (status, found)


@pytest.mark.parametrize("digest", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64])
def test_what_is_no_digest_is_a_usage_error(tmp_path: Path, digest: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["verify", "replay", str(tmp_path / "log.tar"), "--digest", digest])
    assert ended.value.code == CANNOT_TELL


def with_data(genuine: Exported, position: int, data: dict[str, Any]) -> Exported:
    """Return an export that its keeper signed with an event whose data are not those of its type."""
    entries = list(genuine.entries)
    entry = entries[position - 1]
    assert isinstance(entry, bytes)
    entries[position - 1] = rewritten(entry, data=data)
    return genuine.rebuilt(entries, KEEPER)
