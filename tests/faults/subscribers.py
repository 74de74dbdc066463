"""Subscribers that read nothing: they cost the service next to nothing, disturb nobody, and lose nothing.

Method. Writers write. Some subscribers open the province's stream from its first event and stop reading after the first
events; one reads on all the while. Once the writers have gone on for long enough (in a full run so long that those who
read nothing are let go), the slow ones read what they were still sent, and take the stream up again after the last
event that they had, until the head. Everybody must have seen every position once and in order. The mutant's subscribers
take it up one event too late.
"""

import asyncio
import re
import resource
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Final

import httpx

from tests.faults.load import ADMIN, PROVINCE, Load, WrongAnswerError, under_load
from tests.faults.trials import Experiment, Outcome, Say, chance, judged_in
from tests.serving import Served, served

WRITERS: Final = 8
ANSWERS: Final = 600
"""Before the slow ones come, and while they read nothing: more than buffers on the way hold."""
LET_GO_S: Final = 35.0
"""More than what the service waits for a reader."""
RECEIVED_BYTES: Final = 4_096
"""Of the kernel's buffer at the reader's end."""
SHORT: Final = 10
"""With so few, nobody waits until they are let go: they hang up themselves."""
_EVENT: Final = re.compile(rb"id: ([0-9]+)\nevent: ")
GROWTH_MAX_BYTES: Final = 64 * 1024 * 1024
"""Of both workers together, while nobody reads; a queue for each reader would be more."""


class Subscriber:
    """Follows a province's log, as slowly as it likes."""

    def __init__(self, load: Load, *, is_forgetful: bool = False, hangs_up: bool = False) -> None:
        self._client = httpx.AsyncClient(
            base_url=load.service.url,
            timeout=60,
            headers={**load.authorization(ADMIN), "accept": "text/event-stream"},
            transport=httpx.AsyncHTTPTransport(socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_BYTES)]),
        )
        self._is_forgetful = is_forgetful
        self._hangs_up = hangs_up
        self.seen: list[int] = []
        """The positions of the events that came, in order."""
        self.may_read = asyncio.Event()
        """Clear while it takes nothing of what it is sent."""
        self.resumed = 0

    async def follow(self, until: Callable[[], bool]) -> None:
        """Follow, resuming after the last event that came, until something is so."""
        async with self._client as client:
            while not until():
                after = self.seen[-1] + self._is_forgetful if self.seen else 0
                with suppress(httpx.TransportError):
                    await self._read(client, after, until)
                self.resumed += 1

    async def _read(self, client: httpx.AsyncClient, after: int, until: Callable[[], bool]) -> None:
        asked = client.stream("GET", f"/v1/provinces/{PROVINCE}/events?after={after}")
        async with asked as answer:
            if answer.status_code != 200:
                raise WrongAnswerError(f"the stream was answered {answer.status_code}")
            rest = b""
            async for piece in answer.aiter_bytes():
                *blocks, rest = (rest + piece).split(b"\n\n")
                self.seen += [int(event[1]) for block in blocks if (event := _EVENT.match(block))]
                if until():
                    return
                if self.seen and not self.may_read.is_set():
                    await self.may_read.wait()
                    if self._hangs_up:
                        return


def resident_bytes(service: Served) -> int:
    """Return how much memory the workers use together."""
    pages = [Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1] for pid in service.worker_pids()]
    return resource.getpagesize() * sum(map(int, pages))


async def subscribers(tries: int, place: Path, say: Say, *, is_mutant: bool) -> Outcome:
    """Let so many subscribers read nothing."""
    outcome = Outcome(tries=tries)
    is_full = tries > SHORT
    with served(place) as service:
        load = Load(service, chance("subscribers"), abandoned=0.0)
        slow = [Subscriber(load, is_forgetful=is_mutant, hangs_up=not is_full) for _ in range(tries)]
        steady = Subscriber(load)
        steady.may_read.set()
        async with asyncio.TaskGroup() as tasks:
            last: list[int] = []
            async with under_load(load, WRITERS):
                await load.more(ANSWERS if is_full else ANSWERS // 10)
                for each in (*slow, steady):
                    tasks.create_task(each.follow(partial(_has_all, each, last)))
                await asyncio.sleep(1)
                before = resident_bytes(service)
                began_s = monotonic()
                await load.more(ANSWERS if is_full else ANSWERS // 10)
                if is_full:
                    await asyncio.sleep(max(0.0, LET_GO_S - (monotonic() - began_s)))
                grown = resident_bytes(service) - before
                say(f"{tries} read nothing for {monotonic() - began_s:.0f} s: the workers grew by {grown >> 10} KiB")
            last.append(max(answer.position for answer in load.ledger(PROVINCE).answers.values()))
            for each in slow:
                each.may_read.set()
        outcome.count(load)
        outcome.told |= {"grown_mib": grown / 2**20, "resumed": sum(each.resumed for each in slow)}
        await asyncio.to_thread(service.stop)
    if grown > GROWTH_MAX_BYTES:
        outcome.found.wrong.append(f"the workers grew by {grown} bytes")
    for each in (*slow, steady):
        outcome.found.gaps += len(set(range(1, last[0] + 1)) - set(each.seen))
        outcome.found.wrong += ["an event came twice or out of order"] * (each.seen != sorted(set(each.seen)))
    outcome.found.add(await judged_in(service.data, load.ledgers.values()))
    return outcome


def _has_all(each: Subscriber, last: list[int]) -> bool:
    """Tell whether a subscriber has seen the last event there will be, once that is known."""
    return bool(last and each.seen and each.seen[-1] >= last[0])


EXPERIMENTS: Final = {
    "subscriber": Experiment(subscribers, 40, 3, "subscribers that resume one event too late", mutant_tries=3)
}
