"""A service with a thousand streams open stops in time: each is told why and ends whole, commands are answered."""

import asyncio
import resource
from collections import Counter
from pathlib import Path
from typing import Final

import httpx

from emulation_saas.http.limits import STREAMS_PER_PERSON_MAX
from emulation_saas.http.local_issuer import ISSUER
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.journeys.test_stopping import (
    AGENCIES,
    PROVINCE,
    STOP_S,
    abandoned_sessions,
    agency,
    calling,
    demand_nothing_left,
    head_held,
    stop,
    waits_for_head,
)
from tests.serving import Served, descendants, served

STREAMS: Final = 1_000
PERSONS: Final = 25
AT_ONCE: Final = 50
PATIENCE_S: Final = 60
END: Final = b'event: end\ndata: {"reason":"stopping"}\n\n'
LAST_CHUNK: Final = b"\r\n0\r\n\r\n"


class Stream:
    """One stream of events, as its bytes come."""

    def __init__(self) -> None:
        self.received = b""
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def open(self, service: Served, authorization: str) -> None:
        """Ask for everything, and return when it has begun."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", service.port)
        asking = (
            f"GET /v1/provinces/{PROVINCE}/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
            f"Authorization: {authorization}\r\n\r\n"
        )
        self._writer.write(asking.encode())
        await self.until(b"event: head\n")
        assert self.received.startswith(b"HTTP/1.1 200 ")

    async def until(self, wanted: bytes) -> None:
        """Read until something has come."""
        async with asyncio.timeout(PATIENCE_S):
            while wanted not in self.received and (piece := await self._reader.read(65536)):
                self.received += piece
        assert wanted in self.received, self.received[-500:]

    async def to_end(self) -> None:
        """Read until the connection ends."""
        async with asyncio.timeout(PATIENCE_S):
            while piece := await self._reader.read(65536):
                self.received += piece
        self._writer.close()


async def readers(client: httpx.AsyncClient) -> list[str]:
    """Register persons with a role; return their subjects."""
    subs = [f"reader-{number}@{PROVINCE}" for number in range(PERSONS)]
    here = f"/v1/provinces/{PROVINCE}"
    for sub in subs:
        body = {"issuer": ISSUER, "sub": sub, "name": f"Trần {sub}"}
        registered = await client.post(f"{here}/persons", json=body)
        person = registered.json()["events"][0]["data"]["person"]
        granted = await client.post(f"{here}/roles", json={"person": person, "role": "integrator"})
        assert granted.status_code == 201, granted.text
    return subs


async def opened(service: Served, subs: list[str]) -> list[Stream]:
    """Open the streams, each person's share, a few at once."""
    gate = asyncio.Semaphore(AT_ONCE)
    tokens = [service.token(sub)["authorization"] for sub in subs]

    async def open_one(number: int) -> Stream:
        stream = Stream()
        async with gate:
            await stream.open(service, tokens[number % PERSONS])
        return stream

    return await asyncio.gather(*(open_one(number) for number in range(STREAMS)))


async def test_a_thousand_streams_end_whole_and_the_command_in_flight_is_answered(
    server: EmbeddedPostgres, database_url: str, place: Path
) -> None:
    assert STREAMS <= PERSONS * STREAMS_PER_PERSON_MAX, "one worker may be asked for all of them"
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with served(place, database_url=database_url) as service:
        service.open_province(PROVINCE)
        pids = descendants(service.pid)
        async with calling(service) as client:
            streams = await opened(service, await readers(client))
            assert (await client.post(AGENCIES, json=agency("tu-phap"))).status_code == 201
            await asyncio.gather(*(stream.until(b'"agency":"tu-phap"') for stream in streams))
            async with head_held(server, database_url):
                command = asyncio.create_task(client.post(AGENCIES, json=agency("noi-vu")))
                await waits_for_head(server, database_url)
                stopping = asyncio.create_task(stop(service))
                await asyncio.sleep(1)
            answer = await command
        code, took_s = await stopping
        assert (answer.status_code, code) == (201, 0)
        assert took_s < STOP_S
        await asyncio.gather(*(stream.to_end() for stream in streams))
        endings = Counter(END in stream.received and stream.received.endswith(LAST_CHUNK) for stream in streams)
        assert endings == {True: STREAMS}
        assert not service.said("killed"), service.output()[-1000:]
        demand_nothing_left(service, pids)
    assert await abandoned_sessions(server, database_url) == 0, "the pools were not closed: hooks did not run"
