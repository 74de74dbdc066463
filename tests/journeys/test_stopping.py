"""Stopping and falling: the service ends in time and leaves nothing; without its database it says so, and recovers.

That a worker's hooks ran is seen from the database: a pool that is closed says good-bye to the server, a process that
merely ends leaves *abandoned* sessions, which PostgreSQL counts.
"""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.database import start_database, superuser
from tests.postgres.processes import alive, wait_until
from tests.serving import Served, descendants, is_port_free, served

PROVINCE: Final = "bac-song"
AGENCIES: Final = f"/v1/provinces/{PROVINCE}/agencies"
STOP_S: Final = 10.0
DOWN_S: Final = 2.0
"""How long the database is away."""
RECOVERY_S: Final = 5.0


def agency(handle: str) -> dict[str, Any]:
    return {"agency": handle, "name": f"Sở {handle}", "effective_on": "2020-01-01"}


@asynccontextmanager
async def calling(service: Served) -> AsyncGenerator[httpx.AsyncClient]:
    """Lend a client of the administrator."""
    headers = service.token(f"admin@{PROVINCE}")
    async with httpx.AsyncClient(base_url=service.url, headers=headers, timeout=30, trust_env=False) as client:
        yield client


@asynccontextmanager
async def head_held(server: EmbeddedPostgres, url: str) -> AsyncGenerator[None]:
    """Hold the heads of all logs, so that every append waits."""
    async with superuser(server, urlsplit(url).path.removeprefix("/")) as connection, connection.transaction():
        await connection.execute("SELECT FROM log_head FOR UPDATE")
        yield


async def waits_for_head(server: EmbeddedPostgres, url: str) -> None:
    """Return when an append waits for a head."""
    name = urlsplit(url).path.removeprefix("/")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'"
    async with superuser(server) as connection, asyncio.timeout(10):
        while await connection.fetchval(waiting, name) == 0:  # noqa: ASYNC110 - the database has no event for us
            await asyncio.sleep(0.02)


async def abandoned_sessions(server: EmbeddedPostgres, url: str) -> int:
    """Return how many sessions of the database ended without a good-bye."""
    name = urlsplit(url).path.removeprefix("/")
    async with superuser(server) as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        count: int = await connection.fetchval(
            "SELECT sessions_abandoned FROM pg_stat_database WHERE datname = $1", name
        )
        return count


