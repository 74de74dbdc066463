"""The feed of the real service: whichever worker records an event, and until the service stops."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx

from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.journeys.test_stopping import (
    PROVINCE,
    STOP_S,
    abandoned_sessions,
    agency,
    calling,
    demand_nothing_left,
    stop,
)
from tests.serving import descendants, served
from tests.streams.listening import blocks_of, positions_in

FEED: Final = f"/v1/provinces/{PROVINCE}/events"
AGENCIES: Final = f"/v1/provinces/{PROVINCE}/agencies"


class Heard:
    """What came of a stream."""

    def __init__(self) -> None:
        """Have heard nothing."""
        self.body = b""
        self.is_over = False

    async def listen(self, answer: httpx.Response) -> None:
        """Hear all of it."""
        async for piece in answer.aiter_raw():
            self.body += piece
        self.is_over = True

    async def hears(self, text: bytes) -> None:
        """Return once this was heard."""
        async with asyncio.timeout(20):
            while text not in self.body:  # noqa: ASYNC110 - what comes from outside has no event for us
                await asyncio.sleep(0.02)


@asynccontextmanager
async def hearing(client: httpx.AsyncClient) -> AsyncGenerator[Heard]:
    """Lend what is heard of a stream."""
    heard = Heard()
    async with client.stream("GET", FEED, headers={"accept": "text/event-stream"}) as answer:
        assert answer.status_code == 200
        listening = asyncio.create_task(heard.listen(answer))
        yield heard
        async with asyncio.timeout(20):
            await listening


async def test_streams_hear_of_events_from_every_worker_and_end_when_the_service_stops(
    server: EmbeddedPostgres, database_url: str, place: Path
) -> None:
    with served(place, database_url=database_url) as service:
        service.open_province(PROVINCE)
        pids = descendants(service.pid)
        async with calling(service) as client, hearing(client) as first, hearing(client) as second:
            last = 0
            for number in range(12):
                answer = await client.post(AGENCIES, json=agency(f"so-{number}"), headers={"connection": "close"})
                last = int(answer.headers["log-position"])
            for heard in (first, second):
                await heard.hears(b"id: %d\n" % last)
                assert positions_in(heard.body) == list(range(1, last + 1))
            code, took_s = await stop(service)
            assert code == 0
            assert took_s < STOP_S
        for heard in (first, second):
            assert heard.is_over
            assert blocks_of(heard.body)[-1].data == {"reason": "stopping"}
        demand_nothing_left(service, pids)
        assert not service.said("killed")
        assert not service.said("Cancel [0-9]+ running")
    assert await abandoned_sessions(server, database_url) == 0, "the pools were not closed: hooks did not run"
