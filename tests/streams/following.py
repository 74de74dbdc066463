"""Following a log over a network that breaks, while others write: what came must be the log, byte for byte.

Method. Sixteen writers append to the real log, in this process. A worker process of the service tells it to one client,
through a proxy that cuts the connection at random bytes of the answer, as often as it is told to. The writers wait for
the client, so that it is cut while there is always more to come. In the end what the client gave out is compared with
what is stored.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random
from typing import Final, Literal

import httpx

from emulation_saas.client import Feed
from emulation_saas.log import Entry
from tests.streams.cutting import Network, breaking
from tests.streams.stage import PROVINCE, Stage, staged

EVENT_BYTES: Final = 750
"""Of a vote and what is sent around it, about."""
SHARE: Final = {"stream": 7, "poll": 10}
"""Tenths of all bytes that go by until the last cut, so that it falls before the end; a page is sent again whole."""
SEED: Final = 20240130
PATIENCE_S: Final = 600.0
HASTE: Final = 200
"""How many times shorter pauses are than they would be."""

Figures = dict[str, int | float]


def differences(came: Sequence[bytes], entries: Sequence[Entry]) -> Figures:
    """Return how what came differs from what is stored: all zero when it does not.

    Args:
        came: the bytes of events, in the order in which they came.
        entries: the log.
    """
    stored = {entry.body: entry.position for entry in entries}
    times = Counter(came)
    places = [stored[body] for body in came if body in stored]
    return {
        "lost": sum(body not in times for body in stored),
        "doubled": sum(many - 1 for many in times.values()),
        "out_of_order": sum(later < earlier for earlier, later in pairwise(places)),
        "altered": sum(body not in stored for body in times),
    }


async def follow(
    by: Literal["stream", "poll"],
    *,
    events: int,
    cuts: int,
    say: Callable[[str], None],
    client: type[Feed] = Feed,
    url: str | None = None,
) -> Figures:
    """Follow and compare; return what was seen.

    Args:
        by: which way.
        events: how many are appended meanwhile.
        cuts: how often the connection is cut.
        say: told how far it is.
        client: who follows.
        url: the database to use; None: one on a server of its own.
    """
    async with staged(url) as stage:
        bytes_mean = max(events * EVENT_BYTES * SHARE[by] // 10 // cuts, 1)
        chance = Random(SEED)  # noqa: S311 - places of cuts are no secrets
        async with breaking(stage.port, cuts=cuts, bytes_mean=bytes_mean, chance=chance) as network:
            began_s = time.monotonic()
            came = await _followed(stage, network, by, events, client, say)
            seconds = time.monotonic() - began_s
        seen = differences(came, await stage.entries())
    return {
        **seen,
        "events": len(came),
        "cuts": network.cuts,
        "cuts_missing": network.cuts_left,
        "connections": network.connections,
        "seconds": round(seconds, 1),
    }


async def _followed(
    stage: Stage,
    network: Network,
    by: Literal["stream", "poll"],
    events: int,
    client: type[Feed],
    say: Callable[[str], None],
) -> list[bytes]:
    last = (await stage.log.head()).position + events
    came: list[bytes] = []

    async def sleep(pause_s: float) -> None:
        await asyncio.sleep(pause_s / HASTE)

    async with asyncio.timeout(PATIENCE_S), httpx.AsyncClient(trust_env=False) as http, asyncio.TaskGroup() as tasks:
        url = f"http://127.0.0.1:{network.port}"
        feed = client(url, PROVINCE, token=stage.token, by=by, http=http, sleep=sleep)
        tasks.create_task(stage.write(events, followed_to=lambda: feed.position))
        async with feed:
            async for event in feed.events(gapless=True):
                came.append(event.raw)
                if len(came) % 1_000 == 0:
                    say(f"{len(came)} events, {network.cuts} cuts")
                if event.position >= last:
                    break
    return came
