"""The doctor finds what is wrong with a database and its keys, says what to do, and tells what it cannot see."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from emulation_saas.doctor import Diagnosis, diagnose
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.postgres.server import APP_ROLE, KEYS_ROLE
from emulation_saas.settings import Settings
from emulation_saas.streams.cursors import Cursors
from projections import PROJECTIONS
from tests.database import empty_database, superuser
from tests.logs import keep_master_key, open_province, running_logs
from tests.privacy.living import HERE, Living, pledged


async def examined(url: str, folder: Path, *, nats_url: str | None = None) -> Diagnosis:
    settings = Settings(database_url=url, master_key=keep_master_key(folder), nats_url=nats_url)
    return await asyncio.to_thread(diagnose, settings, say=lambda _: None, still_s=0.1)


async def followed(living: Living) -> None:
    """Return once all documents have followed the log."""
    while any(each["lag"] for each in (await living.ask(f"{HERE}/lag")).json()["projections"]):  # noqa: ASYNC110 - by asking it
        await asyncio.sleep(0.05)


def wrong(diagnosis: Diagnosis) -> list[tuple[str, str, str]]:
    return [(each.check, each.says, each.do) for each in diagnosis.findings if each.verdict != "fine"]


@asynccontextmanager
async def spoiled(server: EmbeddedPostgres, url: str, danger: str, undone: str) -> AsyncGenerator[None]:
    """Have a superuser break something while inside."""
    async with superuser(server, urlsplit(url).path.removeprefix("/")) as connection:
        await connection.execute(danger)
        try:
            yield
        finally:
            await connection.execute(undone)


async def test_a_good_database_is_fine(database_url: str, tmp_path: Path) -> None:
    async with pledged(database_url, tmp_path) as living:
        await followed(living)
        diagnosis = await examined(database_url, tmp_path)
    assert wrong(diagnosis) == []
    assert diagnosis.exit_code == 0
    assert {each.check for each in diagnosis.findings} == {
        "server",
        "schema",
        "row security",
        "clocks",
        "size",
        "master key",
        "log keys",
        "followers",
    }
    assert "the disk of the database's server" in diagnosis.not_seen
    assert any("EMULATION_WITNESS is not set" in each for each in diagnosis.not_seen)
    assert any("whether the service runs" in each for each in diagnosis.not_seen)


@pytest.mark.parametrize(
    ("danger", "undone", "check", "says", "do"),
    [
        (
            f"ALTER ROLE {KEYS_ROLE} BYPASSRLS",
            f"ALTER ROLE {KEYS_ROLE} NOBYPASSRLS",
            "server",
            "bypasses row security",
            "deploy/roles.sql",
        ),
        (
            f"ALTER ROLE {APP_ROLE} SET synchronous_commit = off",
            f"ALTER ROLE {APP_ROLE} RESET synchronous_commit",
            "server",
            "synchronous_commit is off",
            "switch it on",
        ),
        (
            "ALTER TABLE events NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE events FORCE ROW LEVEL SECURITY",
            "row security",
            "public.events, row security is not forced",
            "force it as the owner",
        ),
        (
            "DROP POLICY own_province ON documents",
            "SELECT 1",
            "row security",
            "policy own_province of public.documents is missing",
            "make it again",
        ),
        (
            f"GRANT DELETE ON events TO {APP_ROLE}",
            f"REVOKE DELETE ON events FROM {APP_ROLE}",
            "row security",
            "public.events, emulation_app may change what was recorded",
            "revoke that",
        ),
        *(
            (
                f"GRANT UPDATE ({column}) ON {table} TO {role}",
                f"REVOKE UPDATE ({column}) ON {table} FROM {role}",
                "row security",
                f"{name}, {role} may change what was {done}",
                "revoke that",
            )
            for table, column, role, name, done in (
                ("events", "body", APP_ROLE, "public.events", "recorded"),
                ("access_log", "reason", APP_ROLE, "public.access_log", "recorded"),
                ("sealing.signed_heads", "size", KEYS_ROLE, "sealing.signed_heads", "signed"),
                ("sealing.log_keys", "vkey", KEYS_ROLE, "sealing.log_keys", "signed"),
            )
        ),
        (
            f"GRANT SELECT (wrapped) ON sealing.province_keys TO {APP_ROLE}",
            f"REVOKE SELECT (wrapped) ON sealing.province_keys FROM {APP_ROLE}",
            "row security",
            "sealing.province_keys, emulation_app may read keys",
            "revoke that",
        ),
        (
            "DELETE FROM schema_migrations WHERE name LIKE '0008%'",
            "SELECT 1",
            "schema",
            "0008_pre_consumers.sql not applied",
            "emulation-saas migrate",
        ),
    ],
)
async def test_each_danger_alone_is_found(
    server: EmbeddedPostgres,
    database_url: str,
    tmp_path: Path,
    danger: str,
    undone: str,
    check: str,
    says: str,
    do: str,
) -> None:
    async with spoiled(server, database_url, danger, undone):
        diagnosis = await examined(database_url, tmp_path)
    assert diagnosis.exit_code == 1
    ((found, said, told),) = wrong(diagnosis)
    assert found == check
    assert says in said
    assert do in told


async def test_a_server_that_may_lose_commits_is_found(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    async with superuser(server) as connection:
        await connection.execute("ALTER SYSTEM SET fsync = off")
        try:
            await connection.execute("SELECT pg_reload_conf()")
            diagnosis = await examined(database_url, tmp_path)
            while not wrong(diagnosis):  # the postmaster takes a moment to read it
                diagnosis = await examined(database_url, tmp_path)
        finally:
            await connection.execute("ALTER SYSTEM RESET fsync")
            await connection.execute("SELECT pg_reload_conf()")
            while await connection.fetchval("SELECT setting FROM pg_settings WHERE name = 'fsync'") != "on":  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert diagnosis.exit_code == 1
    assert all(check == "server" and says.startswith("fsync is off") for check, says, _ in wrong(diagnosis))


async def test_documents_that_stand_still_are_found(database_url: str, tmp_path: Path) -> None:
    async with running_logs(database_url) as logs:
        await open_province(logs)
    diagnosis = await examined(database_url, tmp_path)
    assert diagnosis.exit_code == 1
    names = ", ".join(sorted(projection.name for projection in PROJECTIONS))
    says = f"bac-song: projections stand still, up to 5 events behind: {names}"
    assert wrong(diagnosis) == [("followers", says, "start the service")]


async def test_a_bridge_that_stands_still_is_found_while_a_broker_is_named(database_url: str, tmp_path: Path) -> None:
    async with pledged(database_url, tmp_path) as living, open_database(database_url) as database:
        await followed(living)
        async with running_logs(database_url) as logs:
            log = await logs.find("bac-song")
        assert log is not None
        await Cursors(database, log.province, "bridge").open("nats", position=1)
        ((_, says, do),) = wrong(await examined(database_url, tmp_path, nats_url="nats://127.0.0.1:4222"))
        assert says.startswith("bac-song: bridges stand still, up to ")
        assert "/lag" in do
        left = await examined(database_url, tmp_path)
        assert (await living.ask(f"{HERE}/lag")).json()["bridges"] == []
    assert (wrong(left), left.exit_code) == ([], 0)


async def test_keys_that_are_gone_are_found(server: EmbeddedPostgres, database_url: str, tmp_path: Path) -> None:
    async with pledged(database_url, tmp_path) as living:
        await followed(living)
        name = urlsplit(database_url).path.removeprefix("/")
        async with superuser(server, name) as connection:
            await connection.execute("DELETE FROM sealing.log_keys")
        (tmp_path / "master.key").write_bytes(b"b" * 43 + b"=\n")
        diagnosis = await examined(database_url, tmp_path)
    assert [check for check, _, _ in wrong(diagnosis)] == ["master key", "log keys"]
    assert "is not among the keys" in wrong(diagnosis)[1][1]


async def test_a_log_behind_what_was_signed_is_found(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    async with pledged(database_url, tmp_path) as living:
        await followed(living)
        assert (await living.ask(f"{HERE}/log/checkpoint")).status_code == 200
        name = urlsplit(database_url).path.removeprefix("/")
        async with superuser(server, name) as connection:
            await connection.execute("UPDATE sealing.signed_heads SET size = size + 100")
        diagnosis = await examined(database_url, tmp_path)
    ((check, says, do),) = wrong(diagnosis)
    assert check == "log keys"
    assert "and was signed at" in says
    assert do == "events are missing, do not record anything; see the runbook EmulationLogForked"


async def test_a_log_behind_the_witness_is_found_as_serve_finds_it(database_url: str, tmp_path: Path) -> None:
    seen = tmp_path / "witness"
    settings = Settings(database_url=database_url, master_key=keep_master_key(tmp_path), witness=seen)

    async def told() -> list[tuple[str, str, str]]:
        diagnosis = await asyncio.to_thread(diagnose, settings, say=lambda _: None, still_s=0.1)
        assert not any("the witness" in each for each in diagnosis.not_seen)
        return [(each.verdict, each.says, each.do) for each in diagnosis.findings if each.check == "witness"]

    ((verdict, says, do),) = await told()
    assert (verdict, says) == ("unknown", f"[Errno 2] No such file or directory: '{seen}'")
    assert "EMULATION_WITNESS" in do
    assert not seen.exists()
    seen.mkdir()
    assert [verdict for verdict, _, _ in await told()] == ["fine"]
    (seen / "bac-song.checkpoint").write_text("log.test/bac-song\n812\n=\n\n", encoding="utf-8")
    ((verdict, says, do),) = await told()
    assert (verdict, says) == ("fault", "bac-song: the log stands at 0, behind 812, which was signed")
    assert "deploy/runbooks/restore.md" in do
    (seen / "bac-song.checkpoint").write_text("damaged", encoding="utf-8")
    ((verdict, says, do),) = await told()
    assert (verdict, says) == ("fault", f"{seen / 'bac-song.checkpoint'} holds no checkpoint")
    assert "set it aside" in do


async def test_a_server_that_does_not_answer_cannot_be_told_of(server: EmbeddedPostgres, tmp_path: Path) -> None:
    for url in ("postgresql://127.0.0.1:1/emulation", "postgresql://me@127.0.0.1:1/emulation"):
        assert (await examined(url, tmp_path)).exit_code == 2
    bare = await empty_database(server, "without_schema")
    diagnosis = await examined(bare, tmp_path)
    assert diagnosis.exit_code == 1
    assert {check for check, _, _ in wrong(diagnosis)} >= {"schema", "row security"}


def test_the_command_prints_for_machines_and_ends_with_its_verdict(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "emulation_saas", "doctor", "--json", "--data", str(tmp_path / "none")]
    ended = subprocess.run(command, capture_output=True, check=False)
    assert ended.returncode == 2
    (finding,) = msgspec.json.decode(ended.stdout, type=Diagnosis).findings
    assert finding.verdict == "unknown"
    assert "there is no embedded database" in finding.says
    assert not (tmp_path / "none").exists()
