"""The stream goes on into the history of another primary, also one that begins exactly where its next file does."""

import asyncio
import os
from pathlib import Path

import pytest

from emulation_saas.backups.shelf import Shelf
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.backups.streaming import streamed
from tests.database import start_database, superuser
from tests.postgres.processes import wait_until

RECOVER = "restore_command = 'false'\n"


async def test_stream_goes_on_where_a_new_history_begins_with_a_new_file(tmp_path: Path) -> None:
    server = await asyncio.to_thread(start_database, tmp_path)
    backups = tmp_path / "backups"
    try:
        with streamed(tmp_path / "data", backups, tmp_path / "stream.log") as stream:
            await asyncio.to_thread(stream.wait_until_streaming)
            last = await end_a_file(server)
            shelf = Shelf(backups)
            await asyncio.to_thread(wait_until, lambda: last in [path.name for path in shelf.segments()])
            server.kill()
            begin_a_history(tmp_path / "data" / "pg")
            await asyncio.to_thread(server.start)
            async with superuser(server) as root:
                while await root.fetchval("SELECT pg_is_in_recovery()"):  # noqa: ASYNC110 - it is another's
                    await asyncio.sleep(0.1)
                await root.execute("CREATE TABLE later (number int)")
                newest: str = await root.fetchval("SELECT pg_walfile_name(pg_switch_wal())")
            assert newest.startswith("00000002")
            await asyncio.to_thread(wait_until, lambda: newest in [path.name for path in shelf.segments()], seconds=45)
    finally:
        await asyncio.to_thread(server.stop)


async def end_a_file(server: EmbeddedPostgres) -> str:
    """Have the server go on to a new file of its log, and write nothing to it; return the name of the one before."""
    async with superuser(server) as root:
        await root.execute("CHECKPOINT")
        await root.execute("CREATE TABLE before (number int)")
        name: str = await root.fetchval("SELECT pg_walfile_name(pg_switch_wal())")
    return name


def begin_a_history(cluster: Path) -> None:
    """Have the server recover as a standby does that takes over."""
    settings, asked = cluster / "postgresql.auto.conf", cluster / "recovery.signal"
    with settings.open("a") as file:
        file.write(RECOVER)
    asked.touch()
    owner = settings.stat()
    os.chown(asked, owner.st_uid, owner.st_gid)


@pytest.mark.parametrize(
    ("there", "timeline", "ends", "begun"),
    [
        (["000000010000000000000006"], 2, {1: 0x700}, "000000020000000000000007.partial"),
        (["000000010000000000000006"], 4, {1: 0x700, 2: 0x900, 3: 0xA00}, "000000020000000000000007.partial"),
        (["000000020000000000000006"], 3, {1: 0x300, 2: 0x700}, "000000030000000000000007.partial"),
        (["0000000100000000000000FF", "000000020000000000FFFFFF"], 3, {2: 2**32}, "000000030000000100000000.partial"),
        (["000000010000000000000006"], 1, {}, None),
        (["000000010000000000000006"], 2, {1: 0x710}, None),
        (["000000010000000000000006"], 2, {1: 0x600}, None),
        (["000000010000000000000006", "000000010000000000000007.partial"], 2, {1: 0x700}, None),
        ([], 2, {1: 0x700}, None),
    ],
)
def test_file_is_begun_only_where_nothing_would_come_of_asking(
    tmp_path: Path, there: list[str], timeline: int, ends: dict[int, int], begun: str | None
) -> None:
    shelf = Shelf(tmp_path)
    shelf.of("a server")
    for name in there:
        (shelf.wal / name).write_bytes(bytes(0x100))
    shelf.enter(timeline, ends)
    assert {path.name for path in shelf.segments()} - {*there} == ({begun} if begun else set())
