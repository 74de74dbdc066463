"""`emulation-saas migrate` and what `--check` says: exit status, text, JSON."""

import asyncio
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import msgspec
import pytest

from emulation_saas.__main__ import main
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.postgres.migrating import migrate
from tests.database import drop_database, empty_database, superuser

NAME = "test_migrate_command"


@pytest.fixture
def empty_url(server: EmbeddedPostgres) -> Iterator[str]:
    url = asyncio.run(empty_database(server, NAME))
    yield url
    asyncio.run(drop_database(server, url))


def released() -> list[str]:
    with as_file(files("emulation_saas.postgres") / "migrations") as folder:
        return sorted(path.name for path in folder.glob("*.sql"))


def checked(url: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, list[str]]]:
    capsys.readouterr()
    status = main(["migrate", "--check", "--json", "--database-url", url])
    return status, msgspec.json.decode(capsys.readouterr().out, type=dict[str, list[str]])


async def tables(server: EmbeddedPostgres) -> int:
    async with superuser(server, NAME) as root:
        counted: int = await root.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    return counted


def test_a_check_says_what_is_to_be_done_and_does_nothing(
    server: EmbeddedPostgres, empty_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(empty_url, capsys) == (3, {"pending": released(), "waiting": [], "unknown": []})
    assert asyncio.run(tables(server)) == 0
    for applied in (released(), []):
        assert main(["migrate", "--json", "--database-url", empty_url]) == 0
        assert msgspec.json.decode(capsys.readouterr().out) == {"applied": applied}
    assert checked(empty_url, capsys) == (0, {"pending": [], "waiting": [], "unknown": []})
    assert main(["migrate", "--check", "--database-url", empty_url]) == 0
    assert capsys.readouterr().out == "the schema is up to date\n"


def test_a_newer_release_is_told_from_an_older_one(
    empty_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["migrate", "--database-url", empty_url])
    with as_file(files("emulation_saas.postgres") / "migrations") as folder:
        for path in folder.glob("*.sql"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "9999_pre_new.sql").write_text("CREATE TABLE newer ();")
    asyncio.run(migrate(empty_url, lambda _: None, directory=tmp_path))
    assert checked(empty_url, capsys) == (4, {"pending": [], "waiting": [], "unknown": ["9999_pre_new.sql"]})
    assert main(["migrate", "--database-url", empty_url]) == 0


def test_a_cluster_that_is_not_there_is_told(empty_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "--citus", "--database-url", empty_url]) == 1
    assert "has no Citus" in capsys.readouterr().err


def test_what_the_database_refuses_is_told_in_its_own_words(
    server: EmbeddedPostgres, empty_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def taken() -> None:
        async with superuser(server, NAME) as root:
            await root.execute("CREATE TABLE events (); ALTER TABLE events OWNER TO emulation_owner")

    asyncio.run(taken())
    assert main(["migrate", "--database-url", empty_url]) == 1
    told = capsys.readouterr().err
    assert 'relation "events" already exists' in told
    assert "migrating: 0001_pre_log.sql" in told
    assert "Traceback" not in told
    nowhere = empty_url.replace(NAME, "test_nowhere")
    assert main(["migrate", "--database-url", nowhere]) == 1
    assert 'database "test_nowhere" does not exist' in capsys.readouterr().err
