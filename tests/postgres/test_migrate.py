"""The runner of migrations: order, once, together, unchanged, under a lock."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from emulation_saas.postgres import migrating
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.postgres.migrating import MigrationError, migrate
from emulation_saas.postgres.server import APP_ROLE, ServerRefusedError
from tests.database import connected, drop_database, empty_database, superuser

if TYPE_CHECKING:
    from asyncpg.transaction import Transaction

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
    write(tmp_path, m0002_pre_b="ALTER TABLE a ADD b integer;", m0001_pre_a="CREATE TABLE a ();")
    assert await migrate(empty_url, said.append, directory=tmp_path) == ["0001_pre_a.sql", "0002_pre_b.sql"]
    assert said == ["migrating: 0001_pre_a.sql", "migrating: 0002_pre_b.sql"]
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


async def test_what_takes_away_waits_until_the_older_release_has_ended(empty_url: str, tmp_path: Path) -> None:
    said: list[str] = []
    write(tmp_path, m0001_pre_a="CREATE TABLE a (b integer);", m0002_post_a="ALTER TABLE a DROP b;")
    assert await migrate(empty_url, said.append, directory=tmp_path) == ["0001_pre_a.sql"]
    assert said[-1] == "left until the release before has ended (migrate --post): 0002_post_a.sql"
    assert await migrate(empty_url, silent, directory=tmp_path, alone=True) == ["0002_post_a.sql"]


async def test_what_took_away_two_releases_ago_waits_no_longer(empty_url: str, tmp_path: Path) -> None:
    """A file after it is of a later release, which runs beside one that needs nothing of what is taken."""
    write(tmp_path, m0001_pre_a="CREATE TABLE a (b integer);", m0002_post_a="ALTER TABLE a DROP b;")
    await migrate(empty_url, silent, directory=tmp_path)
    write(tmp_path, m0003_pre_c="CREATE TABLE c ();", m0004_post_c="DROP TABLE c;")
    assert await migrate(empty_url, silent, directory=tmp_path) == ["0002_post_a.sql", "0003_pre_c.sql"]


async def test_the_release_before_starts_on_a_schema_that_has_more(empty_url: str, tmp_path: Path) -> None:
    said: list[str] = []
    await migrate(empty_url, silent, directory=write(tmp_path, m0001_pre_a="CREATE TABLE a ();"))
    (tmp_path / "0001_pre_a.sql").unlink()
    assert await migrate(empty_url, said.append, directory=tmp_path) == []
    assert said == ["0001_pre_a.sql is of a newer release, which this one runs beside"]


async def test_a_schema_that_has_lost_what_this_release_needs_is_refused(empty_url: str, tmp_path: Path) -> None:
    write(tmp_path, m0001_post_a="CREATE TABLE a ();")
    await migrate(empty_url, silent, directory=tmp_path, alone=True)
    (tmp_path / "0001_post_a.sql").unlink()
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


@pytest.fixture
async def read_for_long(server: EmbeddedPostgres, empty_url: str, tmp_path: Path) -> "AsyncIterator[Transaction]":
    """A table `a` that somebody reads in an open transaction, so that no migration gets its lock on it."""
    await migrate(empty_url, silent, directory=write(tmp_path, m0001_pre_a="CREATE TABLE a (c integer);"))
    async with superuser(server, NAME) as holder:
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute("LOCK TABLE a IN ACCESS SHARE MODE")
        yield transaction


async def test_a_taken_lock_is_tried_for_again(
    read_for_long: "Transaction", empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    write(tmp_path, m0002_pre_b="ALTER TABLE a ADD b integer;")
    monkeypatch.setattr(migrating, "PATIENCE_S", 0.4)
    with pytest.raises(MigrationError, match="did not get its lock"):
        await migrate(empty_url, said.append, directory=tmp_path)
    assert said.count("migrating: 0002_pre_b.sql waits for a lock") >= 2
    await read_for_long.rollback()
    assert await migrate(empty_url, silent, directory=tmp_path) == ["0002_pre_b.sql"]


async def test_nobody_stands_long_behind_a_migration_that_waits(
    read_for_long: "Transaction", server: EmbeddedPostgres, empty_url: str, tmp_path: Path
) -> None:
    """With the role's own lock timeout of 2 s instead, a read behind it would wait for longer than it may here."""
    write(tmp_path, m0002_pre_b="ALTER TABLE a ADD b integer;")
    waits: asyncio.Queue[str] = asyncio.Queue()
    migrator = asyncio.create_task(migrate(empty_url, waits.put_nowait, directory=tmp_path))
    tries = 0
    async with superuser(server, NAME) as reader:
        await reader.execute("SET lock_timeout = '1500ms'")
        while tries < 3:
            await reader.execute("SELECT c FROM a")
            while not waits.empty():
                tries += waits.get_nowait().endswith("waits for a lock")
            await asyncio.sleep(0.005)
    await read_for_long.rollback()
    assert await migrator == ["0002_pre_b.sql"]


