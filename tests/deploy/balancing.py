"""A small proxy that does for replicas what `deploy/nginx.conf` asks nginx to do, for where no nginx is installed.

Each request goes to the replica whose turn it is. Where that one cannot be reached, or ends the connection without a
byte of an answer, the request is asked of the next; with no replica left, the caller gets a 502.
"""

import asyncio
import itertools
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

PIECE: Final = 65_536
HEAD_END: Final = b"\r\n\r\n"
LENGTH: Final = re.compile(rb"^content-length: *(\d+)\r$", re.IGNORECASE | re.MULTILINE)
CONNECTION: Final = re.compile(rb"^connection:.*\r\n", re.IGNORECASE | re.MULTILINE)
BAD_GATEWAY: Final = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def balanced(replicas: Sequence[int]) -> AsyncGenerator[int]:
    """Lend the port of a proxy in front of services on these ports."""
    turns = itertools.count()
    open_: set[asyncio.StreamWriter] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            request = await _request(reader)
            first = next(turns)
            for number in range(len(replicas)):
                if await _passed_on(request, replicas[(first + number) % len(replicas)], writer):
                    break
            else:
                writer.write(BAD_GATEWAY)
                await writer.drain()
        writer.close()
        open_.discard(writer)

    async with await asyncio.start_server(carry, "127.0.0.1", 0) as server:
        port: int = server.sockets[0].getsockname()[1]
        yield port
        server.close()
        for writer in open_:
            writer.transport.abort()


async def _request(reader: asyncio.StreamReader) -> bytes:
    """Return one request as it is to go on: its connection ends with its answer."""
    head = await reader.readuntil(HEAD_END)
    length = LENGTH.search(head)
    body = await reader.readexactly(int(length[1])) if length is not None else b""
    return CONNECTION.sub(b"", head).removesuffix(b"\r\n") + b"Connection: close\r\n\r\n" + body


async def _passed_on(request: bytes, port: int, writer: asyncio.StreamWriter) -> bool:
    """Ask a replica and pass on what it says; False when it said nothing at all."""
    try:
        answer, asking = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    has_answered = False
    try:
        asking.write(request)
        while piece := await answer.read(PIECE):
            has_answered = True
            writer.write(piece)
            await writer.drain()
    except OSError:
        if has_answered:
            writer.transport.abort()  # half an answer is none
    finally:
        asking.close()
    return has_answered
