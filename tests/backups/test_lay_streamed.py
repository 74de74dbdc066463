"""Which copy of a segment of WAL is replayed: the backup's own, or the streamed one."""

from pathlib import Path
from typing import Final

from emulation_saas.backups.restoring import lay_streamed

SEGMENT: Final = 64


def segment(written: str) -> bytes:
    return written.encode().ljust(SEGMENT, b"\0")


def test_what_reaches_further_is_replayed(tmp_path: Path) -> None:
    """A drill lost what was written behind the end of a backup, in a segment of which the backup had the beginning."""
    streamed, wal = tmp_path / "streamed", tmp_path / "pg_wal"
    for folder in (streamed, wal):
        folder.mkdir()
    for name, written in {"1": "abcd", "2.partial": "abcd", "3.partial": "ab", "4.partial": "a"}.items():
        (streamed / name).write_bytes(segment(written))
    for name, written in {"1": "ab", "2": "ab", "3": "abcd"}.items():
        (wal / name).write_bytes(segment(written))
    lay_streamed({path.name.removesuffix(".partial"): path for path in streamed.iterdir()}, wal)
    laid = {path.name: path.read_bytes() for path in wal.iterdir()}
    assert laid == {"1": segment("abcd"), "2": segment("abcd"), "3": segment("abcd"), "4": segment("a")}
