"""The network to the database turns into a black hole: what is read from it never comes.

Method. The service reaches its database through a socket of ours. Now and then that carries nothing any more: what is
asked, what is answered, or both. So it happens that a command is recorded and its answer never arrives. Then it goes
on, or breaks all connections off. The last hole of a full run is longer than any deadline: every request must have
been answered within 40 s all the same, and the service must recover by itself.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Final, Literal, TypeAlias
from urllib.parse import quote, unquote

from tests.database import fresh_database, start_database
from tests.faults.load import Behaviour, Load, under_load
from tests.faults.trials import CLIENTS, Experiment, Outcome, Say, chance, judged
from tests.serving import Served

HOLE_S: Final = (1.0, 3.0)
LONG_HOLE_S: Final = 45.0
"""Longer than the 30 s after which a request is answered, and a statement is given up."""
ANSWER_S: Final = 40.0
SOCKET: Final = ".s.PGSQL.5432"
PIECE: Final = 65_536
Swallowed: TypeAlias = Literal["answers", "questions", "both"]
KINDS: Final[list[tuple[Swallowed, bool]]] = [
    ("answers", True),
    ("questions", True),
    ("both", False),
    ("answers", False),
    ("questions", False),
    ("both", True),
]
"""What is swallowed, and whether the connections break off then; one after the other."""


@dataclass
class Hole:
    """Carries connections to a socket, but for the times when it swallows everything."""

    socket: Path
    carries_there: asyncio.Event = field(default_factory=asyncio.Event)
    carries_back: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        upstream, forth = await asyncio.open_unix_connection(str(self.socket))
        ends = {writer, forth}
        self._open |= ends
        try:
            await asyncio.gather(_carry(reader, forth, self.carries_there), _carry(upstream, writer, self.carries_back))
        finally:
            for each in ends:
                each.transport.abort()
            self._open -= ends

    def swallow(self, what: Swallowed) -> None:
        """Carry nothing any more of what is asked, of what is answered, or of both."""
        if what != "answers":
            self.carries_there.clear()
        if what != "questions":
            self.carries_back.clear()

    def break_off(self) -> None:
        """End every connection."""
        for each in self._open:
            each.transport.abort()

    def go_on(self) -> None:
        """Carry again, also what was swallowed."""
        self.carries_there.set()
        self.carries_back.set()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, carries: asyncio.Event) -> None:
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            await carries.wait()
            writer.write(piece)
            await writer.drain()
    writer.transport.abort()


@asynccontextmanager
async def hole_before(socket: Path, folder: Path) -> AsyncGenerator[Hole]:
    """Lend a socket in a folder that leads to another."""
    hole = Hole(socket)
    hole.go_on()
    server = await asyncio.start_unix_server(hole.connect, str(folder / SOCKET))
    try:
        yield hole
    finally:
        hole.go_on()
        server.close()
        hole.break_off()


async def black_holes(tries: int, place: Path, say: Say, *, is_mutant: bool) -> Outcome:
    """Let the network to the database swallow everything so often; the last time for long."""
    rng, outcome = chance("black-hole"), Outcome()
    server = await asyncio.to_thread(start_database, place)
    try:
        url = await fresh_database(server)
        host = url.partition("host=")[2].partition("&")[0]
        (through := place / "hole").mkdir(mode=0o755)
        led = url.replace(host, quote(str(through)))
        async with hole_before(Path(unquote(host)) / SOCKET, through) as hole:
            (there := place / "service").mkdir(mode=0o755)
            service = Served(there, database_url=led)
            await asyncio.to_thread(service.start)
            try:
                await asyncio.to_thread(
                    service.wait_until_ready
                )  # from a thread: the way to the database is in this one
                behaviour: Behaviour = "keyless" if is_mutant else "right"
                load = Load(service, rng, behaviour, abandoned=0.0, answer_s=ANSWER_S)
                async with under_load(load, CLIENTS):
                    for number, (swallowed, breaks_off) in zip(range(tries), cycle(KINDS), strict=False):
                        await load.more(25)
                        hole.swallow(swallowed)
                        is_long = number == tries - 1 and tries > 5
                        await asyncio.sleep(LONG_HOLE_S if is_long else rng.uniform(*HOLE_S))
                        if breaks_off:
                            hole.break_off()
                        hole.go_on()
                        outcome.tries += 1
                        say(f"{outcome.tries} of {tries} holes, {load.acknowledged} acknowledged")
                    await load.more(25)
                outcome.count(load)
            finally:
                await asyncio.to_thread(service.end)
        outcome.found.add(await judged(server, url, load.ledgers.values()))
    finally:
        await asyncio.to_thread(server.stop)
    return outcome


EXPERIMENTS: Final = {
    "black-hole": Experiment(black_holes, 12, 2, "clients that repeat a command without its key", mutant_tries=10)
}
