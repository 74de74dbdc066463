"""A database of one's own comes back as the embedded server, whatever its own configuration asks for."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from emulation_saas.backups.restoring import restored
from emulation_saas.backups.shelf import Shelf
from emulation_saas.backups.source import source_at
from emulation_saas.backups.taking import Policy, take
from emulation_saas.kernel.clock import utc_now
from emulation_saas.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresError
from emulation_saas.serving import prepare
from tests.database import superuser
from tests.logs import open_province, running_logs

OF_A_PLACE: Final = ["config_file", "data_directory", "hba_file", "ident_file", "unix_socket_directories"]


@contextmanager
def running(data: Path) -> Generator[EmbeddedPostgres]:
    server = EmbeddedPostgres(data, report=lambda _: None)
    server.start()
    try:
        yield server
    finally:
        server.stop()


async def settings_of(server: EmbeddedPostgres) -> list[tuple[str, str, str]]:
    async with superuser(server) as connection:
        rows = await connection.fetch(
            "SELECT name, setting, source FROM pg_settings WHERE name <> ALL($1::text[]) ORDER BY name", OF_A_PLACE
        )
    return [(row["name"], row["setting"], row["source"]) for row in rows]


async def execute(server: EmbeddedPostgres, *statements: str) -> None:
    async with superuser(server) as connection:
        for statement in statements:
            await connection.execute(statement)


async def with_a_province(url: str) -> None:
    await prepare(url, lambda _: None)
    async with running_logs(url) as logs:
        await open_province(logs)


async def heads_of(url: str) -> list[int]:
    async with running_logs(url) as logs:
        return [(await log.head()).position for log in await logs.all()]


def configured_elsewhere(server: EmbeddedPostgres, cluster: Path) -> None:
    """Leave the data directory as Debian has it: its configuration lies in /etc."""
    del server
    for name in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf"):
        (cluster / name).unlink()


def configured_otherwise(server: EmbeddedPostgres, cluster: Path) -> None:
    """Ask for what the embedded build cannot, for a standby that is gone, and for a history without an end."""
    with (cluster / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("ssl = on\nhba_file = '/etc/postgresql/18/main/pg_hba.conf'\nmax_connections = 17\n")
    asyncio.run(execute(server, "ALTER SYSTEM SET synchronous_standby_names = 'emulation_stream'"))
    (cluster / "standby.signal").touch()


@pytest.mark.parametrize("configured", [configured_elsewhere, configured_otherwise])
def test_what_is_restored_is_set_as_if_it_were_made_here(
    place: Path, configured: Callable[[EmbeddedPostgres, Path], None]
) -> None:
    shelf = Shelf(place / "backups")
    with running(place / "data") as server:
        asyncio.run(with_a_province(server.url))
        fresh = asyncio.run(settings_of(server))
        configured(server, place / "data" / "pg")
        take(shelf, source_at(server.backup_url), Policy(), clock=utc_now, report=lambda _: None)
    with restored(shelf, place / "again", until=None, report=lambda _: None) as back:
        assert asyncio.run(heads_of(back.url)) == [5]
    with running(place / "again") as server:
        assert asyncio.run(settings_of(server)) == fresh
    files = [path for path in (place / "again" / "pg").iterdir() if path.suffix == ".conf"]
    assert {(path.name, path.stat().st_mode & 0o777) for path in files} == {
        (name, 0o600) for name in ("postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf")
    }


def test_a_database_of_another_name_is_not_taken_for_an_empty_one(place: Path) -> None:
    shelf = Shelf(place / "backups")
    with running(place / "data") as server:
        asyncio.run(with_a_province(server.url))
        asyncio.run(execute(server, "ALTER DATABASE emulation RENAME TO blocs"))
        take(shelf, source_at(server.backup_url), Policy(), clock=utc_now, report=lambda _: None)
    with (
        pytest.raises(EmbeddedPostgresError, match='database "emulation" does not exist'),
        restored(shelf, place / "again", until=None, report=lambda _: None),
    ):
        raise AssertionError
    assert not (place / "again").exists()
