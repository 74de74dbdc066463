"""Processes of a bench: a worker on a socket of its own, as the supervisor starts it; partners that do jobs."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec

BACKLOG: Final = 1024
START_S: Final = 30.0
STOP_S: Final = 12.0
REPOSITORY: Final = Path(__file__).parents[2]
T = TypeVar("T")


class Worker(NamedTuple):
    """A process that serves."""

    port: int
    pid: int

    def cpu_s(self) -> float:
        """Return how long it has kept a core busy."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Partner:
    """A process that reads jobs from its stdin, one a line, and writes what came of them to its stdout."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        """Talk to it."""
        assert process.stdin is not None
        assert process.stdout is not None
        self.asked, self.told = process.stdin, process.stdout

    def tell(self, job: object) -> None:
        """Give it a job."""
        self.asked.write(msgspec.json.encode(job) + b"\n")
        self.asked.flush()

    def hear(self, kind: type[T]) -> T:
        """Wait for what it says next."""
        line = self.told.readline()
        if not line:
            raise RuntimeError("a process of the bench has ended")
        return msgspec.json.decode(line, type=kind)


@contextmanager
def partner(module: str, env: Mapping[str, str], *arguments: str) -> Generator[Partner]:
    """Run a module as a partner while inside; it ends when nothing more is asked."""
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, env=dict(env), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    found = Partner(process)
    try:
        yield found
    finally:
        found.asked.close()
        found.told.close()
        process.wait()


def with_tests(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which the modules of the tests are found, too."""
    path = os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**env, "PYTHONPATH": path}


@contextmanager
def serving(program: Sequence[str], *, env: Mapping[str, str], log: Path, health: str) -> Generator[Worker]:
    """Run a worker while inside; give it once it answers."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(BACKLOG)
    port: int = listener.getsockname()[1]
    descriptor = listener.fileno()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*program, "--fd", str(descriptor)], env=dict(env), pass_fds=(descriptor,), stderr=out, stdout=out
        )
        try:
            _wait_until_ready(process, port, health, log)
            yield Worker(port, process.pid)
        finally:
            listener.close()
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, health: str, log: Path) -> None:
    until = time.monotonic() + START_S
    while not _is_ready(port, health):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"the server did not start: {log.read_text(encoding='utf-8')[-2000:]}")
        time.sleep(0.05)


def _is_ready(port: int, health: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", health)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
