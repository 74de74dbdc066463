"""Whose turn a request is, by nginx as `deploy/nginx.conf` configures it."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.deploy.nginx import find_nginx, proxied

PROVINCES = [f"tinh-{number}" for number in range(40)]


@asynccontextmanager
async def telling(text: str) -> AsyncGenerator[asyncio.Server]:
    """Serve a replica that answers everything with a text."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline() not in {b"\r\n", b""}:
            continue
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n{text}".encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server


async def test_commands_of_a_province_go_to_one_replica_while_it_answers(tmp_path: Path) -> None:
    nginx = find_nginx()
    if nginx is None:
        pytest.skip("nginx is not installed")
    async with AsyncExitStack() as stack:
        replicas = {name: await stack.enter_async_context(telling(name)) for name in ("one", "two")}
        ports = [each.sockets[0].getsockname()[1] for each in replicas.values()]
        port = await asyncio.to_thread(stack.enter_context, proxied(nginx, tmp_path, ports))
        client = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=f"https://127.0.0.1:{port}/v1/provinces",
                verify=ssl.create_default_context(cafile=str(tmp_path / "cert.pem")),
                trust_env=False,
            )
        )

        async def asked(method: str, province: str, times: int = 2) -> set[str]:
            paths = [f"/{province}/agencies", f"/{province}/blocs/khoi-1/years/2023/votes"]
            return {(await client.request(method, path)).text for path in paths * times}

        deciding = {province: await asked("POST", province) for province in PROVINCES}
        assert {len(each) for each in deciding.values()} == {1}
        assert set[str]().union(*deciding.values()) == set(replicas), "provinces are shared out"
        assert await asked("GET", PROVINCES[0], times=20) == set(replicas)

        (gone,) = deciding[PROVINCES[0]]
        replicas[gone].close()
        await replicas[gone].wait_closed()
        assert await asked("POST", PROVINCES[0]) == set(replicas) - {gone}
