"""The dossier of a dispute: what is in it, who gets it, and that it is checked offline by the verifier."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from emulation_saas.audit import notes
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.audit.asking import verify
from tests.audit.auditing import HERE, Service, operator_with_all_rights, serving
from tests.audit.contested import CORRECTED, OPEN, PARTIES, YEAR, played
from tests.audit.exports import tar_of
from tests.audit.test_export import files_of

DOCUMENTS: Final = ("dossier.json", "standings-before.json", "standings-after.json")


async def fetched(service: Service, dispute: str = CORRECTED, role: str = "kiem-toan") -> bytes:
    answer = await service.get(f"{YEAR}/disputes/{dispute}/dossier", role)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-tar"
    assert answer.headers["cache-control"] == "private, no-cache"
    size = files_of(answer.content)["checkpoint"].decode().split("\n")[1]
    assert answer.headers["log-position"] == size
    return answer.content


async def vkey_of(service: Service) -> str:
    return (await service.get("/log/vkey")).text.split("\n")[0]


def checked(tar: bytes, folder: Path, *trust: str) -> tuple[int, dict[str, Any]]:
    path = folder / "dossier.tar"
    path.write_bytes(tar)
    return verify("dossier", path, *trust)


async def test_dossier_holds_the_dispute_its_events_and_the_standings(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        steps = await played(service)
        positions = sorted({at for step in steps.values() for at in step})
        files = files_of(await fetched(service))
        about = msgspec.json.decode(files["dossier.json"])
        assert (about["format"], about["path"]) == ("emulation-dossier.v1", f"{YEAR}/disputes/{CORRECTED}")
        assert [event["position"] for event in about["events"]] == positions
        assert len(steps["corrected"]) == 2  # the appraisal, and the ranking that follows from it
        told = (await service.get(f"{YEAR}/disputes/{CORRECTED}", "kiem-toan", as_of=about["size"])).json()
        assert about["dispute"] == told
        assert told["events"][0]["capacity"]["roles"] == [{"role": "province-admin"}]
        places = {"before": steps["corrected"][0] - 1, "after": steps["corrected"][-1]}
        for name, position in places.items():
            answer = await service.get(f"{YEAR}/standings", "kiem-toan", as_of=position)
            assert files[f"standings-{name}.json"] == answer.content + b"\n"
            assert about["standings"][name] == {"position": position, "root": answer.headers["log-root"]}
        assert files["standings-before.json"] != files["standings-after.json"]
        named = [f"{kind}" for at in positions for kind in (f"events/{at}", f"proofs/{at}.tlog-proof")]
        assert set(files) == {*DOCUMENTS, "checkpoint", "vkey", *named}
        for event in about["events"]:
            assert "hidden" not in event
            assert files[f"events/{event['position']}"] == (await service.get(f"/events/{event['position']}")).content
        assert (await fetched(service)) == (await fetched(service))


async def test_who_may_read_the_dispute_gets_a_dossier_that_passes(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        await played(service)
        vkey = await vkey_of(service)
        for role in PARTIES:
            status, found = checked(await fetched(service, role=role), tmp_path, "--vkey", vkey)
            assert (status, found["events"], found["hidden"]) == (0, 7, 0), found
            assert found["not_covered"].keys() == {"rollback", "documents"}
        status, found = checked(await fetched(service), tmp_path)
        assert (status, "key identity" in found["not_covered"]) == (0, True)
        for path, role, refused in [
            (f"{YEAR}/disputes/{CORRECTED}/dossier", "ngoai", (403, "not-empowered")),
            (f"{YEAR}/disputes/khong-co/dossier", "kiem-toan", (404, "no-such-document")),
            (f"/blocs/khac/years/2023/disputes/{CORRECTED}/dossier", "kiem-toan", (404, "no-such-document")),
            (f"/blocs/khoi/years/2022/disputes/{CORRECTED}/dossier", "kiem-toan", (404, "no-such-document")),
            (f"/blocs/khoi/years/2023/disputes/{'a' * 41}/dossier", "kiem-toan", (404, "no-such-thing")),
            (f"{YEAR}/disputes/{CORRECTED}/dossier", "khong-ai", (404, "no-such-province")),
        ]:
            answer = await service.get(path, role)
            assert (answer.status_code, answer.json()["code"]) == refused, path
        for method in ("post", "put", "delete"):
            answer = await service.client.request(method, f"{HERE}{YEAR}/disputes/{CORRECTED}/dossier")
            assert answer.status_code == 405


async def test_dispute_without_corrections_comes_with_the_standings_as_they_are(
    database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        await played(service)
        tar = await fetched(service, OPEN)
        files = files_of(tar)
        about = msgspec.json.decode(files["dossier.json"])
        assert about["standings"].keys() == {"before"}
        assert about["standings"]["before"]["position"] == about["size"]
        answer = await service.get(f"{YEAR}/standings", "kiem-toan", as_of=about["size"])
        assert files["standings-before.json"] == answer.content + b"\n"
        assert "standings-after.json" not in files
        assert len(about["events"]) == 2  # what is contested, and the filing
        assert checked(tar, tmp_path, "--vkey", await vkey_of(service))[0] == 0


def false_files(files: dict[str, bytes], chance: random.Random) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Give the dossier with what is proved changed, missing, or exchanged."""
    proved = [name for name in files if name not in DOCUMENTS]
    for name in proved:
        for _ in range(10):
            at, bit = chance.randrange(len(files[name])), 1 << chance.randrange(8)
            changed = files[name][:at] + bytes([files[name][at] ^ bit]) + files[name][at + 1 :]
            yield f"{name} flipped", {**files, name: changed}
        yield f"{name} missing", {each: files[each] for each in files if each != name}
        yield f"{name} empty", {**files, name: b""}
    for kind in ("events", "proofs"):
        one, other, *_ = (name for name in proved if name.startswith(kind))
        yield f"{kind} exchanged", {**files, one: files[other], other: files[one]}


