"""Run by `test_supervise.py` as a process of its own, `supervise DATA WORKERS MODE`; its worker is `work MODE --fd N`.

The worker answers every request with its own pid. Mode `stubborn` ignores SIGTERM, `refusing` exits with 78, `crashing`
with 1.
"""

import os
import signal
import socket
import sys
import time
from pathlib import Path

from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.supervising import Supervisor


def report(line: str) -> None:
    """Say it where the test reads it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def supervise(data: str, workers: int, mode: str) -> int:
    """Run the service until it is told to stop."""
    database = None if data == "none" else EmbeddedPostgres(Path(data), report=report)
    return Supervisor(
        database=database,
        worker=[sys.executable, str(Path(__file__).resolve()), "work", mode],
        workers=workers,
        host="127.0.0.1",
        port=0,
        env=lambda: {**os.environ, "DATABASE_URL": "" if database is None else database.url},
        report=report,
    ).run()


def work(mode: str, descriptor: int) -> int:
    """Answer each request with the pid and the database's URL."""
    if mode == "refusing":
        return 78
    if mode == "crashing":
        return 1
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    body = f"{os.getpid()} {os.environ['DATABASE_URL']}".encode()
    with socket.socket(fileno=descriptor) as listener:
        listener.listen()
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
                )
                time.sleep(0.01)  # lets another worker take the next one


if __name__ == "__main__":
    if sys.argv[1] == "supervise":
        sys.exit(supervise(sys.argv[2], int(sys.argv[3]), sys.argv[4]))
    sys.exit(work(sys.argv[2], int(sys.argv[4])))