def slow_body(service: Served) -> socket.socket:
    """Begin a request whose body does not come."""
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=20)
    authorization = service.token(f"admin@{PROVINCE}")["authorization"]
    head = (
        f"POST {AGENCIES} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nIdempotency-Key: slow\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    )
    connection.sendall(head.encode())
    return connection


def last_words(connection: socket.socket) -> bytes:
    """Return what is answered before the connection ends."""
    said = b""
    with connection:
        while True:
            try:
                part = connection.recv(65536)
            except ConnectionError:
                return said
            if not part:
                return said
            said += part


def demand_problem(answer: httpx.Response) -> None:
    """Demand a 503 as clients can obey it."""
    assert answer.status_code == 503, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["status"] == 503


def demand_nothing_left(service: Served, pids: list[int]) -> None:
    wait_until(lambda: not any(alive(pid) for pid in pids), seconds=10)
    wait_until(lambda: is_port_free(service.port), seconds=5)


async def stop(service: Served) -> tuple[int, float]:
    return await asyncio.to_thread(service.stop)


async def test_requests_in_flight_are_answered_and_nothing_is_left(
    server: EmbeddedPostgres, database_url: str, place: Path
) -> None:
    with served(place, database_url=database_url) as service:
        service.open_province(PROVINCE)
        pids = descendants(service.pid)
        slow = slow_body(service)
        async with calling(service) as client:
            async with head_held(server, database_url):
                command = asyncio.create_task(client.post(AGENCIES, json=agency("noi-vu")))
                await waits_for_head(server, database_url)
                stopping = asyncio.create_task(stop(service))
                await asyncio.sleep(1)
            answer = await command
        assert answer.status_code == 201
        assert answer.json()["events"][0]["data"]["agency"] == "noi-vu"
        code, took_s = await stopping
        assert code == 0
        assert took_s < STOP_S
        demand_nothing_left(service, pids)
        said = last_words(slow)
        assert said == b"" or said.split(b" ")[1] in {b"408", b"503"}
        assert not service.said("killed")
    assert await abandoned_sessions(server, database_url) == 0, "the pools were not closed: hooks did not run"


async def test_command_whose_outcome_is_unknown_is_told_so_and_can_be_repeated(
    server: EmbeddedPostgres, database_url: str, place: Path
) -> None:
    key = {"idempotency-key": "once"}
    with served(place, database_url=database_url) as service:
        service.open_province(PROVINCE)
        pids = descendants(service.pid)
        async with calling(service) as client, head_held(server, database_url):
            command = asyncio.create_task(client.post(AGENCIES, json=agency("noi-vu"), headers=key))
            await waits_for_head(server, database_url)
            code, took_s = await stop(service)
            assert code == 0
            assert took_s < STOP_S
            demand_problem(await command)
        demand_nothing_left(service, pids)
        assert not service.said("killed"), service.output()[-1000:]
        assert await abandoned_sessions(server, database_url) == 0, "the pools were not closed: hooks did not run"
    with served(place, database_url=database_url) as service:
        async with calling(service) as client:
            again = await client.post(AGENCIES, json=agency("noi-vu"), headers=key)
            assert again.status_code == 201
            assert [event["data"]["agency"] for event in again.json()["events"]] == ["noi-vu"]
            listed = await client.get(AGENCIES, params={"min_position": again.headers["log-position"]})
            assert [each["agency"] for each in listed.json()["agencies"]] == ["noi-vu"]


def test_killed_supervisor_leaves_neither_worker_nor_database(place: Path) -> None:
    with served(place) as service:
        pids = descendants(service.pid)
        assert len(service.worker_pids()) == 2
        assert service.database_pid() in pids
        service.kill()
        demand_nothing_left(service, pids)
        service.start()
        service.wait_until_ready()
        pids = descendants(service.pid)
        code, took_s = service.stop()
        assert code == 0
        assert took_s < STOP_S
        demand_nothing_left(service, pids)


async def test_without_its_database_the_service_says_so_and_recovers_by_itself(place: Path) -> None:
    (place / "database").mkdir(mode=0o755)
    database = start_database(place / "database")
    try:
        with served(place, database_url=database.url) as service:
            service.open_province(PROVINCE)
            workers = service.worker_pids()
            await listening(database, many=len(workers))
            async with calling(service) as client:
                assert (await client.post(AGENCIES, json=agency("noi-vu"))).status_code == 201
                assert (await client.get(AGENCIES)).status_code == 200
                await asyncio.to_thread(database.kill)
                until_s = time.monotonic() + DOWN_S
                while time.monotonic() < until_s:
                    await demand_unavailable(client)
                await asyncio.to_thread(database.start)
                await recovered(client)
            assert service.worker_pids() == workers, "a worker did not live through it"
            assert service.stop()[0] == 0
    finally:
        database.stop()


async def listening(database: EmbeddedPostgres, *, many: int) -> None:
    """Return when so many workers have started: one that loses its database before that ends, and is started again."""
    async with superuser(database) as root, asyncio.timeout(DOWN_S + 20):
        statement = "SELECT count(*) FROM pg_stat_activity WHERE query ILIKE 'LISTEN %'"
        while await root.fetchval(statement) < many:  # noqa: ASYNC110 - it is another process that starts
            await asyncio.sleep(0.1)
    await asyncio.sleep(1)  # from listening to serving


async def demand_unavailable(client: httpx.AsyncClient) -> None:
    """Ask for everything while there is no database."""
    command, reading, other, live, ready = await asyncio.gather(
        client.post(AGENCIES, json=agency("tu-phap"), headers={"idempotency-key": "once"}),
        client.get(AGENCIES),
        client.get("/v1/provinces/khong-co"),
        client.get("/health/live"),
        client.get("/health/ready"),
    )
    for answer in (command, reading, other, ready):
        demand_problem(answer)
    assert live.status_code == 200


async def recovered(client: httpx.AsyncClient) -> None:
    """Demand that everything is answered again within seconds, and only `ask again` before."""
    began_s = time.monotonic()
    wanted = {201, 200}
    while True:
        answers = await asyncio.gather(
            client.post(AGENCIES, json=agency("tu-phap"), headers={"idempotency-key": "once"}),
            client.get(AGENCIES),
            client.get("/health/ready"),
        )
        if {answer.status_code for answer in answers} <= wanted:
            break
        for answer in answers:
            assert answer.status_code in {*wanted, 503}, answer.text
        assert time.monotonic() - began_s < RECOVERY_S, [answer.text for answer in answers]
        await asyncio.sleep(0.05)
    listed = await client.get(AGENCIES, params={"min_position": answers[0].headers["log-position"]})
    assert [each["agency"] for each in listed.json()["agencies"]] == ["noi-vu", "tu-phap"]
