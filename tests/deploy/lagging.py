"""A link between two machines that takes its time, and can be cut: what is on its way then never arrives."""

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Final

PIECE: Final = 65_536


class Link:
    """Carries connections to a port on this machine, each byte for so long as a distance takes."""

    def __init__(self, target: int, *, delay_s: float) -> None:
        """Prepare; nothing is listened on before `open`."""
        self._target = target
        self._delay_s = delay_s
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_cut = False
        self._server: asyncio.Server | None = None

    async def open(self, port: int) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", port)

    def cut(self) -> None:
        """End everything at once, and carry nothing more."""
        self._is_cut = True
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        """Carry again."""
        self._is_cut = False

    async def close(self) -> None:
        """End for good."""
        self.cut()
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            answer, asking = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, asking}
        self._open |= ends
        tasks = {asyncio.create_task(self._carry(*way)) for way in ((reader, asking), (answer, writer))}
        self._tasks |= tasks
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in ends:
                each.transport.abort()
            for task in tasks:
                task.cancel()
            self._tasks -= tasks
            self._open -= ends

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        on_its_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def arrive() -> None:
            while True:
                due, piece = await on_its_way.get()
                await asyncio.sleep(due - monotonic())
                writer.write(piece)
                if not piece:
                    return

        arriving = asyncio.create_task(arrive())
        try:
            with suppress(OSError):
                while piece := await reader.read(PIECE):
                    on_its_way.put_nowait((monotonic() + self._delay_s, piece))
                on_its_way.put_nowait((monotonic() + self._delay_s, b""))
                await arriving
        finally:
            arriving.cancel()
