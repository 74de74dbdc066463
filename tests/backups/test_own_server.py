"""A database of one's own comes back as the embedded server, whatever its own configuration asks for."""

import asyncio
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from emulation_saas.__main__ import main
from emulation_saas.backups.restoring import restored
from emulation_saas.backups.shelf import Shelf
from emulation_saas.backups.source import source_at
from emulation_saas.backups.taking import Policy, take
from emulation_saas.kernel.clock import utc_now
from emulation_saas.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresError
from emulation_saas.serving import prepare
from tests.database import superuser
from tests.logs import open_province, running_logs

CONFIGURATION: Final = ("postgresql.conf", "pg_hba.conf", "pg_ident.conf")
OTHER_CONFIGURATION: Final = "ssl = on\nhba_file = '/etc/postgresql/18/main/pg_hba.conf'\nmax_connections = 17\n"
"""What the embedded server's build has not, and what is on no other machine."""
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


async def execute(server: EmbeddedPostgres, statement: str, *, database: str = "postgres") -> None:
    async with superuser(server, database) as connection:
        await connection.execute(statement)


async def with_a_province(url: str) -> None:
    await prepare(url, lambda _: None)
    async with running_logs(url) as logs:
        await open_province(logs)


async def heads_of(url: str) -> list[int]:
    async with running_logs(url) as logs:
        return [(await log.head()).position for log in await logs.all()]


@dataclass(frozen=True)
class Copies:
    """Three backups of one server, each on a shelf of its own, and how the server was set when it was new."""

    root: Path
    fresh: list[tuple[str, str, str]]

    def shelf(self, name: str) -> Shelf:
        return Shelf(self.root / name)

    def back(self, name: str) -> Path:
        return self.root / f"{name}-again"


@pytest.fixture(scope="module")
def copies() -> Iterator[Copies]:
    root = Path(tempfile.mkdtemp(prefix="emulation-tests-"))
    root.chmod(0o755)
    cluster = root / "data" / "pg"
    with running(root / "data") as server:
        asyncio.run(with_a_province(server.url))
        copies = Copies(root, asyncio.run(settings_of(server)))

        def copy(name: str) -> None:
            take(copies.shelf(name), source_at(server.backup_url), Policy(), clock=utc_now, report=lambda _: None)

        for name in CONFIGURATION:  # the server has read it
            (cluster / name).unlink()
        copy("elsewhere")
        (cluster / "postgresql.conf").write_text(OTHER_CONFIGURATION, encoding="utf-8")
        (cluster / "postgresql.conf").chmod(0o644)
        (cluster / "standby.signal").touch()
        asyncio.run(execute(server, "ALTER SYSTEM SET synchronous_standby_names = 'emulation_stream'"))
        later = "INSERT INTO schema_migrations (name, sha256) VALUES ('9999_post_later.sql', 'x')"
        asyncio.run(execute(server, later, database="emulation"))
        copy("otherwise")
        asyncio.run(execute(server, "ALTER DATABASE emulation RENAME TO blocs"))
        copy("named")
    yield copies
    shutil.rmtree(root)


def demand_made_here(copies: Copies, data: Path) -> None:
    """Demand that a restored server is set as one that is made here, and holds the province."""
    with running(data) as server:
        assert asyncio.run(settings_of(server)) == copies.fresh
        assert asyncio.run(heads_of(server.url)) == [5]
    files = {path.name: path.stat().st_mode & 0o777 for path in (data / "pg").iterdir() if path.suffix == ".conf"}
    assert files == dict.fromkeys([*CONFIGURATION, "postgresql.auto.conf"], 0o600)


def test_what_has_its_configuration_elsewhere_is_set_as_if_it_were_made_here(copies: Copies) -> None:
    """Debian has it in /etc, so that a base backup holds none."""
    assert not any(copies.shelf("elsewhere").root.glob("*/pg_hba.conf"))
    with restored(copies.shelf("elsewhere"), copies.back("elsewhere"), until=None, report=lambda _: None):
        pass
    demand_made_here(copies, copies.back("elsewhere"))


def test_what_asks_for_more_and_is_of_a_later_release_is_restored_nevertheless(
    copies: Copies, capsys: pytest.CaptureFixture[str]
) -> None:
    back = copies.back("otherwise")
    assert main(["restore", "--backups", str(copies.shelf("otherwise").root), "--to", str(back)]) == 1
    *_, said = capsys.readouterr().err.splitlines()
    assert said.endswith(f"this release is older than the schema; all else is restored in {back}")
    demand_made_here(copies, back)


def test_a_database_of_another_name_is_not_taken_for_an_empty_one(copies: Copies) -> None:
    with (
        pytest.raises(EmbeddedPostgresError, match='database "emulation" does not exist'),
        restored(copies.shelf("named"), copies.back("named"), until=None, report=lambda _: None),
    ):
        raise AssertionError
    assert not copies.back("named").exists()
