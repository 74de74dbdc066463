"""A short form of `make rolling`, behind the small proxy: two replicas restarted in turn while they are asked."""

import asyncio
import socket
import struct
from argparse import Namespace
from pathlib import Path

import httpx

from tests.deploy.balancing import balanced
from tests.deploy.rolling import FAULTS, rolled, running
from tests.serving import Served


async def test_nobody_notices_that_replicas_are_restarted(database_url: str, place: Path) -> None:
    replicas = [Served(place, workers=1, database_url=database_url, name=f"replica-{number}") for number in (1, 2)]
    options = Namespace(rounds=1, writers=2, subscribers=3)
    async with running(replicas), balanced([each.port for each in replicas]) as port:
        seen = await rolled(replicas, f"http://127.0.0.1:{port}", trust=True, options=options, say=print)
    assert {fault: seen[fault] for fault in FAULTS if seen[fault]} == {}
    assert seen["restarts"] == 2
    assert seen["acknowledged"] > 10


async def test_small_proxy_asks_the_next_where_one_resets_without_a_word() -> None:
    async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        end: socket.socket = writer.get_extra_info("socket")
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # its end is a reset
        writer.transport.abort()

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    async with (
        await asyncio.start_server(resets, "127.0.0.1", 0) as stopping,
        await asyncio.start_server(answers, "127.0.0.1", 0) as staying,
        balanced([each.sockets[0].getsockname()[1] for each in (stopping, staying)]) as port,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        assert [(await client.get(f"http://127.0.0.1:{port}")).status_code for _ in range(4)] == [204] * 4
