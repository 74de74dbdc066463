"""A file that holds a key is on the disk, whole and under its name, before anything is wrapped by the key."""

import os
import stat
from pathlib import Path

import pytest

from emulation_saas.log.key_files import write_once


def test_what_is_flushed_is_the_whole_file_and_then_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[tuple[int, bool]] = []
    fsync = os.fsync

    def seen(descriptor: int) -> None:
        fsync(descriptor)
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        flushed.append((0 if is_folder else os.fstat(descriptor).st_size, (tmp_path / "a.key").exists()))

    monkeypatch.setattr(os, "fsync", seen)
    write_once(tmp_path / "a.key", b"k" * 44)
    assert flushed == [(44, False), (0, True)]
    assert (tmp_path / "a.key").read_bytes() == b"k" * 44


def test_file_that_is_there_stands(tmp_path: Path) -> None:
    write_once(tmp_path / "a.key", b"first")
    write_once(tmp_path / "a.key", b"second")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"first"]
