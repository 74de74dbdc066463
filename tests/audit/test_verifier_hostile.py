"""Files made to break a reader: each is refused, in bounded time and memory, and none crashes it.

Archives end with 1; what is none at all, with 2: `test_verifier_something_else.py`.
"""

import io
import random
import tarfile
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulation_saas.audit import verifier
from tests.audit.asking import run_alone, verify
from tests.audit.exports import KEEPER, exported, spelled, tar_of

FILES: Final = exported(300).members()
BY_LINE: Final = exported(300, hidden={7}).members()
CHECKS: Final = ("checkpoint", "export", "dossier", "inclusion")


def archive(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.USTAR_FORMAT) -> bytes:
    """Return an archive of the files of an export and of others."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as tar:
        for name, data in FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return made.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for field, value in more.items():
        setattr(info, field, value)
    return info


def with_size(size: bytes) -> bytes:
    """Return an archive whose first header claims a size, with a true checksum."""
    tar = bytearray(tar_of(FILES))
    tar[124:136] = size.ljust(12, b"\0")
    tar[148:156] = b" " * 8
    tar[148:156] = b"%06o\0 " % sum(tar[:512])
    return bytes(tar)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(tar_of(FILES)[:-10_240], id="cut at the end"),
        pytest.param(tar_of(FILES).rstrip(b"\0"), id="no end"),
        pytest.param(tar_of(FILES) + b"more", id="something after the end"),
        pytest.param(tar_of(FILES) + bytes(2_000_000), id="much padding"),
        pytest.param(with_size(b"77777777777"), id="a size of 8 GiB"),
        pytest.param(with_size(b"-0000000001"), id="a negative size"),
        pytest.param(with_size(b"\x80" + b"\xff" * 11), id="a size in base 256"),
        pytest.param(with_size(b"0000_000001"), id="a size with an underscore"),
        pytest.param(with_size(b""), id="no size"),
        pytest.param(archive((member("checkpoint"), b"x")), id="a file twice"),
        pytest.param(archive((member("../up"), b"x")), id="a way up"),
        pytest.param(archive((member("/absolute"), b"x")), id="an absolute name"),
        pytest.param(archive((member("a\nb"), b"x")), id="a line feed in a name"),
        pytest.param(archive((member("b"), b"x")), id="a file too many"),
        pytest.param(archive((member("b", tarfile.SYMTYPE, linkname="checkpoint"), b"")), id="a symbolic link"),
        pytest.param(archive((member("b", tarfile.LNKTYPE, linkname="checkpoint"), b"")), id="a hard link"),
        pytest.param(archive((member("b", tarfile.FIFOTYPE), b"")), id="a pipe"),
        pytest.param(archive((member("b", tarfile.DIRTYPE), b"")), id="a folder"),
        pytest.param(archive((member("b", tarfile.GNUTYPE_SPARSE), b"x")), id="a sparse file"),
        pytest.param(archive((member("n" * 300), b"x"), form=tarfile.GNU_FORMAT), id="a long name"),
        pytest.param(
            archive((member("b", pax_headers={"path": "checkpoint"}), b"x"), form=tarfile.PAX_FORMAT), id="renamed"
        ),
        pytest.param(archive((member("b", pax_headers={"c": "x" * 200_000}), b""), form=tarfile.PAX_FORMAT), id="pax"),
    ],
)
@pytest.mark.parametrize("check", ["export", "dossier"])
def test_archive_that_is_none_of_ours_is_refused(check: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "hostile.tar"
    path.write_bytes(data)
    assert verify(check, path, "--vkey", KEEPER.vkey)[0] == 1


def with_remarks(remarks: dict[str, str]) -> bytes:
    """Return a genuine export, each of its files with remarks in the pax format."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in FILES.items():
            tar.addfile(member(name, size=len(data), mtime=1.5, pax_headers=remarks), io.BytesIO(data))
    return made.getvalue()


def test_remarks_of_the_pax_format_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.tar"
    path.write_bytes(with_remarks({"comment": "as exported"}))
    assert b"comment=" in path.read_bytes()
    assert verify("export", path, "--vkey", KEEPER.vkey)[0] == 0


