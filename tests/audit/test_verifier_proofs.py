"""`inclusion`, `consistency` and `dossier`: one event, one growth, one dispute, checked without the log."""

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from tests.audit import reference_tree
from tests.audit.asking import verify
from tests.audit.exports import KEEPER, STRANGER, Exported, exported, note_of, rewritten, spelled, tar_of

GENUINE: Final = exported(11)


def entry_at(position: int, export: Exported = GENUINE) -> bytes:
    entry = export.entries[position - 1]
    assert isinstance(entry, bytes)
    return entry


def proof_of(position: int, export: Exported = GENUINE, *, extra: str = "", note: bytes | None = None) -> bytes:
    """Return the proof of an event in the form of C2SP tlog-proof."""
    path = reference_tree.inclusion_path(position - 1, export.leaves)
    hashes = "".join(f"{base64.b64encode(each).decode()}\n" for each in path)
    head = f"c2sp.org/tlog-proof@v1\n{extra}index {position - 1}\n{hashes}\n"
    return head.encode() + (note or export.note)


def included(tmp_path: Path, proof: bytes, entry: bytes, *trust: str) -> tuple[int, dict[str, Any]]:
    """Return what the verifier says of a proof and an event's bytes."""
    (tmp_path / "proof").write_bytes(proof)
    (tmp_path / "entry").write_bytes(entry)
    return verify("inclusion", tmp_path / "proof", "--entry", tmp_path / "entry", *trust)


@pytest.mark.parametrize("position", range(1, 12))
def test_every_event_is_proved_by_its_own_proof_and_no_other(position: int, tmp_path: Path) -> None:
    trust = ("--vkey", KEEPER.vkey)
    status, found = included(tmp_path, proof_of(position), entry_at(position), *trust)
    assert (status, found["position"]) == (0, position)
    other = position % 11 + 1
    assert included(tmp_path, proof_of(other), entry_at(position), *trust)[0] == 1
    assert included(tmp_path, proof_of(position), rewritten(entry_at(position), actor="p-x"), *trust)[0] == 1
    hashed = base64.b64encode(GENUINE.leaves[position - 1]).decode()
    status, found = verify("inclusion", tmp_path / "proof", "--leaf-hash", hashed, *trust)
    assert (status, "event" in found["not_covered"]) == (0, True)


def test_only_event_of_a_log_needs_no_path(tmp_path: Path) -> None:
    export = exported(1)
    assert included(tmp_path, proof_of(1, export), entry_at(1, export), "--vkey", KEEPER.vkey)[0] == 0


def test_extra_line_of_a_proof_is_passed_over(tmp_path: Path) -> None:
    assert included(tmp_path, proof_of(4, extra="extra YQ==\n"), entry_at(4), "--vkey", KEEPER.vkey)[0] == 0
    assert included(tmp_path, proof_of(4, extra="extra YQ\n"), entry_at(4), "--vkey", KEEPER.vkey)[0] == 1


def test_proof_by_a_later_key_or_a_stranger_or_without_a_key_cannot_be_told(tmp_path: Path) -> None:
    by_another = proof_of(4, note=note_of(GENUINE.leaves, STRANGER))
    status, found = included(tmp_path, by_another, entry_at(4), "--vkey", KEEPER.vkey)
    assert (status, "give it as --vkey" in found["reason"]) == (2, True)
    assert included(tmp_path, by_another, entry_at(5), "--vkey", KEEPER.vkey)[0] == 1, "the event is another anyhow"
    by_witness = proof_of(4, note=note_of(GENUINE.leaves, replace(STRANGER, name="witness.example")))
    assert included(tmp_path, by_witness, entry_at(4), "--vkey", KEEPER.vkey)[0] == 1, "nobody of the log signed"
    status, found = included(tmp_path, proof_of(4), entry_at(4))
    assert (status, "key identity" in found["not_covered"]) == (2, True)


