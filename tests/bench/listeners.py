"""Subscribers of a stream of events, in a process of their own: raw sockets that note when which bytes came.

An ordinary client would cost several times what it measures. Of each piece that comes only the last id is looked for:
positions are gapless, and these subscribers see all of them. Clocks are the system's monotonic one, which all
processes share.
"""

import asyncio
import sys
import time
from functools import partial
from typing import Final, cast

import msgspec
import uvloop

_ID: Final = b"\nid: "
_BEGUN: Final = b"event: head\n"
OPENED_AT_ONCE: Final = 50
PATIENCE_S: Final = 60.0
QUANTILES: Final = 100


class Listen(msgspec.Struct, frozen=True, tag=True):
    """Open so many streams, after a position."""

    port: int
    path: str
    tokens: list[str]
    streams: int


class Measure(msgspec.Struct, frozen=True, tag=True):
    """Wait until everybody has the last of these, say how long each took to everybody, and close."""

    answered: list[tuple[int, int]]
    """Positions, and when each was known to be recorded, in ns."""


class Delivered(msgspec.Struct, frozen=True):
    """How long events took from their answer to their bytes; less than nothing for those that came before it."""

    deliveries: int
    missing: int
    p50_ms: float
    p99_ms: float


class _Stream(asyncio.Protocol):
    """One subscriber."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._tail = b""
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.WriteTransport | None = None
        self.came: list[tuple[int, int]] = []
        """Up to which position, and when."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        if not self.begun.done():
            self._tail += data
            if not self._tail.startswith(b"HTTP/1.1 200 "[: len(self._tail)]):
                self.begun.set_exception(ConnectionError(self._tail[:300].decode()))
            elif _BEGUN in self._tail:
                self.begun.set_result(None)
            return
        whole = self._tail[-40:] + data
        at = whole.rfind(_ID)
        if at >= 0:
            end = whole.find(b"\n", at + len(_ID))
            if end > 0 and (position := int(whole[at + len(_ID) : end])) > self.last:
                self.came.append((position, now))
        self._tail = data

    @property
    def last(self) -> int:
        """The position that has come last."""
        return self.came[-1][0] if self.came else 0


async def _opened(job: Listen) -> list[_Stream]:
    loop, gate = asyncio.get_running_loop(), asyncio.Semaphore(OPENED_AT_ONCE)

    async def open_one(number: int) -> _Stream:
        request = (
            f"GET {job.path} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n"
            f"authorization: Bearer {job.tokens[number % len(job.tokens)]}\r\n\r\n"
        )
        async with gate:
            _, stream = await loop.create_connection(partial(_Stream, request.encode()), "127.0.0.1", job.port)
            await stream.begun
            return stream

    return await asyncio.gather(*(open_one(number) for number in range(job.streams)))


async def _delivered(streams: list[_Stream], job: Measure) -> Delivered:
    last = max(position for position, _ in job.answered)
    until = time.monotonic() + PATIENCE_S
    while any(stream.last < last for stream in streams) and time.monotonic() < until:  # noqa: ASYNC110 - bytes come by callbacks
        await asyncio.sleep(0.05)
    took: list[int] = []
    for stream in streams:
        came, turn = stream.came, 0
        for position, answered_at in sorted(job.answered):
            while turn < len(came) and came[turn][0] < position:
                turn += 1
            if turn < len(came):
                took.append(came[turn][1] - answered_at)
    for stream in streams:
        assert stream.transport is not None
        stream.transport.close()
    took.sort()
    p50, p99 = (took[len(took) * share // QUANTILES] / 1e6 for share in (50, 99))
    return Delivered(len(took), len(streams) * len(job.answered) - len(took), p50, p99)


async def _work() -> None:
    decoder = msgspec.json.Decoder(Listen | Measure)
    streams: list[_Stream] = []
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        job = decoder.decode(line)
        if isinstance(job, Listen):
            streams = await _opened(job)
            told = b"%d" % len(streams)
        else:
            told = msgspec.json.encode(await _delivered(streams, job))
        sys.stdout.buffer.write(told + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(_work())
