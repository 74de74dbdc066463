"""The supervisor, as a process of its own: it stops in time, mends what ends, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.postgres.embedded.postmaster import read_pid_file
from emulation_saas.supervising import Supervisor
from tests.postgres.processes import alive, wait_until

SCRIPT = Path(__file__).with_name("supervised_workers.py")


class Service:
    """A supervisor with its workers, seen from outside."""

    def __init__(self, data: Path | None, *, workers: int, mode: str) -> None:
        self.data = data
        argv = [sys.executable, str(SCRIPT), "supervise", str(data or "none"), str(workers), mode]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said: list[str] = []
        self.listener = threading.Thread(target=self._listen)
        self.listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        self.said.extend(iter(self.process.stdout.readline, ""))
        self.process.stdout.close()

    def heard(self, pattern: str) -> bool:
        return any(re.search(pattern, line) for line in list(self.said))

    def answer(self) -> list[str]:
        """Return the pid of the worker that answered, and its database URL."""
        port = next(found[1] for line in self.said if (found := re.search(r"port (\d+)", line)))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as response:
            text: str = response.read().decode()
        return text.split(" ")

    def worker_pids(self, number: int) -> set[int]:
        pids: set[int] = set()

        def all_have_answered() -> bool:
            pids.add(int(self.answer()[0]))
            return len(pids) >= number

        wait_until(all_have_answered)
        return pids

    def database_pid(self, *, other_than: int | None = None) -> int:
        """Wait until the database says which process it is: its file is there before it is whole."""
        assert self.data is not None
        cluster = self.data / "pg"
        pids: list[int] = []

        def is_said() -> bool:
            said = read_pid_file(cluster)
            pids.extend([said.pid] if said is not None and said.pid != other_than else [])
            return bool(pids)

        wait_until(is_said)
        return pids[0]

    def stop(self) -> tuple[int, float]:
        """Ask it to stop; return its exit code and how long it took, in seconds."""
        began_s = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30), time.monotonic() - began_s


@contextmanager
def service(data: Path | None, *, workers: int = 2, mode: str = "serving") -> Generator[Service]:
    running = Service(data, workers=workers, mode=mode)
    try:
        if mode in {"serving", "stubborn"}:
            wait_until(lambda: running.heard("ready on"))
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.process.wait()
        running.listener.join()


def test_stop_ends_workers_and_database_in_time(place: Path) -> None:
    with service(place / "data") as running:
        assert running.answer()[1].startswith("postgresql:///emulation?host=")
        pids = {*running.worker_pids(2), running.database_pid()}
        code, took_s = running.stop()
        assert code == 0
        assert took_s < 10
        assert not any(alive(pid) for pid in pids)


def test_stubborn_worker_is_killed_in_time(place: Path) -> None:
    with service(place / "data", mode="stubborn") as running:
        pids = {*running.worker_pids(2), running.database_pid()}
        code, took_s = running.stop()
        assert code == 0
        assert 8 <= took_s < 10
        assert not any(alive(pid) for pid in pids)


def test_killed_worker_is_replaced_and_nobody_is_refused(place: Path) -> None:
    with service(place / "data", workers=1) as running:
        (first,) = running.worker_pids(1)
        os.kill(first, signal.SIGKILL)
        (second,) = running.worker_pids(1)
        assert second != first
        assert running.heard("was killed by SIGKILL")
        assert running.stop()[0] == 0


def test_killed_database_is_started_again(place: Path) -> None:
    with service(place / "data") as running:
        first = running.database_pid()
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: running.heard("the database has ended by itself"))
        assert running.database_pid(other_than=first) != first
        assert running.stop()[0] == 0


def test_nothing_is_left_when_the_supervisor_is_killed(place: Path) -> None:
    with service(place / "data") as running:
        pids = {*running.worker_pids(2), running.database_pid()}
        running.process.kill()
        wait_until(lambda: not any(alive(pid) for pid in pids))


def test_data_can_be_used_at_once_after_the_supervisor_was_killed(place: Path) -> None:
    with service(place / "data") as running:
        running.process.kill()
        running.process.wait()
        again = EmbeddedPostgres(place / "data", report=lambda _: None)
        again.start()
        again.stop()


def test_refused_settings_end_the_service() -> None:
    with service(None, mode="refusing") as running:
        assert running.process.wait(15) == 78


def test_crashing_worker_is_tried_ever_more_slowly() -> None:
    with service(None, workers=1, mode="crashing") as running:
        wait_until(lambda: running.heard(r"exit code 1; starting another in 0\.8 s"))
        assert running.stop()[0] == 0


def test_taken_port_is_told_and_ends_the_start() -> None:
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        supervisor = Supervisor(
            database=None, worker=[], workers=1, host="127.0.0.1", port=port, env=dict, report=said.append
        )
        assert supervisor.run() == 1
    assert said == [f"cannot listen on 127.0.0.1, port {port}: Address already in use"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_asked_for_while_starting_is_obeyed(place: Path, number: signal.Signals) -> None:
    with service(place / "data", mode="starting") as running:
        wait_until(lambda: running.heard("first start"))
        running.process.send_signal(number)
        assert running.process.wait(15) == 0
        assert not (place / "data" / "pg" / "postmaster.pid").exists()
