"""Votes at a steady pace, in a process of their own: each voter on a connection of its own, in turns.

A vote that is due while its voter's last one is not answered is sent late, and none is left out.
"""

import asyncio
import secrets
import sys
import time
from functools import partial
from typing import Final, cast

import msgspec
import uvloop

from tests.bench.load import Sender, vote_request
from tests.bench.world import OPTIONS

_CREATED: Final = b"HTTP/1.1 201 "
_POSITION: Final = b"log-position: "
_END_OF_HEAD: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "


class Pace(msgspec.Struct, frozen=True):
    """Which votes to send where, how many a second, for how long."""

    port: int
    path: str
    senders: list[Sender]
    per_s: int
    seconds: float


class Paced(msgspec.Struct, frozen=True):
    """What was recorded, and how the pace was kept."""

    answered: list[tuple[int, int]]
    """Positions, and when each was answered, by the monotonic clock in ns."""
    seconds: float


class _Voter(asyncio.Protocol):
    """Sends one vote at a time."""

    def __init__(self, answered: list[tuple[int, int]]) -> None:
        self._answered = answered
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None
        self.idle = asyncio.Event()
        self.fault = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self.idle.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.fault = self.fault or str(exc or "closed").encode()
        self.idle.set()

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()

    def send(self, request: bytes) -> None:
        """Send a vote."""
        assert self._transport is not None
        self.idle.clear()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        received = self._received = self._received + data
        head = received.find(_END_OF_HEAD)
        if head < 0:
            return
        if len(received) < head + len(_END_OF_HEAD) + _number(received, _LENGTH):
            return
        if received.startswith(_CREATED):
            self._answered.append((_number(received, _POSITION), now))
        else:
            self.fault = received[:300]
        self._received = b""
        self.idle.set()


def _number(received: bytes, name: bytes) -> int:
    at = received.find(name) + len(name)
    return int(received[at : received.index(b"\r", at)])


async def _paced(job: Pace) -> Paced:
    loop = asyncio.get_running_loop()
    answered: list[tuple[int, int]] = []
    voters: list[_Voter] = []
    for _ in job.senders:
        _, voter = await loop.create_connection(partial(_Voter, answered), "127.0.0.1", job.port)
        voters.append(voter)
    prepared = [[vote_request(job.path, sender, option) for sender in job.senders] for option in OPTIONS]
    run = secrets.token_hex(6)
    many = int(job.per_s * job.seconds) // (len(OPTIONS) * len(voters)) * len(OPTIONS) * len(voters)
    began = time.monotonic()
    for number in range(many):
        await asyncio.sleep(max(0.0, began + number / job.per_s - time.monotonic()))
        turn, who = divmod(number, len(voters))
        head, body = prepared[turn % len(OPTIONS)][who]
        await voters[who].idle.wait()
        voters[who].send(b"%b%b-%d\r\n\r\n%b" % (head, run.encode(), number, body))
    for voter in voters:
        await voter.idle.wait()
    seconds = time.monotonic() - began
    for voter in voters:
        if voter.fault:
            raise RuntimeError(voter.fault)
        voter.close()
    return Paced(answered, seconds)


def main() -> int:
    """Do the jobs that come on stdin, one a line, until it ends."""
    for line in sys.stdin.buffer:
        told = uvloop.run(_paced(msgspec.json.decode(line, type=Pace)))
        sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
