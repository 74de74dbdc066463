"""One worker process on a socket of its own, as the supervisor starts it; its log goes to a file."""

import http.client
import socket
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from emulation_saas.supervising import BACKLOG

START_S: Final = 30.0
STOP_S: Final = 12.0


@contextmanager
def serving(program: Sequence[str], *, env: Mapping[str, str], log: Path, health: str) -> Generator[int]:
    """Run a worker while inside; give its port once it answers."""
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
            yield port
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
