"""A worker finishes what it has begun when told to stop, runs its hooks, and is gone within ten seconds."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.http.served import FILES

WORKER = Path(__file__).with_name("served.py")


@contextmanager
def worker(notes: Path) -> Generator[tuple["subprocess.Popen[bytes]", int]]:
    """Lend a worker process and its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        command = [sys.executable, str(WORKER), str(listening.fileno()), str(notes)]
        process = subprocess.Popen(command, pass_fds=[listening.fileno()], stderr=subprocess.DEVNULL)
    try:
        yield process, port
    finally:
        process.kill()
        process.wait()


def get(port: int, path: str) -> str:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=15)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read().decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_in_flight_is_answered_and_hooks_run(tmp_path: Path, number: signal.Signals) -> None:
    notes = tmp_path / "notes"
    with worker(notes) as (process, port):
        assert get(port, "/quick") == "quick"
        answers: list[str] = []
        asking = threading.Thread(target=lambda: answers.append(get(port, "/slow")))
        asking.start()
        time.sleep(0.3)
        os.kill(process.pid, number)
        assert process.wait(timeout=10) == 0
        asking.join()
    assert answers == ["slow"]
    assert notes.read_text() == "opened\nclosed\n"


def test_an_open_stream_does_not_keep_a_worker_alive(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    with worker(notes) as (process, port), socket.create_connection(("127.0.0.1", port)) as stream:
        stream.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        assert stream.recv(1000)
        started = time.monotonic()
        process.terminate()
        assert process.wait(timeout=10) == 0
        assert time.monotonic() - started < 10
    assert notes.read_text() == "opened\nclosed\n"


def test_a_worker_holds_more_connections_than_a_process_may_open_files_at_first(tmp_path: Path) -> None:
    with worker(tmp_path / "notes") as (_, port), ExitStack() as held:
        for _ in range(2 * FILES):
            connection = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=15))
            connection.sendall(b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_worker_that_is_told_before_it_serves_stops_and_runs_its_hooks(tmp_path: Path) -> None:
    notes = tmp_path / "early"
    with worker(notes) as (process, _):
        assert process.wait(timeout=10) == 0
    assert notes.read_text() == "opened\nclosed\n"


def test_a_worker_that_cannot_start_says_so(tmp_path: Path) -> None:
    with worker(tmp_path / "fail") as (process, _):
        assert process.wait(timeout=10) != 0


def test_a_request_of_two_lengths_is_refused(tmp_path: Path) -> None:
    with worker(tmp_path / "notes") as (_, port), socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(b"GET /quick HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 400")
