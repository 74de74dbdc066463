"""`emulation-saas reenter`: what a restore has lost comes back from an export, to the very root that was signed."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from emulation_saas.__main__ import main
from emulation_saas.audit.signing import SignedHead, Signer
from emulation_saas.audit.witness import Witness
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Entry, ProvinceLog
from emulation_saas.postgres.database import Database, open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.database import drop_database, empty_database
from tests.logs import logs_of, open_province, register


@asynccontextmanager
async def the_log(url: str) -> AsyncGenerator[tuple[Database, ProvinceLog]]:
    async with open_database(url) as database, logs_of(database) as logs:
        yield database, await logs.find("bac-song") or (await open_province(logs)).log


async def record(url: str, *agencies: str) -> int:
    async with the_log(url) as (_, log):
        admin = (await log.recorded(after=3, through=4))[0].event.person
        for agency in agencies:
            await log.execute(register(agency), by=Acting(admin))
        return (await log.head()).position


async def signed(url: str, witness: Path) -> SignedHead:
    async with the_log(url) as (database, log):
        return await Signer(database, Witness(witness)).covering(log, (await log.head()).position)


async def stored(url: str) -> tuple[list[Entry], list[tuple[object, ...]]]:
    """Return the events and their tags."""
    async with the_log(url) as (database, log):
        entries = await log.entries(after=0, through=(await log.head()).position)
        async with database.in_province(log.province) as connection:
            tags = await connection.fetch("SELECT tag, position, type FROM event_tags ORDER BY position, tag")
        return entries, [tuple(row) for row in tags]


@pytest.fixture
async def older(server: EmbeddedPostgres, database_url: str) -> AsyncGenerator[str]:
    """A copy of the whole database from before two events of the live one."""
    await record(database_url, "so-1")
    name = database_url.partition("?")[0].rpartition("/")[2]
    copy = await empty_database(server, f"{name}_older", template=name)
    await record(database_url, "so-2", "so-3")
    yield copy
    await drop_database(server, copy)


def run(*arguments: str | Path) -> int:
    return main([*map(str, arguments)])


def test_what_was_lost_is_appended_again_and_signed_as_before(
    database_url: str, older: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export, witness = tmp_path / "log.tar", tmp_path / "witness"
    witness.mkdir()
    head = asyncio.run(signed(database_url, witness))
    assert run("export", "bac-song", "--database-url", database_url, "--out", export) == 0
    capsys.readouterr()
    for first in (7, 9):  # the second time there is nothing to do
        assert run("reenter", "bac-song", export, "--database-url", older, "--json") == 0
        assert json.loads(capsys.readouterr().out) == {"province": "bac-song", "first": first, "last": 8}
    assert asyncio.run(stored(older)) == asyncio.run(stored(database_url))
    assert asyncio.run(signed(older, witness)).note == head.note
    assert asyncio.run(record(older, "so-4")) == 9


def test_another_history_a_foreign_export_and_a_damaged_one_are_refused(
    database_url: str, older: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = tmp_path / "log.tar"
    assert run("export", "bac-song", "--database-url", database_url, "--out", export) == 0
    content = bytearray(export.read_bytes())
    content[content.rindex(b"so-3")] ^= 1
    (tmp_path / "damaged.tar").write_bytes(content)
    assert run("reenter", "bac-song", tmp_path / "damaged.tar", "--database-url", older) == 1
    assert run("reenter", "nam-song", export, "--database-url", older) == 1
    assert "there is no province nam-song" in capsys.readouterr().err
    assert run("reenter", "bac-song", tmp_path / "none.tar", "--database-url", older) == 1
    asyncio.run(record(older, "so-khac"))
    assert run("reenter", "bac-song", export, "--database-url", older) == 1
    assert "two histories" in capsys.readouterr().err
    assert asyncio.run(record(older)) == 7