def test_event_that_stands_elsewhere_than_it_says_is_found(tmp_path: Path) -> None:
    moved = GENUINE.rebuilt([*GENUINE.entries[:3], entry_at(5), *GENUINE.entries[4:]], KEEPER)
    status, found = included(tmp_path, proof_of(4, moved), entry_at(5), "--vkey", KEEPER.vkey)
    assert (status, found["position"]) == (1, 4)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"@v1", b"@v2"),
        (b"index 3", b"index 03"),
        (b"index 3", b"index -1"),
        (b"index 3", b"index 4"),
        (b"index 3\n", b""),
        (b"index 3", b"index 11"),
        (b"index 3", b"index " + b"9" * 5000),
        (b"=\n\n", b"=\n"),
        (b"=\n", b"\n"),
        (b"c2sp", b"\xff"),
        (b"index 3\n", b"index 3\n" + b"AAAA\n" * 300),
    ],
)
def test_malformed_proof_is_refused(old: bytes, new: bytes, tmp_path: Path) -> None:
    assert included(tmp_path, proof_of(4).replace(old, new, 1), entry_at(4), "--vkey", KEEPER.vkey)[0] == 1


def grown(tmp_path: Path, old: Exported, new: Exported, proof: object, *trust: str) -> int:
    """Return what the verifier says of two heads and what lies between them."""
    for name, data in (("old", old.note), ("new", new.note), ("proof", spelled(proof))):
        (tmp_path / name).write_bytes(data)
    return verify("consistency", tmp_path / "old", tmp_path / "new", tmp_path / "proof", *trust)[0]


def consistency(first: int, leaves: Sequence[bytes], path: Sequence[bytes] | None = None) -> dict[str, object]:
    path = reference_tree.consistency_path(first, leaves) if path is None else path
    return {"first": first, "second": len(leaves), "consistency": [base64.b64encode(each).decode() for each in path]}


@pytest.mark.parametrize("first", range(1, 12))
def test_log_that_only_grew_is_consistent_and_another_is_not(first: int, tmp_path: Path) -> None:
    trust = ("--vkey", KEEPER.vkey)
    proof = consistency(first, GENUINE.leaves)
    assert grown(tmp_path, exported(first), GENUINE, proof, *trust) == 0
    assert grown(tmp_path, exported(first), GENUINE, proof) == 2, "whose signature counts is not known"
    if first > 1:
        assert grown(tmp_path, exported(first, history=1), GENUINE, proof, *trust) == 1
    assert grown(tmp_path, exported(first), exported(11, history=1), proof, *trust) == 1
    assert grown(tmp_path, exported(first), exported(11, STRANGER), proof, *trust) == 2
    assert grown(tmp_path, GENUINE, exported(12), proof, *trust) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        *({"first": first} for first in (0, "5", 6, 10**400)),
        {"second": 12},
        *({"consistency": path} for path in (None, [], [1], ["AA=="])),
    ],
)
def test_malformed_consistency_proof_is_refused(wrong: dict[str, object], tmp_path: Path) -> None:
    proof = {**consistency(5, GENUINE.leaves), **wrong}
    assert grown(tmp_path, exported(5), GENUINE, proof, "--vkey", KEEPER.vkey) == 1


def dossier(positions: Sequence[int] = (2, 5), hidden: Sequence[int] = ()) -> dict[str, bytes]:
    """Return the files of a dossier."""
    events: list[dict[str, object]] = [{"position": position, "role": "appraiser"} for position in positions]
    for position in hidden:
        hashed = base64.b64encode(GENUINE.leaves[position - 1]).decode()
        events.append({"position": position, "hidden": True, "leaf_hash": hashed})
    named = [*positions, *hidden]
    return {
        "dossier.json": spelled({"dispute": "kn-1", "events": events}),
        "checkpoint": GENUINE.note,
        "vkey": f"{KEEPER.vkey}\n".encode(),
        **{f"events/{position}": entry_at(position) for position in positions},
        **{f"proofs/{position}.tlog-proof": proof_of(position) for position in named},
        "standings-before.json": b"{}",
        "standings-after.json": b"{}",
    }


def judged(tmp_path: Path, members: dict[str, bytes], *trust: str) -> tuple[int, dict[str, Any]]:
    """Return what the verifier says of a dossier."""
    (tmp_path / "dossier.tar").write_bytes(tar_of(members))
    return verify("dossier", tmp_path / "dossier.tar", *trust)


def test_dossier_passes_and_names_what_it_does_not_prove(tmp_path: Path) -> None:
    status, found = judged(tmp_path, dossier(hidden=[7]), "--vkey", KEEPER.vkey)
    assert (status, found["events"], found["hidden"]) == (0, 2, 1)
    assert "standings-before.json" in found["not_covered"]["documents"]
    assert "7" in found["not_covered"]["hidden events"]
    status, found = judged(tmp_path, dossier())
    assert (status, "key identity" in found["not_covered"]) == (0, True)
    assert judged(tmp_path, dossier(), "--vkey", STRANGER.vkey)[0] == 1


