"""A real NATS server for tests, with a store of its own, that can be killed and started again on the same port."""

import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from tests.serving import free_port

PROGRAM: Final = Path(sys.executable).with_name("nats-server")
START_S: Final = 20.0


class NatsServer:
    """One server: where it listens, where it keeps its streams."""

    def __init__(self, place: Path, extra: str = "") -> None:
        """Write its configuration; `extra` is more of it."""
        self.port = free_port()
        self.store = place / "store"
        self._config = place / "nats.conf"
        self._output = place / "nats.log"
        self._config.write_text(
            f'listen: "127.0.0.1:{self.port}"\n'
            f'jetstream {{ store_dir: "{self.store}", sync_interval: always }}\n{extra}\n',
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it listens."""
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [PROGRAM, "-c", self._config], stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        until = time.monotonic() + START_S
        while True:
            assert self._process.poll() is None, self._output.read_text(errors="replace")[-2000:]
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                if probe.recv(5) == b"INFO ":
                    return
            assert time.monotonic() < until, "it does not listen"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def nats_server(place: Path, extra: str = "") -> Generator[NatsServer]:
    """Lend a server that listens, and leave nothing of it."""
    server = NatsServer(place, extra)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@dataclass(frozen=True)
class Message:
    """A message of a stream."""

    subject: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def position(self) -> int:
        """The position that its id names."""
        return int(self.headers["Nats-Msg-Id"].rpartition(":")[2])


@asynccontextmanager
async def _client(url: str) -> AsyncGenerator[Client]:
    client = Client()
    await client.connect([url])
    try:
        yield client
    finally:
        await client.close()


async def messages(url: str, stream: str) -> list[Message]:
    """Return everything that a stream holds, in its own order, as its consumers are given it."""
    async with _client(url) as client:
        context = JetStreamContext(client)
        state = (await context.stream_info(stream)).state
        if not state.messages:
            return []
        reading = await context.subscribe(">", stream=stream, ordered_consumer=True)
        found = [await reading.next_msg(timeout=20) for _ in range(state.messages)]
        return [Message(each.subject, each.headers or {}, each.data) for each in found]


async def held(url: str, stream: str) -> int:
    """Return how many messages a stream holds; 0 when there is none of that name."""
    async with _client(url) as client:
        with suppress(NotFoundError):
            return (await JetStreamContext(client).stream_info(stream)).state.messages
        return 0


async def purge(url: str, stream: str) -> None:
    """Remove all that a stream holds."""
    async with _client(url) as client:
        await JetStreamContext(client).purge_stream(stream)


async def remove(url: str, stream: str, sequence: int | None = None) -> None:
    """Remove a message of a stream; None: the stream itself."""
    async with _client(url) as client:
        if sequence is None:
            await JetStreamContext(client).delete_stream(stream)
        else:
            await JetStreamContext(client).delete_msg(stream, sequence)


async def send(url: str, subject: str, body: bytes) -> None:
    """Publish as somebody else."""
    async with _client(url) as client:
        await JetStreamContext(client).publish(subject, body)
