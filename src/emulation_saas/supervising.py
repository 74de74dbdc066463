"""The supervisor: it owns the database, the listening socket and the workers, and knows nothing of what they do.

```
supervisor ── embedded PostgreSQL   dies with us by SIGINT; started again when it ends by itself
     ├─────── worker 1              dies with us by SIGKILL; started again, with back-off
     └─────── worker n
```
The socket is bound once, here, and every worker accepts from it, so a dying worker refuses nobody. The first worker
that can serve begins to listen: until then a proxy is refused at once, and asks another replica. A worker that ends is
started again at once, then after ever longer pauses; one crash after another slows it down but never ends the
service. Only exit code 78 (the settings are wrong, nothing will mend that) ends it all.
"""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from emulation_saas.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresError
from emulation_saas.postgres.embedded.tether import tethered

WORKERS_STOP_S: Final = 8.0  # of the 10 s that a stop may take; the rest is for the database
PAUSE_MIN_S: Final = 0.1
PAUSE_MAX_S: Final = 10.0
HEALTHY_AFTER_S: Final = 30.0  # a worker that lived so long starts again without a pause
POLL_S: Final = 0.05
PROBE_TIMEOUT_S: Final = 0.5
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2  # as argparse has it
EXIT_SETTINGS: Final = 78  # EX_CONFIG of sysexits.h
PLACE_VARIABLE: Final = "WORKER_PLACE"
"""Tells a worker its place among those of the service, counted from 1: one worker lives in it at a time."""
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class AddressError(Exception):
    """The address cannot be listened on; the message says why."""


class _StopAskedError(BaseException):
    """A stop was asked for while we wait for the database. Like KeyboardInterrupt, no `except Exception` eats it."""


