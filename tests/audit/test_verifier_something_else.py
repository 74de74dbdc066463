"""Files that are something else than was asked for, such as a refusal that was saved: nobody tampered with anything."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.audit.asking import FILE, verify
from tests.audit.exports import KEEPER, exported, tar_of
from tests.audit.test_verifier_proofs import GENUINE, consistency, entry_at, proof_of
from tests.audit.test_verifier_trust import consistency as growth

REFUSAL: Final = json.dumps(
    {"type": "urn:emulation:problem:unknown-caller", "title": "Người gọi \u001b[31m không được nhận", "status": 401},
    ensure_ascii=False,
).encode()
OTHERS: Final = (
    (b"", "it is empty"),
    (REFUSAL, "it says 'Người gọi \\x1b[31m không được nhận'"),
    (b'{"detail":"x"}', "it is JSON"),
    (b"[]", "it is JSON"),
    (b"\n<!doctype html><title>Bad gateway</title>" + b" " * 200_000, "it is HTML or XML"),
    (b"a text\n" * 100, "it is something else"),
    (b"\xff" * 10_240, "it is something else"),
    (bytes(10_240), "it is something else"),
    (gzip.compress(exported(300).tar()), "it is compressed"),
    (gzip.compress(bytes(50_000_000)), "it is compressed"),
)


@pytest.fixture(params=OTHERS, ids=[told for _, told in OTHERS])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """Lay down a file that is something else; return it with what is to be said of it."""
    data, told = request.param
    (tmp_path / "other").write_bytes(data)
    return tmp_path / "other", told


def demand_told(answer: tuple[int, dict[str, Any]], other: tuple[Path, str], what: str) -> None:
    status, found = answer
    assert (status, found["verdict"]) == (2, "cannot tell")
    assert found["reason"] == f"{other[0].name} is no {what}: {other[1]}"


@pytest.mark.parametrize("check", ["export", "dossier"])
def test_what_is_no_archive_at_all_cannot_be_told(check: str, other: tuple[Path, str]) -> None:
    demand_told(verify(check, other[0], "--vkey", KEEPER.vkey), other, "uncompressed tar")


@pytest.mark.parametrize("arguments", [("checkpoint",), ("remember", "--state", "state.json")])
def test_what_is_no_signed_note_at_all_cannot_be_told(arguments: tuple[str, ...], other: tuple[Path, str]) -> None:
    demand_told(verify(*arguments, other[0], "--vkey", KEEPER.vkey), other, "signed note")


def test_what_is_no_proof_or_event_at_all_cannot_be_told(other: tuple[Path, str], tmp_path: Path) -> None:
    path, (old, new, proof) = other[0], (tmp_path / name for name in ("old", "new", "proof"))
    proof.write_bytes(proof_of(4))
    new.write_bytes(entry_at(4))
    trust = ("--vkey", KEEPER.vkey)
    assert verify("inclusion", proof, "--entry", new, *trust)[0] == 0
    demand_told(verify("inclusion", path, "--entry", new, *trust), other, "proof of inclusion")
    demand_told(verify("inclusion", proof, "--entry", path, *trust), other, "event")
    old.write_bytes(exported(5).note)
    new.write_bytes(GENUINE.note)
    proof.write_bytes(json.dumps(consistency(5, GENUINE.leaves)).encode())
    assert verify("consistency", old, new, proof, *trust)[0] == 0
    demand_told(verify("consistency", old, new, path, *trust), other, "proof of consistency")
    demand_told(verify("consistency", path, new, proof, *trust), other, "signed note")


def test_what_was_an_export_and_is_cut_off_is_tampered_with(tmp_path: Path) -> None:
    path, tar = tmp_path / "log.tar", exported(3).tar()
    for size in (300, 512, 600, len(tar) // 2):
        path.write_bytes(tar[:size])
        assert verify("export", path, "--vkey", KEEPER.vkey)[0] == 1
    path.write_bytes(tar_of({"notes.txt": b"x"}))
    assert verify("export", path, "--vkey", KEEPER.vkey)[0] == 1


def test_consistency_is_asked_for_where_a_refusal_was_saved_for_it(tmp_path: Path) -> None:
    note, state, proof = tmp_path / "checkpoint", tmp_path / "head.json", tmp_path / "proof"
    note.write_bytes(exported(5).note)
    assert verify("remember", note, "--state", state, "--vkey", KEEPER.vkey)[0] == 0
    note.write_bytes(exported(9).note)
    proof.write_bytes(REFUSAL)
    assert verify("remember", note, "--state", state, "--proof", proof)[0] == 2
    proof.write_bytes(growth(4, 9, []))
    assert verify("remember", note, "--state", state, "--proof", proof)[0] == 1


def test_it_is_said_in_one_line_whatever_the_terminal_can_write(tmp_path: Path) -> None:
    path = tmp_path / "log.tar"
    path.write_bytes(REFUSAL)
    for encoding in ("utf-8", "ascii"):
        env = {**os.environ, "PYTHONIOENCODING": encoding}
        done = subprocess.run([sys.executable, FILE, "export", path], env=env, check=False, capture_output=True)
        said = "it says 'Người gọi \\x1b[31m không được nhận'".encode(encoding, "backslashreplace")
        assert (done.returncode, done.stderr) == (2, b"")
        assert done.stdout.splitlines()[0] == b"cannot tell: log.tar is no uncompressed tar: " + said
