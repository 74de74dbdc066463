"""A worker for the test of the server: told its socket and where to note what its hooks did."""

import asyncio
import resource
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from litestar import Litestar, get
from litestar.response import Stream

from emulation_saas.http.server import serve

FILES = 64


def main(fd: int, notes: Path) -> int:
    """Serve one quick, one slow and one endless route, from a process that may open few files at first."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    @asynccontextmanager
    async def opened(_: Litestar) -> AsyncGenerator[None]:
        with notes.open("a") as file:
            file.write("opened\n")
        yield
        with notes.open("a") as file:
            file.write("closed\n")

    @get("/quick")
    async def quick() -> str:
        return "quick"

    @get("/slow")
    async def slow() -> str:
        await asyncio.sleep(1)
        return "slow"

    @get("/endless")
    async def endless() -> Stream:
        async def events() -> AsyncGenerator[str]:
            while True:
                yield "data: .\n\n"
                await asyncio.sleep(0.2)

        return Stream(events(), media_type="text/event-stream")

    def fail() -> Litestar:
        detail = "cannot start"
        raise RuntimeError(detail)

    def app() -> Litestar:
        return Litestar([quick, slow, endless], lifespan=[opened], openapi_config=None)

    if notes.name == "early":
        _be_told_early()
    return serve(fail if notes.name == "fail" else app, fd=fd)


def _be_told_early() -> None:
    """Be told to stop in the moment before the server has handlers of its own."""
    run = uvicorn.Server.run

    def told(self: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
        signal.raise_signal(signal.SIGTERM)
        run(self, sockets)

    uvicorn.Server.run = told  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2])))