@dataclass
class _Worker:
    """One place for a worker: the process in it, or when the next may start."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    pause_s: float = 0.0
    next_start_s: float = 0.0


class Supervisor:
    """Runs a database and workers until told to stop. All of it from one thread, the main one (`tether`)."""

    def __init__(  # noqa: PLR0913 - what a service is made of, each by name
        self,
        *,
        database: EmbeddedPostgres | None,
        worker: Sequence[str],
        workers: int,
        host: str,
        port: int,
        env: Callable[[], Mapping[str, str]],
        report: Callable[[str], None],
        health: str = "/health/ready",
        worker_log: Path | None = None,
    ) -> None:
        """Remember the parts; nothing starts before `start` or `run`.

        Args:
            database: the embedded one, or None when an external server is used.
            worker: argv with an absolute program; `--fd N` is appended.
            workers: how many, 1 or more.
            host: the address to listen on.
            port: 0 lets the system choose; see `port` after the start.
            env: called once the database runs, so it can check and migrate; returns the workers' whole environment.
            report: told one line of text for each thing worth knowing.
            health: the path that answers 200 when a worker can serve.
            worker_log: the file to which workers' logs are appended; None: they go where ours go.
        """
        self._database = database
        self._worker = tuple(worker)
        self._workers = [_Worker(number) for number in range(1, workers + 1)]
        self._host = host
        self._port = port
        self._env_of_workers = env
        self._report = report
        self._health = health
        self._worker_log = worker_log
        self._listener: socket.socket | None = None
        self._env: Mapping[str, str] = {}
        self._database_pause_s = 0.0
        self._stop_asked = False
        self._interruptible = False

    @property
    def port(self) -> int:
        """The port that is listened on; before the start the one asked for."""
        if self._listener is None:
            return self._port
        address: tuple[str, int] = self._listener.getsockname()
        return address[1]

    def run(self) -> int:
        """Start, keep everything alive until a stop signal, stop; return the exit code."""
        with self._signals():
            try:
                return self._run()
            except _StopAskedError:
                return 0
            except (AddressError, EmbeddedPostgresError) as error:
                self._report(str(error))
                return EXIT_FAILED
            finally:
                self.stop()

    def start(self) -> None:
        """Start database and workers; return without waiting for the workers (`is_ready`).

        Raises:
            AddressError: the address cannot be listened on.
            EmbeddedPostgresError: the database cannot run here.
        """
        self._listener = _bound(self._host, self._port)
        with self._interrupting():
            if self._database is not None:
                self._database.start()
            self._env = self._env_of_workers()
        self._report(f"listening on {self._host}, port {self.port}, with {len(self._workers)} workers")
        for place in self._workers:
            self._start_worker(place)

    def watch(self) -> int | None:
        """Start again what has ended; return an exit code when the service must end, else None."""
        if self._database is not None and not self._database.is_running():
            self._restart_database(self._database)
        now_s = time.monotonic()
        for place in self._workers:
            if place.process is None:
                if now_s >= place.next_start_s:
                    self._start_worker(place)
            elif place.process.poll() is not None:
                code = place.process.returncode
                self._plan_restart(place, now_s)
                if code == EXIT_SETTINGS:
                    self._report(f"worker {place.number} refused the settings; stopping")
                    return EXIT_SETTINGS
                self._report(f"worker {place.number} {_told(code)}; starting another in {place.pause_s:.1f} s")
        return None

    def is_ready(self) -> bool:
        """Tell whether a worker answers that it can serve."""
        address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 - compared, not bound
        connection = http.client.HTTPConnection(address, self.port, timeout=PROBE_TIMEOUT_S)
        try:
            connection.request("GET", self._health)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """End the workers, politely for 8 s, then the database. Calling it again does nothing more."""
        if self._listener is not None:
            self._port = self.port
            self._listener.close()
            self._listener = None
        running = [place.process for place in self._workers if place.process is not None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        until_s = time.monotonic() + WORKERS_STOP_S
        for process in running:
            try:
                process.wait(max(0.0, until_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._report(f"worker process {process.pid} did not stop in {WORKERS_STOP_S:.0f} s; killed")
                process.kill()
                process.wait()
        for place in self._workers:
            place.process = None
        if self._database is not None:
            self._database.stop()

    def _run(self) -> int:
        self.start()
        announced = False
        while not self._stop_asked:
            code = self.watch()
            if code is not None:
                return code
            if not announced and self.is_ready():
                announced = True
                self._report(f"ready on http://{self._host}:{self.port}")
            time.sleep(POLL_S)
        self._report("stopping")
        return 0

    def _start_worker(self, place: _Worker) -> None:
        if self._listener is None:
            return
        descriptor = self._listener.fileno()
        program = [*self._worker, "--fd", str(descriptor)]
        place.started_s = time.monotonic()
        with nullcontext() if self._worker_log is None else self._worker_log.open("ab") as log:
            place.process = subprocess.Popen(  # noqa: S603 - the argv is our own
                tethered(program, death_signal=signal.SIGKILL),
                env={**self._env, PLACE_VARIABLE: str(place.number)},
                stdin=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches us only, and we stop the workers in order
                pass_fds=(descriptor,),
            )

    def _plan_restart(self, place: _Worker, now_s: float) -> None:
        healthy = now_s - place.started_s >= HEALTHY_AFTER_S
        place.pause_s = PAUSE_MIN_S if healthy else _longer(place.pause_s)
        place.next_start_s = now_s + place.pause_s
        place.process = None

    def _restart_database(self, database: EmbeddedPostgres) -> None:
        self._report("the database has ended by itself; starting it again")
        with self._interrupting():
            try:
                database.start()
                self._database_pause_s = 0.0
            except EmbeddedPostgresError as error:
                self._database_pause_s = _longer(self._database_pause_s)
                self._report(f"{error}; trying again in {self._database_pause_s:.1f} s")
                time.sleep(self._database_pause_s)

    @contextmanager
    def _signals(self) -> Generator[None]:
        """Let the stop signals ask for a stop, and give them back afterwards."""
        before = {number: signal.signal(number, self._ask_to_stop) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def _interrupting(self) -> Generator[None]:
        """While the database is waited for, however long it recovers, a stop signal ends the wait."""
        self._interruptible = True
        try:
            if self._stop_asked:
                raise _StopAskedError
            yield
        finally:
            self._interruptible = False

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_asked = True
        if self._interruptible:
            self._interruptible = False
            raise _StopAskedError


def _bound(host: str, port: int) -> socket.socket:
    """Bind without listening: a taken port is found before the database starts, yet nobody queues while it does."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        message = f"cannot listen on {host}: {error.strerror}"
        raise AddressError(message) from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        message = f"cannot listen on {host}, port {port}: {os.strerror(error.errno or 0)}"
        raise AddressError(message) from error
    return listener


def _longer(pause_s: float) -> float:
    return min(PAUSE_MAX_S, max(PAUSE_MIN_S, pause_s * 2))


def _told(code: int) -> str:
    """Say why a process ended, by its exit code."""
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
