"""`export` and `remember`: what passes, what is named as not covered, what is refused, and at which position."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from tests.audit.asking import verify
from tests.audit.exports import (
    KEEPER,
    ORIGIN,
    STRANGER,
    Exported,
    Hidden,
    Lay,
    Signer,
    exported,
    read,
    rewritten,
    spelled,
    tar_of,
)

SIZES: Final = (1, 2, 255, 256, 257, 600)


def first_at(first: int, entries: tuple[bytes | Hidden, ...]) -> bytes:
    entry = entries[first]
    assert isinstance(entry, bytes)
    return entry


@pytest.mark.parametrize("size", SIZES)
def test_genuine_export_passes_in_both_layouts(size: int, lay: Lay) -> None:
    for export in (exported(size), exported(size, hidden=())):
        assert read(export.tar()) == export
        status, found = verify("export", lay(export), "--vkey", KEEPER.vkey)
        assert (status, found["events"], found["hidden"]) == (0, size, 0)
        assert set(found["not_covered"]) == {"rollback", "clock"}


def test_without_key_or_remembered_head_both_are_named_as_not_covered(lay: Lay) -> None:
    status, found = verify("export", lay(exported(3)))
    assert status == 0
    assert {"key identity", "rollback"} <= set(found["not_covered"])


def test_log_that_a_stranger_made_anew_passes_only_where_key_identity_is_not_covered(lay: Lay) -> None:
    opened = first_at(0, exported(3).entries)
    data = {**json.loads(opened)["data"], "vkey": STRANGER.vkey}
    forged = exported(3).rebuilt([rewritten(opened, data=data), *exported(3).entries[1:]], STRANGER)
    path = lay(replace(forged, vkey=STRANGER.vkey))
    status, found = verify("export", path)
    assert (status, "key identity" in found["not_covered"]) == (0, True)
    status, found = verify("export", path, "--vkey", KEEPER.vkey)
    assert (status, found["position"]) == (1, 1)


def test_hidden_events_are_counted_and_named(lay: Lay) -> None:
    status, found = verify("export", lay(exported(300, hidden={2, 3, 4, 299})), "--vkey", KEEPER.vkey)
    assert (status, found["events"], found["hidden"]) == (0, 296, 4)
    assert "2-4, 299" in found["not_covered"]["hidden events"]


def test_what_lies_outside_the_range_is_named(lay: Lay) -> None:
    status, found = verify("export", lay(exported(600, first=513)), "--vkey", KEEPER.vkey)
    assert (status, found["from"], found["to"], found["events"]) == (0, 513, 600, 88)
    assert "1-512" in found["not_covered"]["outside the range"]


def changed(size: int, position: int, **fields: object) -> Exported:
    """Return an export whose keeper himself changed an event, built the tree anew and signed it."""
    genuine = exported(size)
    entries = list(genuine.entries)
    entries[position - 1] = rewritten(first_at(position - 1, genuine.entries), **fields)
    return genuine.rebuilt(entries, KEEPER)


@pytest.mark.parametrize(
    ("position", "fields"),
    [
        (4, {"id": "5"}),
        (4, {"id": 4}),
        (4, {"sequence": "4"}),
        (4, {"sequence": f"{5:019d}"}),
        (4, {"source": "urn:emulation:province:0190c3f2-0000-7000-8000-000000000002"}),
        (4, {"recordedtime": "2024-01-30T02:00:05.123455Z"}),
        (4, {"recordedtime": "2024-01-30T02:00:09Z"}),
        (4, {"recordedtime": "2024-13-30T02:00:09.000000Z"}),
        (4, {"recordedtime": 1}),
        (4, {"score": 1.5}),
        (4, {"count": 2**53 + 1}),
        (4, {"name": "Tha\u0300nh"}),
        (4, {"khoá": "x"}),
        (4, {"type": "log.opened.v1"}),
        (4, {"type": "log.key-rotated.v1"}),
        (4, {"type": "log.key-rotated.v1", "data": {"vkey": Signer(bytes(32), "log.example/other").vkey}}),
        (4, {"type": "log.key-rotated.v1", "data": {"vkey": "no key"}}),
        (4, {"type": "log.key-rotated.v1", "data": []}),
        (1, {"type": "province.opened.v1"}),
        (1, {"data": {"format": "emulation-log.v1", "origin": "elsewhere/log/1", "vkey": KEEPER.vkey}}),
        (1, {"data": {"format": "emulation-log.v2", "origin": ORIGIN, "vkey": KEEPER.vkey}}),
    ],
)
def test_false_event_is_found_though_the_logs_own_key_signed_it(
    position: int, fields: dict[str, Any], lay: Lay
) -> None:
    status, found = verify("export", lay(changed(6, position, **fields)), "--vkey", KEEPER.vkey)
    assert (status, found["position"]) == (1, position)
    assert "the rest" in found["not_covered"]


@pytest.mark.parametrize(
    ("written", "other"),
    [
        (b'{"actor"', b' {"actor"'),
        (b'{"actor"', b'{"\\u0061ctor"'),
        (b'{"actor"', b'\xff{"actor"'),
        (b'{"actor"', b'{"zactor"'),
        (b'{"actor"', b'{"z":1,"actor"'),
        (b'{"actor"', b'{"actor":"x","actor"'),
        (b'{"actor"', b'{"a":NaN,"actor"'),
        (b'{"actor"', b'{"a":1e3,"actor"'),
        (b'{"actor"', b'{"a":-0,"actor"'),
        (b'{"actor"', b'{"a":' + b"9" * 5000 + b',"actor"'),
        (b'":"', b'": "'),
    ],
)
def test_event_in_another_spelling_is_found_though_the_logs_own_key_signed_it(
    written: bytes, other: bytes, lay: Lay
) -> None:
    entries = list(exported(5).entries)
    entries[2] = first_at(2, exported(5).entries).replace(written, other, 1)
    status, found = verify("export", lay(exported(5).rebuilt(entries, KEEPER)), "--vkey", KEEPER.vkey)
    assert (status, found["position"]) == (1, 3)


@pytest.mark.parametrize("entry", [b"", b"[]", b"1", b"null", b"{}", b"[" * 60_000, b'{"a":' * 10_000])
def test_bytes_that_are_no_event_are_found_though_the_logs_own_key_signed_them(entry: bytes, lay: Lay) -> None:
    entries = list(exported(5).entries)
    entries[2] = entry
    status, found = verify("export", lay(exported(5).rebuilt(entries, KEEPER)), "--vkey", KEEPER.vkey)
    assert (status, found["position"]) == (1, 3)


def test_recorded_time_may_stand_still(lay: Lay) -> None:
    before = json.loads(first_at(2, exported(6).entries))["recordedtime"]
    assert verify("export", lay(changed(6, 4, recordedtime=before)), "--vkey", KEEPER.vkey)[0] == 0


def test_export_begins_with_a_run_of_256(lay: Lay) -> None:
    genuine = exported(5, hidden=())
    assert verify("export", lay(replace(genuine, first=2, entries=genuine.entries[1:])))[0] == 1


def test_key_beside_the_log_is_that_of_position_1(lay: Lay) -> None:
    status, found = verify("export", lay(replace(exported(3), vkey=STRANGER.vkey)))
    assert (status, found["position"]) == (1, 1)


def test_log_whose_origin_names_no_province_is_refused(lay: Lay) -> None:
    for origin in ("log.example.vn", "log.example.vn/log/1", f"{ORIGIN}0", ORIGIN.upper()):
        named, genuine = Signer(KEEPER.seed, origin), exported(1)
        data = {"format": "emulation-log.v1", "origin": origin, "vkey": named.vkey}
        opened = rewritten(first_at(0, genuine.entries), data=data)
        export = replace(genuine, origin=origin, vkey=named.vkey).rebuilt([opened], named)
        assert verify("export", lay(export), "--vkey", named.vkey)[0] == 1


@pytest.mark.parametrize("name", ["notes.txt", "tile/0/001", "tile/entries/001.p/3", "entries.ndjson.bak"])
def test_file_that_no_export_holds_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "log.tar"
    path.write_bytes(tar_of({**exported(300).members(), name: b"x"}))
    assert verify("export", path, "--vkey", KEEPER.vkey)[0] == 1


@pytest.mark.parametrize("name", sorted(exported(300).members()))
def test_every_file_of_an_export_is_needed(name: str, tmp_path: Path) -> None:
    members = exported(300).members()
    del members[name]
    path = tmp_path / "log.tar"
    path.write_bytes(tar_of(members))
    assert verify("export", path, "--vkey", KEEPER.vkey)[0] == 1


@pytest.mark.parametrize(
    "claim",
    [
        {"format": "x"},
        {"origin": "x/log/1"},
        {"more": 1},
        *({"from": first} for first in (2, 0, True, 257, "1", -255)),
        *({"to": last} for last in (4, 10**30)),
    ],
)
def test_manifest_that_contradicts_the_rest_is_refused(claim: dict[str, object], tmp_path: Path) -> None:
    manifest = {"format": "emulation-export.v1", "from": 1, "origin": ORIGIN, "to": 5, **claim}
    path = tmp_path / "log.tar"
    path.write_bytes(tar_of({**exported(5).members(), "export.json": spelled(manifest)}))
    assert verify("export", path, "--vkey", KEEPER.vkey)[0] == 1
