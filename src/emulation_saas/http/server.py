"""One worker: uvicorn on a socket that the supervisor owns. It stops by SIGTERM within ten seconds, hooks and all."""

import gc
import resource
import signal
import socket
from collections.abc import Callable
from typing import Any, Final, Protocol, cast, runtime_checkable

import uvicorn

from emulation_saas.http.limits import GRACEFUL_STOP_S
from emulation_saas.http.logs import configure_logs

_KEEP_ALIVE_S: Final = 65
"""Longer than the front proxies' usual 60 s, so that it is they who close idle connections."""
_FAILED: Final = 3
_GC_EVERY: Final = 50_000
"""Objects made and not dropped before the youngest are looked through."""


def serve(app_factory: Callable[[], Any], *, fd: int, loop: str = "uvloop") -> int:
    """Serve until told to stop, and return the exit status: 0 after a stop, 3 when it could not start.

    Args:
        app_factory: makes the application, in this process.
        fd: a listening stream socket, inherited.
        loop: `uvloop`, or `asyncio` as the fallback.
    """
    configure_logs()
    _, files_max = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (files_max, files_max)
    )  # a stream is an open file; 1024 are soon used up
    # What is imported by now lives for ever, and a request leaves no circles behind: looking for them costs a fifth.
    gc.freeze()
    gc.set_threshold(_GC_EVERY, 20, 100)
    server = _Server(
        uvicorn.Config(
            app_factory,
            factory=True,
            loop=loop,
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACEFUL_STOP_S,
        )
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # Before the server has its own handlers it may be told to stop, and when it has stopped it raises the signal
        # again: by then the work is done and must not be killed by it.
        signal.signal(number, server.handle_exit)
    try:
        server.run(sockets=[socket.socket(fileno=fd)])
    except SystemExit as stop:
        return int(stop.code or _FAILED)
    return 0 if server.started else _FAILED


@runtime_checkable
class Draining(Protocol):
    """An application that has something to end before it can be waited for."""

    def drain(self) -> None:
        """End it."""
        ...


class _Server(uvicorn.Server):
    """The server, which tells its application at once that it has been told to stop."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: streams end by themselves, requests in flight are answered."""
        app: object = cast("Any", self.config).loaded_app
        if isinstance(app, Draining):
            app.drain()
        await super().shutdown(sockets)
