"""The limit for streams: a process that writes the same bytes to as many sockets, as often, and does nothing else.

It writes as the service does, all that came within a pause at once; the time counts from when it begins to write.
"""

import asyncio
import sys
import time
from typing import Final

import msgspec
import uvloop

from tests.bench.payload import EVENT, EVENT_BODY

HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nevent: head\ndata: {}\n\n"


class Write(msgspec.Struct, frozen=True):
    """How many events to write a second, in pieces of how long, for how long."""

    per_s: int
    pause_s: float
    seconds: float


class Written(msgspec.Struct, frozen=True):
    """When each position's writing began, by the monotonic clock in ns, and what the process took."""

    answered: list[tuple[int, int]]
    seconds: float
    cpu_s: float


async def _write(writers: set[asyncio.StreamWriter], job: Write) -> Written:
    a_piece = max(1, round(job.per_s * job.pause_s))
    answered: list[tuple[int, int]] = []
    position = 0
    began, cpu = time.monotonic(), time.process_time()
    for number in range(round(job.seconds / job.pause_s)):
        await asyncio.sleep(max(0.0, began + number * job.pause_s - time.monotonic()))
        blocks: list[bytes] = []
        now = time.monotonic_ns()
        for _ in range(a_piece):
            position += 1
            answered.append((position, now))
            blocks.append(b"\nid: %d\nevent: %s\ndata: %s\n" % (position, EVENT.type.encode(), EVENT_BODY))
        piece = b"".join(blocks)
        for writer in writers:
            writer.write(piece)
    return Written(answered, time.monotonic() - began, time.process_time() - cpu)


async def _work() -> None:
    writers: set[asyncio.StreamWriter] = set()

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD)
        writers.add(writer)
        await reader.read()
        writers.discard(writer)
        writer.close()

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    _tell(b"%d" % port)
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        _tell(msgspec.json.encode(await _write(writers, msgspec.json.decode(line, type=Write))))
    server.close()


def _tell(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(_work())
