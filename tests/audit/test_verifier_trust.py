"""Whose signature counts, and the head that was seen last: rotation, trust on first use, rollback, split view."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from tests.audit import reference_tree
from tests.audit.asking import verify
from tests.audit.exports import KEEPER, STRANGER, Exported, Lay, exported, note_of, spelled, vkey_event

ROTATED: Final = exported(8).rebuilt(
    [*exported(8).entries[:4], vkey_event(5, STRANGER), *exported(8).entries[5:]], STRANGER
)


def test_key_that_the_log_names_counts_where_nothing_else_is_trusted(lay: Lay) -> None:
    status, found = verify("export", lay(ROTATED))
    assert (status, found["signed by"]) == (0, [STRANGER.vkey])
    assert "key identity" in found["not_covered"]


def test_rotation_that_no_trusted_key_vouches_for_cannot_be_told_from_a_forged_one(lay: Lay) -> None:
    assert verify("export", lay(ROTATED), "--vkey", KEEPER.vkey)[0] == 2


def test_rotation_passes_when_the_new_key_is_given_or_the_old_one_signed_too(lay: Lay) -> None:
    assert verify("export", lay(ROTATED), "--vkey", STRANGER.vkey)[0] == 0
    assert verify("export", lay(ROTATED), "--vkey", KEEPER.vkey, "--vkey", STRANGER.vkey)[0] == 0
    both = replace(ROTATED, note=note_of(ROTATED.leaves, KEEPER, STRANGER))
    assert verify("export", lay(both), "--vkey", KEEPER.vkey)[0] == 0


def test_remembered_head_past_the_rotation_vouches_for_it(lay: Lay, state: Path) -> None:
    both = replace(ROTATED, note=note_of(ROTATED.leaves, KEEPER, STRANGER))
    assert verify("export", lay(both), "--vkey", KEEPER.vkey, "--remember", state)[0] == 0
    more = [*ROTATED.entries, *exported(10).entries[8:]]
    assert verify("export", lay(ROTATED.rebuilt(more, STRANGER)), "--remember", state)[0] == 0


def test_remembered_head_before_the_rotation_does_not(lay: Lay, state: Path) -> None:
    assert verify("export", lay(exported(4)), "--vkey", KEEPER.vkey, "--remember", state)[0] == 0
    assert verify("export", lay(ROTATED), "--remember", state)[0] == 2


def test_head_that_a_later_key_signed_cannot_be_told_by_the_first(lay: Lay, state: Path, tmp_path: Path) -> None:
    note = tmp_path / "checkpoint"
    note.write_bytes(ROTATED.note)
    assert verify("checkpoint", note, "--vkey", KEEPER.vkey)[0] == 2
    assert verify("remember", lay(exported(4)), "--state", state, "--vkey", KEEPER.vkey)[0] == 0
    kept = state.read_bytes()
    assert verify("remember", note, "--state", state)[0] == 2
    assert state.read_bytes() == kept
    note.write_bytes(note_of(ROTATED.leaves, replace(STRANGER, name="witness.example")))
    assert verify("checkpoint", note, "--vkey", KEEPER.vkey)[0] == 1, "nobody of the log signed"


def test_key_rotated_before_the_range_must_be_given(lay: Lay) -> None:
    genuine = exported(300, first=257)
    unknown = replace(genuine, note=note_of(genuine.leaves, STRANGER))
    assert verify("export", lay(unknown))[0] == 2
    assert verify("export", lay(unknown), "--vkey", KEEPER.vkey)[0] == 2
    assert verify("export", lay(unknown), "--vkey", STRANGER.vkey)[0] == 0


def test_log_that_grew_is_accepted_and_the_new_head_is_kept(lay: Lay, state: Path) -> None:
    for size in (3, 3, 256, 257, 600):
        status, _ = verify("remember", lay(exported(size)), "--state", state, "--vkey", KEEPER.vkey)
        assert (status, json.loads(state.read_text())["size"]) == (0, size)
    assert sorted(path.name for path in state.parent.iterdir()) == ["head.json", "log.tar"]


@pytest.mark.parametrize("other", [exported(299), exported(300, history=1), exported(400, history=1)])
def test_log_that_did_not_just_grow_is_refused_and_the_head_stays(other: Exported, lay: Lay, state: Path) -> None:
    assert verify("export", lay(exported(300)), "--remember", state)[0] == 0
    before = state.read_bytes()
    status, found = verify("export", lay(other), "--vkey", KEEPER.vkey, "--remember", state)
    assert (status, state.read_bytes()) == (1, before)
    assert "rollback" not in found["not_covered"]


def test_note_grows_by_a_proof_of_consistency(tmp_path: Path, state: Path) -> None:
    note, proof = tmp_path / "checkpoint", tmp_path / "proof.json"
    note.write_bytes(exported(5).note)
    assert verify("remember", note, "--state", state)[0] == 2, "whose signature counts is not known"
    assert verify("remember", note, "--state", state, "--vkey", KEEPER.vkey)[0] == 0
    leaves = exported(9).leaves
    note.write_bytes(exported(9).note)
    assert verify("remember", note, "--state", state)[0] == 2, "no proof"
    path = reference_tree.consistency_path(5, leaves)
    for mutant in (path[1:], [*path, path[0]], [bytes(32), *path[1:]]):
        proof.write_bytes(consistency(5, 9, mutant))
        assert verify("remember", note, "--state", state, "--proof", proof)[0] == 1
    proof.write_bytes(consistency(4, 9, reference_tree.consistency_path(4, leaves)))
    assert verify("remember", note, "--state", state, "--proof", proof)[0] == 1
    assert json.loads(state.read_text())["size"] == 5
    proof.write_bytes(consistency(5, 9, path))
    assert verify("remember", note, "--state", state, "--proof", proof)[0] == 0
    assert json.loads(state.read_text())["size"] == 9
    note.write_bytes(exported(5).note)
    assert verify("remember", note, "--state", state)[0] == 1, "a rollback"
    note.write_bytes(exported(9, history=1).note)
    assert verify("remember", note, "--state", state)[0] == 1, "a split view"


def test_state_file_that_is_none_tells_nothing(lay: Lay, state: Path) -> None:
    for text in ("", "{}", '{"vkeys":[],"root":"","size":1,"origin":"x"}'):
        state.write_text(text, encoding="utf-8")
        assert verify("export", lay(exported(3)), "--remember", state)[0] == 2
        assert state.read_text(encoding="utf-8") == text


def test_head_of_another_log_is_refused(lay: Lay, state: Path) -> None:
    assert verify("remember", lay(exported(3)), "--state", state)[0] == 0
    other = json.loads(state.read_text())
    state.write_text(json.dumps({**other, "origin": other["origin"][:-1] + "2"}), encoding="utf-8")
    assert verify("remember", lay(exported(3)), "--state", state)[0] == 1


def consistency(first: int, second: int, path: list[bytes]) -> bytes:
    hashes = [base64.b64encode(each).decode() for each in path]
    return spelled({"first": first, "second": second, "consistency": hashes})
