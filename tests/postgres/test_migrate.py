"""The runner of migrations: order, once, together, unchanged, under a lock."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from emulation_saas.postgres import migrating
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.postgres.migrating import MigrationError, migrate
from emulation_saas.postgres.server import APP_ROLE
from tests.database import connected, drop_database, empty_database, superuser

NAME = "test_migrating"


@pytest.fixture
async def empty_url(server: EmbeddedPostgres) -> AsyncIterator[str]:
    url = await empty_database(server, NAME)
    yield url
    await drop_database(server, url)


def silent(_line: str) -> None:
    """Report to nobody."""


def write(folder: Path, **scripts: str) -> Path:
    for name, script in scripts.items():
        (folder / f"{name.removeprefix('m')}.sql").write_text(script, encoding="utf-8")
    return folder


async def test_files_are_applied_in_order_and_once(empty_url: str, tmp_path: Path) -> None:
    said: list[str] = []
    write(tmp_path, m0002_post_b="ALTER TABLE a ADD b integer;", m0001_pre_a="CREATE TABLE a ();")
    assert await migrate(empty_url, said.append, directory=tmp_path) == ["0001_pre_a.sql", "0002_post_b.sql"]
    assert said == ["migrating: 0001_pre_a.sql", "migrating: 0002_post_b.sql"]
    assert await migrate(empty_url, silent, directory=tmp_path) == []
    write(tmp_path, m0003_pre_c="CREATE TABLE c ();")
    assert await migrate(empty_url, silent, directory=tmp_path) == ["0003_pre_c.sql"]


async def test_bodies_of_functions_and_semicolons_in_text_pass(
    server: EmbeddedPostgres, empty_url: str, tmp_path: Path
) -> None:
    body = (
        "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN 'a;b'; -- ;\nEND $$; CREATE TABLE t ();"
    )
    await migrate(empty_url, silent, directory=write(tmp_path, m0001_pre_f=body))
    async with superuser(server, NAME) as connection:
        assert await connection.fetchval("SELECT f()") == "a;b"
        owners = "SELECT array_agg(DISTINCT tableowner::text) FROM pg_tables WHERE schemaname = 'public'"
        assert await connection.fetchval(owners) == ["emulation_owner"]


async def test_a_failing_file_leaves_nothing_of_itself(
    server: EmbeddedPostgres, empty_url: str, tmp_path: Path
) -> None:
    write(tmp_path, m0001_pre_a="CREATE TABLE a ();", m0002_pre_b="CREATE TABLE b (); CREATE TABLE a ();")
    with pytest.raises(asyncpg.DuplicateTableError):
        await migrate(empty_url, silent, directory=tmp_path)
    async with superuser(server, NAME) as connection:
        assert await connection.fetchval("SELECT to_regclass('public.b')") is None
        assert await connection.fetchval("SELECT count(*) FROM schema_migrations") == 1


async def test_an_applied_file_may_not_change(empty_url: str, tmp_path: Path) -> None:
    await migrate(empty_url, silent, directory=write(tmp_path, m0001_pre_a="CREATE TABLE a ();"))
    write(tmp_path, m0001_pre_a="CREATE TABLE a (b integer);")
    with pytest.raises(MigrationError, match=r"0001_pre_a\.sql has changed"):
        await migrate(empty_url, silent, directory=tmp_path)


async def test_a_schema_newer_than_the_release_is_refused(empty_url: str, tmp_path: Path) -> None:
    await migrate(empty_url, silent, directory=write(tmp_path, m0001_pre_a="CREATE TABLE a ();"))
    (tmp_path / "0001_pre_a.sql").unlink()
    with pytest.raises(MigrationError, match="older than the schema"):
        await migrate(empty_url, silent, directory=tmp_path)


async def test_a_file_may_not_slip_in_before_an_applied_one(empty_url: str, tmp_path: Path) -> None:
    await migrate(empty_url, silent, directory=write(tmp_path, m0002_pre_b="CREATE TABLE b ();"))
    write(tmp_path, m0001_pre_a="CREATE TABLE a ();")
    with pytest.raises(MigrationError, match="number it after"):
        await migrate(empty_url, silent, directory=tmp_path)


@pytest.mark.parametrize("name", ["1_pre_a", "0001_a", "0001_during_a", "0001_pre_A"])
async def test_a_name_must_say_its_number_and_when(empty_url: str, tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.sql").write_text("CREATE TABLE a ();", encoding="utf-8")
    with pytest.raises(MigrationError, match="is named"):
        await migrate(empty_url, silent, directory=tmp_path)


async def test_migrators_that_meet_apply_each_file_once(empty_url: str, tmp_path: Path) -> None:
    """Longer than the role's lock timeout of 2 s, which must not end the wait of the second."""
    write(tmp_path, m0001_pre_a="SELECT pg_sleep(2.5); CREATE TABLE a ();")
    done = await asyncio.gather(*(migrate(empty_url, silent, directory=tmp_path) for _ in range(3)))
    assert sorted(done) == [[], [], ["0001_pre_a.sql"]]


async def test_a_taken_lock_is_tried_for_again(
    server: EmbeddedPostgres, empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    await migrate(empty_url, silent, directory=write(tmp_path, m0001_pre_a="CREATE TABLE a ();"))
    write(tmp_path, m0002_pre_b="SET LOCAL lock_timeout = '50ms'; ALTER TABLE a ADD b integer;")
    monkeypatch.setattr(migrating, "LOCK_PAUSE_S", 0.01)
    async with superuser(server, NAME) as holder:
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute("LOCK TABLE a IN ACCESS SHARE MODE")
        with pytest.raises(MigrationError, match="did not get its lock in 10 tries"):
            await migrate(empty_url, said.append, directory=tmp_path)
        assert said.count("migrating: 0002_pre_b.sql waits for a lock") == 10
        await transaction.rollback()
    assert await migrate(empty_url, silent, directory=tmp_path) == ["0002_pre_b.sql"]


async def test_service_cannot_see_the_table_of_migrations(empty_url: str, tmp_path: Path) -> None:
    await migrate(empty_url, silent, directory=tmp_path)
    async with connected(empty_url, APP_ROLE) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM schema_migrations")


async def test_released_migrations_are_package_data(empty_url: str) -> None:
    done = await migrate(empty_url, silent)
    assert done
    assert await migrate(empty_url, silent) == []
