"""Start and stop of the embedded server."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final
from urllib.parse import quote

from emulation_saas.postgres.embedded.binaries import programs_for
from emulation_saas.postgres.embedded.cluster import (
    ACCESS_AFTER_RESTORE,
    CLEAN_ENVIRONMENT,
    HOST_BASED_ACCESS,
    check_major,
    grant_access,
    initialise,
    server_command,
)
from emulation_saas.postgres.embedded.directories import SUPERUSER, DataDirectory
from emulation_saas.postgres.embedded.faults import AlreadyRunsError, EmbeddedPostgresError
from emulation_saas.postgres.embedded.identity import database_user
from emulation_saas.postgres.embedded.postmaster import is_stranger, read_pid_file
from emulation_saas.postgres.server import BACKUP_ROLE, LOGIN_ROLES

DATABASE: Final = "emulation"
FAST_STOP_S: Final = 60.0
IMMEDIATE_STOP_S: Final = 30.0
PROGRESS_EVERY_S: Final = 5.0
ORPHANS_LEAVE_S: Final = 30.0
POLL_S: Final = 0.02


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")


class EmbeddedPostgres:
    """One embedded server on one data directory. Start it from a thread that lives as long as the server (`tether`)."""

    def __init__(
        self,
        data: Path,
        *,
        db_user: str | None = None,
        settings: Mapping[str, str] | None = None,
        is_restored: bool = False,
        report: Callable[[str], None] = _to_stderr,
    ) -> None:
        """Remember where; nothing is touched before `start`.

        Args:
            data: the data directory; made when missing.
            db_user: whose process the server becomes when root starts it.
            settings: of the server, beside ours.
            is_restored: its passwords are not ours yet: until it stops, its superuser alone may log in, without one.
            report: told, in a line of text each, what takes time or was decided.
        """
        self._data = DataDirectory(data.absolute())
        self._db_user = db_user
        self._settings = settings or {}
        self._is_restored = is_restored
        self._report = report
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._socket_directory: Path | None = None

    @property
    def url(self) -> str:
        """The base URL, without a user: every connection logs in as its own role (`role_dsn`)."""
        return self._url(DATABASE, self._data.roles_passfile)

    @property
    def backup_url(self) -> str:
        """The base URL for who copies the server."""
        return self._url(DATABASE, self._data.backup_passfile)

    @property
    def superuser_url(self) -> str:
        """The base URL for whoever keeps the server itself (tests). Never give it to a worker."""
        return self._url(DATABASE, self._data.superuser_passfile)

    def is_running(self) -> bool:
        """Tell whether the server that this launcher started is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Return when the server accepts connections; on the first run it is initialised before.

        Recovery after a crash may take as long as it takes; progress is reported.

        Raises:
            EmbeddedPostgresError: it cannot run here, or another one runs on this data; the message says which.
        """
        if self.is_running():
            return
        self._release()
        self._data.create()
        self._lock = self._data.lock()
        try:
            self._start_locked()
        except BaseException:
            self.stop()
            raise

    @contextmanager
    def at_hand(self) -> Generator[str]:
        """Lend the base URL of the server on this data: of the one that runs, else of one started for the while.

        Raises:
            EmbeddedPostgresError: there is no database here, or it cannot run.
        """
        self.find()
        with suppress(AlreadyRunsError):
            self.start()
        try:
            yield self.url
        finally:
            self.stop()

    def find(self) -> None:
        """Learn the address of the server on this data, whoever started it.

        Raises:
            EmbeddedPostgresError: there is no database here.
        """
        if not self._data.cluster.exists():
            message = f"there is no database in {self._data.root}"
            raise EmbeddedPostgresError(message)
        user = database_user(self._data.cluster, wanted=self._db_user, report=self._report)
        self._socket_directory = self._data.socket_directory(user)

    def stop(self) -> None:
        """Stop fast: sessions end, nothing acknowledged is lost. After a minute without an end, stop immediately."""
        self._end(signal.SIGINT, FAST_STOP_S)

    def kill(self) -> None:
        """Stop immediately, as a crash would: the next start recovers. For crash tests."""
        self._end(signal.SIGQUIT, IMMEDIATE_STOP_S)

    def _start_locked(self) -> None:
        user = database_user(self._data.cluster, wanted=self._db_user, report=self._report)
        programs = programs_for(user, report=self._report)
        self._socket_directory = self._data.socket_directory(user)
        self._data.create_secrets()
        if not self._data.cluster.exists():
            self._report(f"first start: making the database in {self._data.cluster}")
            initialise(self._data, programs, user, self._socket_directory)
        check_major(self._data.cluster)
        grant_access(self._data.cluster, ACCESS_AFTER_RESTORE if self._is_restored else HOST_BASED_ACCESS)
        command = server_command(self._data.cluster, programs, user, self._socket_directory, self._settings)
        began_s = time.monotonic()
        while not self._comes_up(command):
            said = self._startup_log()
            orphans = "shared memory block" in said  # sessions of a killed server that have not noticed yet
            if not orphans or time.monotonic() - began_s > ORPHANS_LEAVE_S:
                message = f"the database did not start in {self._data.cluster}: {said}"
                raise EmbeddedPostgresError(message)
            time.sleep(0.2)
        self._provision(programs)

    def _comes_up(self, command: list[str]) -> bool:
        """Start the server and wait until it is ready (True) or has ended (False)."""
        environment = dict(CLEAN_ENVIRONMENT)
        said = read_pid_file(self._data.cluster)
        if said is not None and is_stranger(said):
            self._report(f"process {said.pid} is a stranger with the pid of an earlier server; it is left alone")
            environment["PG_GRANDPARENT_PID"] = str(said.pid)  # PostgreSQL's own way to name a pid that is no server
        with (self._data.root / "startup.log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program and arguments
                command,
                cwd=self._data.cluster,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=() if self._lock is None else (self._lock,),
            )
        began_s = reported_s = time.monotonic()
        while self._process.poll() is None:
            said = read_pid_file(self._data.cluster)
            if said is not None and said.pid == self._process.pid and said.status == "ready":
                return True
            if time.monotonic() - reported_s > PROGRESS_EVERY_S:
                reported_s = time.monotonic()
                self._report(f"the database recovers since {reported_s - began_s:.0f} s; {self._recovery_progress()}")
            time.sleep(POLL_S)
        return False

    def _provision(self, programs: Path) -> None:
        """Set up database, roles and passwords, once per text of the roles."""
        folder = files("emulation_saas.postgres")
        with as_file(folder / "roles.sql") as roles, as_file(folder / "embedded" / "provision.sql") as script:
            digest = hashlib.sha256(roles.read_bytes() + script.read_bytes()).hexdigest()
            marker = self._data.root / "provisioned"
            if marker.exists() and marker.read_text(encoding="utf-8") == digest:
                return
            secrets = self._data.secrets()
            environment = {
                **CLEAN_ENVIRONMENT,
                **{f"PASSWORD_OF_{role.upper()}": secrets[role] for role in (*LOGIN_ROLES, BACKUP_ROLE, SUPERUSER)},
                "PGPASSFILE": str(self._data.superuser_passfile),
                "PGOPTIONS": "-c synchronous_commit=local",  # no standby can log in before this
            }
            done = subprocess.run(  # noqa: S603 - our own program and arguments
                [
                    programs / "psql",
                    *("--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"),
                    *(f"--host={self._socket_directory}", f"--username={SUPERUSER}", "--dbname=postgres"),
                    *(f"--set=is_restored={self._is_restored}", f"--set=roles={roles}", f"--file={script}"),
                ],
                check=False,
                capture_output=True,
                text=True,
                env=environment,
            )
            if done.returncode != 0:
                message = f"the roles could not be set up: {done.stderr.strip()}"
                raise EmbeddedPostgresError(message)
            marker.write_text(digest, encoding="utf-8")

    def _end(self, polite: signal.Signals, patience_s: float) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            for order, wait_s in ((polite, patience_s), (signal.SIGQUIT, IMMEDIATE_STOP_S), (signal.SIGKILL, None)):
                process.send_signal(order)
                try:
                    process.wait(wait_s)
                    break
                except subprocess.TimeoutExpired:
                    self._report(f"the database has not stopped {wait_s:.0f} s after {order.name}")
        self._release()

    def _release(self) -> None:
        self._process = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _url(self, database: str, passfile: Path) -> str:
        if self._socket_directory is None:
            message = "the database has no address before its first start"
            raise EmbeddedPostgresError(message)
        host, secret = (quote(str(path)) for path in (self._socket_directory, passfile))
        return f"postgresql:///{database}?host={host}&passfile={secret}"

    def _startup_log(self) -> str:
        """Return why the server ended: what it said before its own log began, and the grave lines of that."""
        said = (self._data.root / "startup.log").read_text(encoding="utf-8", errors="replace").strip()
        since = self._log().rpartition("starting PostgreSQL")[2].splitlines()
        grave = [line for line in since if "FATAL:" in line or "PANIC:" in line]
        return "; ".join([*said.splitlines()[-6:], *grave[-2:]])

    def _recovery_progress(self) -> str:
        return self._log().rpartition("\n")[2].partition("LOG:")[2].strip() or "nothing said yet"

    def _log(self) -> str:
        logs = sorted((self._data.cluster / "log").glob("postgresql-*.log"), key=lambda path: path.stat().st_mtime)
        if not logs or logs[-1].is_symlink():
            return ""
        return logs[-1].read_text(encoding="utf-8", errors="replace").strip()