@pytest.mark.parametrize("position", [2, 5])
def test_event_of_a_dossier_that_is_changed_missing_or_exchanged_is_found(position: int, tmp_path: Path) -> None:
    other = 7 - position
    event, proof = f"events/{position}", f"proofs/{position}.tlog-proof"
    faults: list[dict[str, bytes]] = [
        {event: rewritten(entry_at(position), actor="p-x")},
        {event: entry_at(other)},
        {proof: proof_of(other)},
        {proof: proof_of(position, note=note_of(GENUINE.leaves, STRANGER))},
        {proof: proof_of(position, exported(11, history=1)), event: entry_at(position, exported(11, history=1))},
        {proof: b""},
        {event: b""},
    ]
    for fault in faults:
        status, found = judged(tmp_path, {**dossier(), **fault}, "--vkey", KEEPER.vkey)
        assert (status, found["position"] in (position, None)) == (1, True)
    for name in (event, proof):
        status, found = judged(tmp_path, {key: data for key, data in dossier().items() if key != name})
        assert (status, found["position"]) == (1, position)


def test_hidden_event_is_not_proved_by_the_proof_of_another(tmp_path: Path) -> None:
    hashed = base64.b64encode(GENUINE.leaves[4]).decode()
    listed = {"events": [{"position": 2, "hidden": True, "leaf_hash": hashed}]}
    false = {**dossier([], [2]), "dossier.json": spelled(listed), "proofs/2.tlog-proof": proof_of(5)}
    assert judged(tmp_path, false, "--vkey", KEEPER.vkey)[0] == 1


@pytest.mark.parametrize(("size", "status"), [(65_535, 0), (65_536, 1)])
def test_event_of_65_535_bytes_is_read_and_a_longer_one_is_not(size: int, status: int, tmp_path: Path) -> None:
    actor = "p" * (size - len(rewritten(entry_at(2), actor="")))
    long = rewritten(entry_at(2), actor=actor)
    export = GENUINE.rebuilt([entry_at(1), long, *GENUINE.entries[2:]], KEEPER)
    proved = {"events/2": long, "proofs/2.tlog-proof": proof_of(2, export), "checkpoint": export.note}
    assert len(long) == size
    assert judged(tmp_path, {**dossier([2]), **proved}, "--vkey", KEEPER.vkey)[0] == status
    assert included(tmp_path, proof_of(2, export), long, "--vkey", KEEPER.vkey)[0] == status


def test_event_that_a_dossier_does_not_list_is_refused(tmp_path: Path) -> None:
    assert judged(tmp_path, {**dossier(), "events/3": entry_at(3)})[0] == 1
    assert judged(tmp_path, {**dossier(), "proofs/3.tlog-proof": proof_of(3)})[0] == 1


def test_dossier_of_a_log_whose_key_was_rotated_names_its_keys(tmp_path: Path) -> None:
    both = {"vkey": f"{KEEPER.vkey}\n{STRANGER.vkey}\n".encode(), "checkpoint": note_of(GENUINE.leaves, STRANGER)}
    assert judged(tmp_path, {**dossier(), **both})[0] == 0
    assert judged(tmp_path, {**dossier(), **both}, "--vkey", KEEPER.vkey)[0] == 2
    assert judged(tmp_path, {**dossier(), **both}, "--vkey", STRANGER.vkey)[0] == 2, "the proofs are by the first key"


def test_heads_of_two_sizes_pass_and_their_consistency_is_named_as_open(tmp_path: Path) -> None:
    earlier = {"proofs/2.tlog-proof": proof_of(2, exported(4))}
    status, found = judged(tmp_path, {**dossier(), **earlier}, "--vkey", KEEPER.vkey)
    assert (status, "[4, 11]" in found["not_covered"]["consistency"]) == (0, True)


@pytest.mark.parametrize(
    "listed",
    [
        {"events": None},
        {"events": []},
        {"events": [1]},
        {"events": [{"position": "2"}]},
        {"events": [{"position": 0}]},
        {"events": [{"position": 10**300}]},
        {"events": [{"position": 2, "hidden": True}]},
        {"events": [{"position": 2, "hidden": True, "leaf_hash": "AA=="}]},
        {},
    ],
)
def test_malformed_list_of_events_is_refused(listed: dict[str, object], tmp_path: Path) -> None:
    assert judged(tmp_path, {**dossier(), "dossier.json": json.dumps(listed).encode()})[0] == 1
