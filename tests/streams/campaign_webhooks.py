"""Webhooks on trial: receivers that fail, die and redirect, senders that stop anywhere, writers that do not wait.

Method
1. Two webhooks of a province, an ordered and an independent one, have a receiver each (TLS, this machine). A receiver
   answers three requests of ten with a 500, by hanging up before or after it has kept the event, or by a redirect to an
   internal address. It keeps what it answered 204 to, and what it kept before hanging up.
2. Sixteen writers append events. All the while, one thing after another breaks: a receiver's server is ended with all
   its connections and begun again, or one of the two processes that send is ended in the middle and begun again.
3. In the end each receiver's record is compared with the log: lost, altered (the bytes, or a signature that the
   province's key does not verify), out of order (ordered: an event that came before an earlier one had ever come) or
   doubled (ordered: one that came again after a later one). What comes again because nobody heard that it had come is
   told as `repeated`. The internal address must not have been connected to.
"""

import asyncio
import os
import random
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from uuid import uuid4

from emulation_saas.kernel.cancelling import end
from emulation_saas.kernel.ids import WebhookId
from emulation_saas.postgres.database import open_database
from emulation_saas.streams.tails import Tails
from emulation_saas.webhooks.dispatching import Dispatcher
from emulation_saas.webhooks.events import Mode
from emulation_saas.webhooks.schedule import Schedule
from emulation_saas.webhooks.signing import key_pair_of
from emulation_saas.webhooks.standing import Webhooks
from emulation_saas.webhooks.use_cases import ActivateWebhook
from tests.database import fresh_database, start_database
from tests.logs import logs_of, register
from tests.webhooks.receiving import OK, Authority, Received, Receiver, make_authority, receiver, status
from tests.webhooks.sending import World, registering, world
from tests.webhooks.verifying import verified_by

WRITERS: Final = 16
SENDERS: Final = 2
FAILING: Final = 0.3
DONE_S: Final = 1_800.0
HOOKS: Final[dict[Mode, WebhookId]] = {"ordered": WebhookId("thu-tu"), "independent": WebhookId("doc-lap")}
QUICK: Final = Schedule(tries_after_s=(0, *[0.02] * 500), chance=lambda: 0)

Say = Callable[[str], None]


@dataclass
class Recorder:
    """A receiver that fails often, and what it has kept."""

    chance: random.Random
    internal: str
    kept: list[Received] = field(default_factory=list)
    failed: int = 0

    def __call__(self, request: Received) -> bytes | None:
        """Answer."""
        if request.method == "OPTIONS":
            return status(200, "webhook-allowed-origin: *")
        if self.chance.random() >= FAILING:
            self.kept.append(request)
            return OK
        self.failed += 1
        match self.chance.randrange(4):
            case 0:
                return status(500)
            case 1:
                return status(307, f"location: {self.internal}")
            case 2:
                return None
            case _:
                self.kept.append(request)
                return None


@dataclass
class Line:
    """A receiver that is ended and begun again at one port."""

    authority: Authority
    recorder: Recorder
    port: int = 0
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def begin(self) -> None:
        """Listen."""
        there: Receiver = await self._running.enter_async_context(
            receiver(self.authority, self.recorder, port=self.port)
        )
        self.port = there.port

    async def cut(self) -> None:
        """End the server with all its connections, and begin again."""
        await self._running.aclose()
        await asyncio.sleep(0.02)
        await self.begin()

    async def end(self) -> None:
        """End it for good."""
        await self._running.aclose()


class Process:
    """What one process does that sends: its own connections, its own logs, its own hold on cursors."""

    def __init__(self, here: World) -> None:
        """Begin."""
        self._here = here
        self._task = asyncio.create_task(self._run())

    async def cut(self) -> None:
        """End in the middle of whatever it does, and begin again."""
        await self.end()
        self._task = asyncio.create_task(self._run())

    async def end(self) -> None:
        """End it."""
        await end([self._task])

    async def _run(self) -> None:
        here = self._here
        async with open_database(here.database.url) as database, logs_of(database) as logs:
            means = replace(here.means, holder=uuid4())
            await Dispatcher(logs, database, here.courier, means, tails=Tails(), look_every_s=0.1).run()