@pytest.mark.parametrize(
    "remarks",
    [{"path": "other"}, {"size": "1"}, {"linkpath": "other"}, {"GNU.sparse.major": "1"}, {"c": "x" * 140_000}],
)
def test_archive_that_other_readers_would_read_otherwise_is_refused(remarks: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "log.tar"
    path.write_bytes(with_remarks(remarks))
    assert verify("export", path, "--vkey", KEEPER.vkey)[0] == 1


def test_archive_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.tar"
    path.write_bytes(tar_of(FILES))
    monkeypatch.setattr(verifier, "MEMBERS_MAX", len(FILES))
    assert verify("export", path)[0] == 0
    monkeypatch.setattr(verifier, "MEMBERS_MAX", len(FILES) - 1)
    assert verify("export", path)[0] == 1


@pytest.mark.parametrize("data", [b"", b"x", b"\xff", b"{", b"[" * 100_000, b'{"a":' * 100_000, b"9" * 100_000])
@pytest.mark.parametrize("name", [*FILES, "entries.ndjson"])
def test_file_of_an_export_that_holds_something_else_is_refused(name: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "log.tar"
    path.write_bytes(tar_of({**(BY_LINE if name in BY_LINE else FILES), name: data}))
    assert verify("export", path, "--vkey", KEEPER.vkey)[0] == 1


@pytest.mark.parametrize(
    ("written", "other"),
    [
        *((b'"position":7', b'"position":' + position) for position in (b"8", b'"7"', b"7.0", b"true", b"null")),
        (b'"position":7', b'"position":7,"position":7'),
        (b'"position":7', b'"position":7,"more":1'),
        (b',"position":7', b""),
        (b'"leaf_hash"', b'"entry"'),
        (b'"leaf_hash"', b'"leaf"'),
        (b'"leaf_hash"', b'"entry":"","leaf_hash"'),
        (b'=","', b'","'),
        (b'":"', b'":"AAAA'),
        (b"{", b" " * 100_000 + b"{"),
        (b"{", b"\n{"),
    ],
)
def test_line_of_a_hidden_event_that_is_malformed_is_found(written: bytes, other: bytes, tmp_path: Path) -> None:
    path, lines = tmp_path / "log.tar", BY_LINE["entries.ndjson"].splitlines(keepends=True)
    assert written in lines[6]
    false = [*lines[:6], lines[6].replace(written, other, 1), *lines[7:]]
    path.write_bytes(tar_of({**BY_LINE, "entries.ndjson": b"".join(false)}))
    status, found = verify("export", path, "--vkey", KEEPER.vkey)
    assert (status, found["position"]) == (1, 7)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.sampled_from(CHECKS))
def test_random_damage_never_crashes_a_check(tmp_path: Path, seed: int, check: str) -> None:
    chance = random.Random(seed)  # noqa: S311 - damage is no secret
    data = bytearray(tar_of(chance.choice([FILES, BY_LINE, {"dossier.json": spelled({"events": []}), **FILES}])))
    for _ in range(chance.randint(1, 40)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    start = chance.choice([0, 0, chance.randrange(len(data))])
    path = tmp_path / "damaged"
    path.write_bytes(data[start : chance.choice([len(data), chance.randrange(len(data))])])
    leaf = ["--leaf-hash", "A" * 43 + "="] if check == "inclusion" else []
    status, damaged = verify(check, path, *leaf, "--vkey", KEEPER.vkey)[0], path.read_bytes()
    is_tar, is_note = damaged[257:262] == b"ustar", "\n— ".encode() in damaged
    is_one = {"checkpoint": is_note, "inclusion": False}.get(check, is_tar)
    assert status in ((0, 1) if is_one else (2,))


def test_folder_in_place_of_a_file_cannot_be_told(tmp_path: Path) -> None:
    for check in ("checkpoint", "export", "dossier"):
        done = run_alone(check, tmp_path)
        assert (done.returncode, done.stderr) == (2, "")
