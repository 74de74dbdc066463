"""A network that breaks: a TCP proxy which cuts connections at random bytes of their answers."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Final

PIECE: Final = 65_536


@dataclass
class Network:
    """How often it has cut, and how often it will."""

    chance: Random
    service_port: int
    cuts_left: int
    bytes_mean: int
    """Of what a connection carries before it is cut."""
    cuts: int = 0
    connections: int = 0
    port: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry a connection until it ends, or is cut."""
        self.connections += 1
        upstream, forth = await asyncio.open_connection("127.0.0.1", self.service_port)
        ends = {writer, forth}
        self._open |= ends
        try:
            await asyncio.gather(self._carry(reader, forth), self._carry_back(upstream, writer, ends))
        finally:
            abort(ends)
            self._open -= ends

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                writer.write(piece)
                await writer.drain()

    async def _carry_back(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ends: set[asyncio.StreamWriter]
    ) -> None:
        left = self.chance.randint(1, 2 * self.bytes_mean)
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                is_cut = self.cuts_left > 0 and len(piece) >= left
                writer.write(piece[:left] if is_cut else piece)
                await writer.drain()
                left -= len(piece)
                if is_cut:
                    self.cuts_left -= 1
                    self.cuts += 1
                    if self.chance.randrange(2):  # an end like any other; else an abrupt one
                        writer.close()
                        await writer.wait_closed()
                    break
        abort(ends)

    async def close(self) -> None:
        """Cut everything that is left."""
        while self._open:
            abort(self._open)
            await asyncio.sleep(0.01)


def abort(ends: set[asyncio.StreamWriter]) -> None:
    """End connections at once: whoever reads from them has read to the end."""
    for each in ends:
        each.transport.abort()


@asynccontextmanager
async def breaking(service_port: int, *, cuts: int, bytes_mean: int, chance: Random) -> AsyncGenerator[Network]:
    """Lend a network between a client and the service."""
    network = Network(chance, service_port, cuts, bytes_mean)
    server = await asyncio.start_server(network.connect, "127.0.0.1", 0)
    network.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield network
        finally:
            server.close()
            await network.close()
