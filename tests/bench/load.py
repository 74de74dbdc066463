"""Votes over HTTP/1.1 as fast as answers come: raw keep-alive connections, in a process of its own.

An ordinary client would cost several times what it measures. A job is read from stdin, what came of it is written to
stdout. A voter belongs to one connection, and every connection votes an even number of rounds, so that each vote
differs from the one before it, in this job and in the next.
"""

import asyncio
import secrets
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from time import perf_counter
from typing import Final, cast

import msgspec
import uvloop

from tests.bench.world import OPTIONS, QUESTION

_CREATED: Final = b"HTTP/1.1 201 "
_END_OF_HEAD: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "


class Sender(msgspec.Struct, frozen=True):
    """Who votes: a token and the member it votes for."""

    token: str
    agency: str


class Job(msgspec.Struct, frozen=True):
    """Which votes to send where."""

    port: int
    path: str
    connections: int
    rounds: int
    senders: list[Sender]


class Outcome(msgspec.Struct, frozen=True):
    """What came of a job."""

    accepted: int
    others: dict[str, int]
    """Other answers by status line."""
    seconds: float
    p50_ms: float
    p99_ms: float


class _Connection(asyncio.Protocol):
    """Sends a request, waits for the whole answer, sends the next."""

    def __init__(self, requests: Iterator[bytes], others: Counter[str]) -> None:
        self._requests = requests
        self._others = others
        self._received = b""
        self._sent_at = 0.0
        self._transport: asyncio.WriteTransport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.times_s: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's own, of no class of asyncio

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    def send(self) -> None:
        """Send the next request, or be done."""
        assert self._transport is not None
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent_at = perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received = received = self._received + data if self._received else data
        head = received.find(_END_OF_HEAD)
        if head < 0:
            return
        at = received.find(_LENGTH) + len(_LENGTH)
        length = int(received[at : received.index(b"\r", at)])
        if len(received) < head + len(_END_OF_HEAD) + length:
            return
        self._received = b""
        self.times_s.append(perf_counter() - self._sent_at)
        if not received.startswith(_CREATED):
            self._others[received[:160].split(b"\r", 1)[0].decode()] += 1
        self.send()


def _requests(job: Job, senders: list[Sender]) -> Iterator[bytes]:
    """Return the requests of one connection, each with an Idempotency-Key of its own."""
    prepared = [[vote_request(job.path, sender, option) for sender in senders] for option in OPTIONS]
    run = secrets.token_hex(6)
    for number in range(job.rounds):
        for sender, (head, body) in enumerate(prepared[number % len(OPTIONS)]):
            yield b"%b%b-%d-%d\r\n\r\n%b" % (head, run.encode(), number, sender, body)


def vote_request(path: str, sender: Sender, option: str) -> tuple[bytes, bytes]:
    """Return a request but for its Idempotency-Key, which comes last in its head."""
    choices = [{"question": QUESTION, "options": [option]}]
    body = msgspec.json.encode({"agency": sender.agency, "choices": choices})
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {sender.token}\r\n"
        f"content-type: application/json\r\naccept: */*\r\ncontent-length: {len(body)}\r\nidempotency-key: "
    )
    return head.encode(), body


async def send_votes(job: Job) -> Outcome:
    """Send all votes of a job over its connections."""
    loop = asyncio.get_running_loop()
    others: Counter[str] = Counter()
    connections: list[_Connection] = []
    for number in range(job.connections):
        requests = _requests(job, job.senders[number :: job.connections])
        _, connection = await loop.create_connection(partial(_Connection, requests, others), "127.0.0.1", job.port)
        connections.append(connection)
    began = perf_counter()
    for connection in connections:
        connection.send()
    await asyncio.gather(*(connection.done for connection in connections))
    seconds = perf_counter() - began
    times_s = sorted(time_s for connection in connections for time_s in connection.times_s)
    return Outcome(
        accepted=len(times_s) - others.total(),
        others=dict(others),
        seconds=seconds,
        p50_ms=times_s[len(times_s) // 2] * 1_000,
        p99_ms=times_s[len(times_s) * 99 // 100] * 1_000,
    )


def main() -> int:
    """Do the jobs that come on stdin, one a line, until it ends."""
    for line in sys.stdin.buffer:
        outcome = uvloop.run(send_votes(msgspec.json.decode(line, type=Job)))
        sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