@asynccontextmanager
async def internal_address() -> AsyncGenerator[tuple[str, list[int]]]:
    """Lend an address that nobody may connect to, and the list of who did."""
    came: list[int] = []

    def catch(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(1)
        writer.close()

    server = await asyncio.start_server(catch, "127.0.0.1", 0)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/", came
    finally:
        server.close()


async def run(*, events: int, cuts: int, say: Say) -> dict[str, int | float]:
    """Run it all with a database of its own; return what went wrong and how much was tried."""
    with tempfile.TemporaryDirectory(prefix="emulation-webhooks-") as name:
        folder = Path(name)
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 - the database's server runs as another user where this is root
        server = await asyncio.to_thread(start_database, folder)
        try:
            authority = make_authority(folder)
            return await tried(await fresh_database(server), authority, events=events, cuts=cuts, say=say)
        finally:
            await asyncio.to_thread(server.stop)


async def tried(url: str, authority: Authority, *, events: int, cuts: int, say: Say) -> dict[str, int | float]:
    """Run it on a database."""
    chance = random.Random(events)  # noqa: S311 - what breaks when is no secret
    async with internal_address() as (internal, came):
        lines: dict[Mode, Line] = {mode: Line(authority, Recorder(chance, internal)) for mode in HOOKS}
        for line in lines.values():
            await line.begin()
        ports = [line.port for line in lines.values()]
        async with world(url, authority, ports[0], others=ports[1:], schedule=QUICK) as here:
            after = (await here.log.head()).position + 2 * len(HOOKS)
            for mode, webhook in HOOKS.items():
                asked = registering(
                    f"https://127.0.0.1:{lines[mode].port}/", person=here.opened.admin, mode=mode, after=after
                )
                await here.do(replace(asked, webhook=webhook))
                await here.do(ActivateWebhook(webhook=webhook))
            processes: list[Process | Line] = [Process(here) for _ in range(SENDERS)]
            try:
                made = await _broken(here, [*lines.values(), *processes], events=events, cuts=cuts, say=say)
                await _settled(here, say=say)
            finally:
                for part in [*processes, *lines.values()]:
                    await part.end()
            figures = await _compared(here, lines, after=after)
    if came:
        msg = f"the internal address was connected to {len(came)} times"
        raise AssertionError(msg)
    return {
        "events": events,
        "cuts": made,
        "cuts_missing": max(cuts - made, 0),
        "internal_connections": len(came),
        **figures,
    }


async def _broken(here: World, breakable: Sequence[Line | Process], *, events: int, cuts: int, say: Say) -> int:
    """Append while one thing after another breaks; return how often something did."""
    numbers = iter(range(events))
    appended = 0

    async def write() -> None:
        nonlocal appended
        for number in numbers:
            await here.do(register(f"so-{number}"))
            appended += 1

    async def break_it() -> int:
        for made in range(cuts):
            # Receivers more often than senders, which take longer to begin again.
            await breakable[made % len(breakable) if made % 8 == 0 else made % 2].cut()
            while True:  # breaks are spread over what is appended
                if appended >= min(events, made * events // cuts):
                    break
                await asyncio.sleep(0.01)
            if made % 50 == 0:
                say(f"{appended} appended, {made} times broken")
        return cuts

    async with asyncio.TaskGroup() as group:
        for _ in range(WRITERS):
            group.create_task(write())
        breaking = group.create_task(break_it())
    return breaking.result()


async def _settled(here: World, *, say: Say) -> None:
    """Wait until all has been sent, or for so long that it never will be."""
    webhooks = Webhooks(here.database, here.destined, here.courier)
    async with asyncio.timeout(DONE_S):
        while True:
            standings = await webhooks.standings(here.log, head=(await here.log.head()).position)
            if not any(each.lag or each.set_aside for each in standings):
                return
            say("; ".join(f"{each.webhook}: {each.lag} to go, {each.set_aside} set aside" for each in standings))
            await asyncio.sleep(2)


async def _compared(here: World, lines: dict[Mode, Line], *, after: int) -> dict[str, int]:
    """Compare what was kept with the log; return what went wrong."""
    figures: Counter[str] = Counter(lost=0, doubled=0, out_of_order=0, altered=0, repeated=0, failed=0)
    public = (await key_pair_of(here.log)).public
    head = (await here.log.head()).position
    stored: dict[int, bytes] = {}
    while len(stored) < head - after:
        page = await here.log.entries(after=after + len(stored), through=head)
        stored |= {entry.position: entry.body for entry in page}
    for mode, line in lines.items():
        kept = line.recorder.kept
        positions = [each.position for each in kept]
        figures["lost"] += len(stored.keys() - set(positions))
        figures["altered"] += sum(
            stored.get(each.position) != each.body or not verified_by(public, each) for each in kept
        )
        figures["repeated"] += len(positions) - len(set(positions))
        figures["failed"] += line.recorder.failed
        if mode == "ordered":
            figures.update(disorder(positions))
    return dict(figures)


def disorder(positions: list[int]) -> Counter[str]:
    """Return how often an event came for the first time, or once more, after one that is later in the log."""
    found: Counter[str] = Counter()
    latest, seen = 0, set[int]()
    for position in positions:
        if position < latest:
            found["doubled" if position in seen else "out_of_order"] += 1
        latest = max(latest, position)
        seen.add(position)
    return found
