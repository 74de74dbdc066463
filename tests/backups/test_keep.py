"""The shelf: whose it is, which backups belong together, what is removed when, and which log is replayed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emulation_saas.backups.faults import BackupError, OtherServerError
from emulation_saas.backups.shelf import Shelf

DAY = timedelta(days=1)
FIRST = datetime(2026, 11, 1, 2, 15, tzinfo=UTC)


def put(shelf: Shelf, day: int, segment: int, *, is_incremental: bool = False) -> str:
    draft = shelf.draft()
    draft.mkdir()
    label = f"START WAL LOCATION: 0/{segment:X}000028 (file {named(segment)})\nSTART TIMELINE: 1\n"
    (draft / "backup_label").write_text(label, encoding="utf-8")
    return shelf.put(draft, now=FIRST + day * DAY, is_incremental=is_incremental).name


def named(segment: int, timeline: int = 1) -> str:
    return f"{timeline:08X}00000000{segment:08X}"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf(tmp_path / "backups")
    shelf.of("7712330123844372243")
    return shelf


def test_a_chain_is_a_full_backup_and_the_increments_after_it(shelf: Shelf) -> None:
    first = [put(shelf, 0, 1), put(shelf, 1, 2, is_incremental=True), put(shelf, 2, 3, is_incremental=True)]
    second = [put(shelf, 7, 8)]
    assert [[backup.name for backup in chain] for chain in shelf.chains()] == [first, second]
    assert [backup.name for backup in shelf.chain_before(None)] == second
    assert [backup.name for backup in shelf.chain_before(FIRST + 2 * DAY)] == first
    assert [backup.name for backup in shelf.chain_before(FIRST + 2 * DAY - timedelta(seconds=1))] == first[:2]
    with pytest.raises(BackupError, match="there is no backup"):
        shelf.chain_before(FIRST - timedelta(seconds=1))


def test_an_increment_without_its_full_backup_is_none(shelf: Shelf) -> None:
    put(shelf, 0, 1, is_incremental=True)
    assert shelf.chains() == []


def test_old_chains_go_whole_and_the_log_before_what_stays_with_them(shelf: Shelf) -> None:
    first = [put(shelf, 0, 1), put(shelf, 1, 2, is_incremental=True)]
    second = [put(shelf, 7, 8), put(shelf, 8, 9, is_incremental=True)]
    for segment in range(1, 12):
        (shelf.wal / named(segment)).touch()
    (shelf.wal / f"{named(12)}.partial").touch()
    (shelf.wal / "00000002.history").touch()
    now = FIRST + 9 * DAY
    assert shelf.prune(keep=2, older_than=30 * DAY, now=now) == []
    assert shelf.prune(keep=1, older_than=30 * DAY, now=now) == first
    assert [[backup.name for backup in chain] for chain in shelf.chains()] == [second]
    assert [path.name for path in shelf.segments()] == [*map(named, range(8, 12)), f"{named(12)}.partial"]


def test_what_may_hold_an_erased_key_goes_after_its_days_but_the_newest_stays(shelf: Shelf) -> None:
    first, second = put(shelf, 0, 1), put(shelf, 7, 8)
    assert shelf.prune(keep=9, older_than=30 * DAY, now=FIRST + 30 * DAY) == []
    assert shelf.prune(keep=9, older_than=30 * DAY, now=FIRST + 30 * DAY + timedelta(seconds=1)) == [first]
    assert shelf.prune(keep=9, older_than=30 * DAY, now=FIRST + 365 * DAY) == []
    assert [[backup.name for backup in chain] for chain in shelf.chains()] == [[second]]


def test_a_whole_segment_counts_where_it_was_partial_before(shelf: Shelf) -> None:
    put(shelf, 0, 2)
    written = {named(1): b"before", named(2): b"2", f"{named(3)}.partial": b"cut", named(3): b"3"}
    written |= {f"{named(4)}.partial": b"4", named(3, timeline=2): b"3 of 2", "00000002.history": b"h"}
    for name, content in written.items():
        (shelf.wal / name).write_bytes(content)
    replayed = {name: file.read_bytes() for name, file in shelf.replayable(shelf.chains()[0]).items()}
    histories = {named(3, timeline=2): b"3 of 2", "00000002.history": b"h"}
    assert replayed == {named(2): b"2", named(3): b"3", named(4): b"4", **histories}


def test_the_backups_of_another_server_are_left_alone(shelf: Shelf) -> None:
    shelf.of("7712330123844372243")
    with pytest.raises(OtherServerError, match="of server 7712330123844372243, this is 1"):
        shelf.of("1")


def test_one_at_a_time_takes_a_backup(shelf: Shelf) -> None:
    with (
        shelf.held("lock", "is taking a backup into"),
        shelf.held("stream.lock", "streams into"),
        pytest.raises(BackupError, match="another process is taking a backup"),
        shelf.held("lock", "is taking a backup into"),
    ):
        raise AssertionError
    with shelf.held("stream.lock", "streams into"):
        assert shelf.is_streamed()
    assert not shelf.is_streamed()
    with shelf.held("lock", "is taking a backup into"):
        assert (shelf.root / "lock").stat().st_mode & 0o077 == 0


def test_a_place_that_cannot_be_written_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BackupError, match="cannot be made"):
        Shelf(tmp_path / "file" / "backups").of("1")
