"""Several hosts, of which one takes writes: whoever is silent, gone or not the primary is passed by."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Final
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import asyncpg
import pytest

from emulation_saas.kernel.cancelling import end
from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.log.waking import HEADS_TIMEOUT_S
from emulation_saas.postgres.connecting import HOST_TIMEOUT_S, Route, ServerUnreachableError, hosts_of
from emulation_saas.postgres.database import ROLLBACK_TIMEOUT_S, open_database
from emulation_saas.postgres.server import APP_ROLE, role_dsn
from tests.database import given_server
from tests.logs import open_province, register, running_logs
from tests.serving import free_port

PATIENCE_S: Final = 10.0
TWO: Final = "postgresql://app:secret@a:5432,[::1]:5433/emulation?passfile=/p"


class Host:
    """A host of the database: an address that carries to the server, until it hangs."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._moves = asyncio.Event()
        self._moves.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0

    def hang(self) -> None:
        """Say nothing more and hear nothing more; connections stay open."""
        self._moves.clear()

    def go_on(self) -> None:
        """Hear and say again: what it is asked to close is closed."""
        self._moves.set()

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._tasks.add(asyncio.create_task(self._carry(reader, writer)))

    async def close(self) -> None:
        await end(self._tasks)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        ways: list[asyncio.Task[None]] = []
        try:
            await self._moves.wait()
            answer, asking = await asyncio.open_unix_connection(self._path)
            ends.append(asking)
            ways += [asyncio.create_task(self._pump(*way)) for way in ((reader, asking), (answer, writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in ends:
                each.transport.abort()
            await end(ways)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(65_536):
                await self._moves.wait()
                writer.write(piece)
                await writer.drain()


@asynccontextmanager
async def host_of(url: str) -> AsyncGenerator[Host]:
    """Lend another address of the server at a URL."""
    (folder,) = parse_qs(urlsplit(url).query)["host"]
    host = Host(f"{folder}/.s.PGSQL.5432")
    server = await asyncio.start_server(host.connected, "127.0.0.1", 0)
    host.port = server.sockets[0].getsockname()[1]
    try:
        yield host
    finally:
        server.close()
        await host.close()


def at(url: str, *ports: int, credentials: str = "") -> str:
    """Return the URL of the same database at other addresses."""
    (passfile,) = parse_qs(urlsplit(url).query)["passfile"]
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    return f"postgresql://{credentials}{hosts}{urlsplit(url).path}?passfile={passfile}&sslmode=disable"


def test_each_host_is_named_by_itself() -> None:
    assert hosts_of(TWO) == [
        "postgresql://app:secret@a:5432/emulation?passfile=/p",
        "postgresql://app:secret@[::1]:5433/emulation?passfile=/p",
    ]
    assert hosts_of("postgresql:///emulation?host=/run/x") == ["postgresql:///emulation?host=/run/x"]


async def test_host_that_is_silent_or_gone_is_passed_by_and_asked_last_from_then_on(database_url: str) -> None:
    async with host_of(database_url) as silent, host_of(database_url) as serves:
        silent.hang()
        url = at(database_url, silent.port, free_port(), serves.port)
        route = Route(role_dsn(url, APP_ROLE), host_timeout_s=0.5)
        for _ in range(2):
            connection = await route.connect()
            assert await connection.fetchval("SELECT current_user") == APP_ROLE
            await connection.close()
        assert (silent.connections, serves.connections) == (1, 2)


async def test_loss_of_the_server_is_noticed_by_the_system(database_url: str) -> None:
    async with host_of(database_url) as host:
        connection = await Route(role_dsn(at(database_url, host.port), APP_ROLE)).connect()
        link = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined] # noqa: SLF001
        assert link.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5_000
        await connection.close()


async def test_why_nobody_serves_is_said_of_each_host_without_the_password(database_url: str) -> None:
    first, second = free_port(), free_port()
    route = Route(role_dsn(at(database_url, first, second, credentials=":secret@"), APP_ROLE))
    with pytest.raises(ServerUnreachableError, match=f"127.0.0.1:{first}: .*127.0.0.1:{second}: ") as failed:
        await route.connect()
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ("nobody", asyncpg.InvalidAuthorizationSpecificationError),
        pytest.param(
            APP_ROLE,
            asyncpg.InvalidPasswordError,
            marks=pytest.mark.skipif(given_server() is not None, reason="it may ask for no password"),
        ),
    ],
)
async def test_role_that_may_not_log_in_is_told_though_another_host_is_gone(
    database_url: str, role: str, told: type[Exception]
) -> None:
    async with host_of(database_url) as host:
        url = at(database_url, host.port, free_port(), credentials=":wrong@")
        with pytest.raises(told):
            await Route(role_dsn(url, role)).connect()


async def test_process_goes_on_at_another_host_when_one_falls_silent(database_url: str) -> None:
    async with (
        host_of(database_url) as first,
        host_of(database_url) as second,
        running_logs(at(database_url, first.port, second.port)) as logs,
    ):
        province = await open_province(logs)
        assert second.connections == 0
        await asyncio.sleep(0.2)  # so that nothing is on its way: what is, waits for its own timeout
        first.hang()
        silent_since = monotonic()
        async with asyncio.timeout(HEADS_TIMEOUT_S + HOST_TIMEOUT_S + PATIENCE_S):
            while logs.waker.polled_at < silent_since + 1:  # noqa: ASYNC110 - what is waited for is another's
                await asyncio.sleep(0.05)
        async with asyncio.timeout(PATIENCE_S):
            accepted = await province.log.execute(register("so-noi-vu"), by=province.acting())
        assert len(accepted.events) == 1
        assert second.connections > 0
        first.go_on()


async def test_who_gives_up_on_a_server_that_falls_silent_need_not_wait_for_it(database_url: str) -> None:
    async with host_of(database_url) as host, open_database(at(database_url, host.port)) as database:

        async def ask() -> None:
            async with database.in_province(ProvinceId(uuid4())) as connection:
                await connection.fetch("SELECT pg_sleep(60)")

        asking = asyncio.create_task(ask())
        await asyncio.sleep(0.5)
        host.hang()
        asking.cancel()
        done, _ = await asyncio.wait([asking], timeout=ROLLBACK_TIMEOUT_S + PATIENCE_S)
        host.go_on()
        assert done
