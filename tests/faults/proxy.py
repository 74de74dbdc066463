"""A network that breaks, between HTTP clients and the service: it knows requests from answers, and can lose either."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Literal

from emulation_saas.kernel.cancelling import end

Fate = Literal["reset", "unheard", "torn", "late", "twice"]
FATES: Final[tuple[Fate, ...]] = ("reset", "unheard", "torn", "late", "twice")
"""What may become of an exchange: the connection is reset before the request arrives; after it was answered, which
nobody hears; in the middle of the answer; before the request arrives, and the request arrives later, when the client
has asked again; or all goes well and the request arrives once more, later."""
LATER_S: Final = (0.02, 0.6)
_LENGTH: Final = b"content-length:"


async def message(reader: asyncio.StreamReader) -> bytes:
    """Read one request or answer with its body.

    Raises:
        asyncio.IncompleteReadError: the connection ended before.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [int(line[len(_LENGTH) :]) for line in head.lower().split(b"\r\n") if line.startswith(_LENGTH)]
    return head + await reader.readexactly(lengths[0] if lengths else 0)


@dataclass
class Network:
    """Carries exchanges, and spoils a share of them."""

    service_port: int
    rng: random.Random
    share: float
    """Of exchanges that are spoilt."""
    fates: tuple[Fate, ...] = FATES
    port: int = 0
    spoilt: Counter[str] = field(default_factory=Counter[str])
    _later: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    _carried: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    @property
    def spoilt_in_all(self) -> int:
        """How many exchanges were spoilt."""
        return sum(self.spoilt.values())

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one client's exchanges, one after another, until one is spoilt."""
        task = asyncio.current_task()
        assert task is not None
        self._carried.add(task)
        task.add_done_callback(self._carried.discard)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                upstream, forth = await asyncio.open_connection("127.0.0.1", self.service_port)
                try:
                    while await self._exchange(reader, writer, upstream, forth):
                        pass
                finally:
                    forth.transport.abort()
        finally:
            writer.transport.abort()

    async def _exchange(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream: asyncio.StreamReader,
        forth: asyncio.StreamWriter,
    ) -> bool:
        """Carry one exchange; return whether the connection goes on."""
        request = await message(reader)
        fate = self.rng.choice(self.fates) if request[:4] == b"POST" and self.rng.random() < self.share else None
        if fate is not None:
            self.spoilt[fate] += 1
        if fate in {"late", "twice"}:
            self._deliver_later(request)
        if fate in {"reset", "late"}:
            return False
        forth.write(request)
        answer = await message(upstream)
        if fate == "unheard":
            return False
        writer.write(answer[: self.rng.randrange(len(answer))] if fate == "torn" else answer)
        await writer.drain()
        return fate != "torn"

    def _deliver_later(self, request: bytes) -> None:
        task = asyncio.create_task(self._deliver(request, self.rng.uniform(*LATER_S)))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _deliver(self, request: bytes, after_s: float) -> None:
        await asyncio.sleep(after_s)
        with suppress(OSError, asyncio.IncompleteReadError):
            upstream, forth = await asyncio.open_connection("127.0.0.1", self.service_port)
            forth.write(request)
            await message(upstream)
            forth.transport.abort()

    async def end(self) -> None:
        """Deliver what is still on its way, and end all connections."""
        await asyncio.gather(*self._later)
        await end(list(self._carried))


@asynccontextmanager
async def network(
    service_port: int, rng: random.Random, *, share: float, fates: tuple[Fate, ...] = FATES
) -> AsyncGenerator[Network]:
    """Lend a network between clients and the service."""
    lent = Network(service_port, rng, share, fates)
    server = await asyncio.start_server(lent.connect, "127.0.0.1", 0)
    lent.port = server.sockets[0].getsockname()[1]
    try:
        yield lent
    finally:
        server.close()
        await lent.end()