def false_lists(files: dict[str, bytes]) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Give the dossier with another list of its events."""
    about = msgspec.json.decode(files["dossier.json"])
    events: list[dict[str, Any]] = about["events"]
    other = {"hidden": True, "leaf_hash": "A" * 43 + "="}
    lists: dict[str, list[dict[str, Any]]] = {
        "none": [],
        "one less": events[1:],
        "one more": [*events, {"position": 1, "type": "log.opened.v1"}],
        "one twice": [{**events[0], "position": events[1]["position"]}, *events[1:]],
        "one hidden": [*events[:-1], {**events[-1], **other}],
        "another leaf": [{**events[0], **other}, *events[1:]],
    }
    for what, listed in lists.items():
        yield f"list: {what}", {**files, "dossier.json": msgspec.json.encode({**about, "events": listed})}


@pytest.mark.parametrize("is_hidden", [False, True])
async def test_no_false_dossier_passes(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path, *, is_hidden: bool
) -> None:
    """What is proved cannot be changed; what is told besides is said not to be covered."""
    chance = random.Random(1945)  # noqa: S311 - places of faults are no secrets
    async with serving(database_url, tmp_path, filled=False) as service:
        (contested,) = (await played(service))["contested"]
        vkey = await vkey_of(service)
        if is_hidden:
            async with operator_with_all_rights(server, database_url) as connection:
                # Of a type of a later release, which this one shows to nobody; the dispute goes on telling of it.
                await connection.execute("UPDATE events SET type = 'later.v9' WHERE position = $1", contested)
        tar = await fetched(service)
    files = files_of(tar)
    about = msgspec.json.decode(files["dossier.json"])
    hidden = [event for event in about["events"] if "hidden" in event]
    assert [event["position"] for event in hidden] == ([contested] if is_hidden else [])
    assert (f"events/{contested}" in files) != is_hidden
    status, found = checked(tar, tmp_path, "--vkey", vkey)
    assert (status, found["hidden"]) == (0, len(hidden)), found
    assert checked(tar_of(files), tmp_path, "--vkey", vkey)[0] == 0

    for what, mutated in (*false_files(files, chance), *false_lists(files)):
        status, found = checked(tar_of(mutated), tmp_path, "--vkey", vkey)
        assert status == 1, (what, found)
    for cut, ended in ((0, 2), (100, 2), (len(tar) // 2, 1), (len(tar.rstrip(b"\0")) - 1, 1)):  # 2: no archive at all
        assert checked(tar[:cut], tmp_path, "--vkey", vkey)[0] == ended
    for name in DOCUMENTS[1:]:
        status, found = checked(tar_of({**files, name: b"{}"}), tmp_path, "--vkey", vkey)
        assert (status, name in found["not_covered"]["documents"]) == (0, True)


async def test_dossier_of_a_log_whose_key_was_rotated_passes_by_any_key_that_signed(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        await played(service)
        first = await vkey_of(service)
        rotated = await service.client.post(f"{HERE}/log/keys", json={"number": 2})
        assert rotated.status_code == 201, rotated.text
        second = (await service.get("/log/vkey")).text.strip().split("\n")[-1]
        assert second != first
        tar = await fetched(service)
        for trust in ((), ("--vkey", first), ("--vkey", second)):
            assert checked(tar, tmp_path, *trust)[0] == 0
        monkeypatch.setattr(notes, "OVERLAP", timedelta(0))  # from now on the second one signs alone
        moved: dict[str, Any] = {"agency": "moi", "name": "Mới", "aliases": [], "effective_on": "2020-01-01"}
        assert (await service.client.post(f"{HERE}/agencies", json=moved)).status_code == 201
        tar = await fetched(service)
        for trust in ((), ("--vkey", second)):
            status, found = checked(tar, tmp_path, *trust)
            assert status == 0, found
        assert checked(tar, tmp_path, "--vkey", first)[0] == 2  # has not signed it, its successor has
