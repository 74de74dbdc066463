"""The real service, as processes of its own: `emulation-saas serve`, seen from outside and killed from outside."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from emulation_saas.http.local_issuer import AUDIENCE, ISSUER, LocalIssuer
from emulation_saas.postgres.embedded.postmaster import read_pid_file
from tests.logs import keep_master_key
from tests.postgres.processes import alive, wait_until

OPERATOR: Final = "operator"
_LOOSE: Final = {
    "EMULATION_WEBHOOK_NETWORKS": '["127.0.0.0/8"]',
    "EMULATION_REQUESTS_PER_PERSON": "1000000",
    "EMULATION_REQUESTS_PER_PROVINCE": "1000000",
}
"""Receivers are on this machine, and a few callers ask as fast as they are answered."""
NOT_GIVEN: Final = range(10_000, 32_000)
"""Ports below those that Linux takes for connections (`ip_local_port_range`)."""
START_S: Final = 45.0
"""Generous: a busy machine may take long to import and to initialise a database."""


class Served:
    """One service: where it listens, who its processes are, whose tokens it takes."""

    def __init__(
        self,
        place: Path,
        *,
        workers: int = 2,
        database_url: str | None = None,
        settings: Mapping[str, str] | None = None,
        name: str = "output",
    ) -> None:
        """Prepare a service that keeps its data in `place`.

        Args:
            place: an empty directory, or that of an earlier service.
            workers: how many.
            database_url: the database to use; None: an embedded one of its own.
            settings: others, by the names of their variables.
            name: where its output goes, in `place`; replicas on one database share the place, each with another name.
        """
        self._settings = {**_LOOSE, **(settings or {})}
        self.data = place / "data"
        self.port = free_port()
        self._workers = workers
        self.database_url = database_url
        self._output = place / name
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The supervisor's process."""
        assert self._process is not None
        return self._process.pid

    @property
    def issuer(self) -> LocalIssuer:
        """Who makes its tokens."""
        self.data.mkdir(mode=0o755, exist_ok=True)
        return LocalIssuer(self.data)

    def start(self) -> None:
        """Start, and return without waiting until it serves."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EMULATION_")}
        environment |= {
            "EMULATION_DATA": str(self.data),
            "EMULATION_PORT": str(self.port),
            "EMULATION_WORKERS": str(self._workers),
            **self._settings,
        }
        if self.database_url is not None:
            named = {"issuer": ISSUER, "audience": AUDIENCE, "jwks": str(self.issuer.jwks)}
            environment["EMULATION_DATABASE_URL"] = self.database_url
            environment["EMULATION_MASTER_KEY"] = str(keep_master_key(self.data))
            environment["EMULATION_ISSUERS"] = msgspec.json.encode([named]).decode()
            environment["EMULATION_OPERATORS"] = msgspec.json.encode([{"issuer": ISSUER, "sub": OPERATOR}]).decode()
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "emulation_saas", "serve"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Return when it says that it serves."""
        wait_until(lambda: self.said(r"^ready on") or self._has_ended(), seconds=START_S)
        assert not self._has_ended(), self.output()[-2000:]

    def kill(self) -> None:
        """End the supervisor as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self, *, seconds: float = 30.0) -> tuple[int, float]:
        """Ask it to stop; return its exit code and how long it took, in seconds."""
        assert self._process is not None
        began_s = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(seconds), time.monotonic() - began_s

    def end(self) -> None:
        """Let nothing of it live, whatever became of it. Workers and database are tied to the supervisor."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def worker_pids(self) -> list[int]:
        """Return the workers that have become workers, and live."""
        return [pid for pid in children(self.pid) if b"\0worker\0" in command_line(pid) and alive(pid)]

    def database_pid(self) -> int | None:
        """Return the postmaster's process, if it is ready."""
        said = read_pid_file(self.data / "pg")
        return said.pid if said is not None and said.status == "ready" and alive(said.pid) else None

    def output(self) -> str:
        """Return what it has said since it was last started."""
        return self._output.read_text(errors="replace") if self._output.exists() else ""

    def said(self, pattern: str) -> bool:
        """Tell whether a line of its output matches."""
        return re.search(pattern, self.output(), re.MULTILINE) is not None

    def token(self, sub: str) -> dict[str, str]:
        """Return the header that names a caller."""
        return {"authorization": f"Bearer {self.issuer.issue(sub, lifetime=timedelta(hours=1))}"}

    def open_province(self, province: str) -> None:
        """Open a province whose administrator is `admin@{province}`."""
        url, headers = f"{self.url}/v1/provinces", self.token(OPERATOR)
        answer = httpx.post(url, json=opening(province), headers=headers, timeout=15, trust_env=False)
        assert answer.status_code == 201, answer.text

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None


@contextmanager
def served(
    place: Path, *, workers: int = 2, database_url: str | None = None, settings: Mapping[str, str] | None = None
) -> Generator[Served]:
    """Lend a service that serves, and leave nothing of it. For the arguments see `Served`."""
    service = Served(place, workers=workers, database_url=database_url, settings=settings)
    service.start()
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.end()


def opening(province: str, *, name: str = "Tỉnh Bắc Sông") -> dict[str, Any]:
    """Return the body that opens a province with one administrator of the local issuer."""
    return {
        "province": province,
        "name": name,
        "kind": "tinh",
        "code": "00",
        "effective_on": "2020-01-01",
        "legal_basis": "NQ 1",
        "admin": {"issuer": ISSUER, "sub": f"admin@{province}", "name": "Nguyễn Thị Quản Trị"},
    }


def free_port() -> int:
    """Return a port that nobody listens on just now, nor is given by the system to a connection meanwhile."""
    while True:
        port = random.choice(NOT_GIVEN)  # noqa: S311 - any
        if is_port_free(port):
            return port


def is_port_free(port: int) -> bool:
    """Tell whether the port can be listened on."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def children(pid: int) -> list[int]:
    """Return the child processes of a process."""
    return [int(child) for child in _read(f"/proc/{pid}/task/{pid}/children").split()]


def command_line(pid: int) -> bytes:
    """Return what a process calls itself; nothing when it is gone."""
    return _read(f"/proc/{pid}/cmdline")


def descendants(pid: int) -> list[int]:
    """Return all processes below a process."""
    return [each for child in children(pid) for each in (child, *descendants(child))]


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