async def test_a_migrator_that_hangs_gives_its_locks_back(
    server: EmbeddedPostgres, empty_url: str, tmp_path: Path
) -> None:
    await migrate(empty_url, silent, directory=write(tmp_path, m0001_pre_a="CREATE TABLE a (n integer);"))
    write(tmp_path, m0002_pre_b="ALTER TABLE a ADD b integer;")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.postgres.test_migrate", empty_url, str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"hangs\n"
        async with superuser(server, NAME) as connection, asyncio.timeout(2 * migrating.HUNG_S):
            assert await connection.fetch("SELECT n FROM a") == []
    finally:
        process.kill()
        await process.wait()
    assert await migrate(empty_url, silent, directory=tmp_path) == ["0002_pre_b.sql"]


async def test_an_index_is_built_while_others_read_write_and_wait_to_migrate(
    read_for_long: "Transaction", server: EmbeddedPostgres, empty_url: str, tmp_path: Path
) -> None:
    """The build waits for the reader in nobody's way; a migrator that waits for its turn is nothing it waits for."""
    write(tmp_path, m0002_pre_i="CREATE INDEX CONCURRENTLY IF NOT EXISTS a_by_c ON a (c);")
    migrators = [asyncio.create_task(migrate(empty_url, silent, directory=tmp_path)) for _ in range(2)]
    building = "SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'a_by_c')"
    async with superuser(server, NAME) as writer, asyncio.timeout(20):
        while not await writer.fetchval(building):
            await writer.execute("SELECT pg_sleep(0.01)")
        await asyncio.sleep(0.3)
        await writer.execute("INSERT INTO a VALUES (1)")
        await read_for_long.rollback()
        assert sorted(await asyncio.gather(*migrators)) == [[], ["0002_pre_i.sql"]]
        assert await writer.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_by_c'::regclass")


async def test_an_index_whose_build_was_interrupted_is_built_anew(
    server: EmbeddedPostgres, empty_url: str, tmp_path: Path
) -> None:
    await migrate(empty_url, silent, directory=write(tmp_path, m0001_pre_a="CREATE TABLE a (c integer);"))
    async with superuser(server, NAME) as root:
        await root.execute("SET ROLE emulation_owner; INSERT INTO a VALUES (1), (1)")
        with pytest.raises(asyncpg.UniqueViolationError):
            await root.execute("CREATE UNIQUE INDEX CONCURRENTLY a_by_c ON a (c)")
        await root.execute("TRUNCATE a")
        write(tmp_path, m0002_pre_i="CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_by_c ON a (c);")
        assert await migrate(empty_url, silent, directory=tmp_path) == ["0002_pre_i.sql"]
        assert await root.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_by_c'::regclass")


async def test_service_cannot_see_the_table_of_migrations(empty_url: str, tmp_path: Path) -> None:
    await migrate(empty_url, silent, directory=tmp_path)
    async with connected(empty_url, APP_ROLE) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM schema_migrations")


async def test_released_migrations_are_package_data(empty_url: str) -> None:
    done = await migrate(empty_url, silent)
    assert done
    assert await migrate(empty_url, silent) == []


async def test_a_cluster_is_asked_for_where_there_is_one(empty_url: str) -> None:
    with pytest.raises(ServerRefusedError, match="has no Citus"):
        await migrate(empty_url, silent, citus=True)


async def hang(url: str, directory: Path) -> None:
    """Be a migrator that hangs before it commits."""
    module = migrating.__dict__
    digest: Callable[[str], str] = module["_digest"]

    def hanging(script: str) -> str:
        if script.startswith("ALTER"):
            sys.stdout.write("hangs\n")
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGSTOP)
        return digest(script)

    module["_digest"] = hanging
    await migrate(url, silent, directory=directory)


if __name__ == "__main__":
    asyncio.run(hang(sys.argv[1], Path(sys.argv[2])))
