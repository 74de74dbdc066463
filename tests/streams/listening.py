"""Callers of the feed who take their answer piece by piece, or do not, and the service around a log for them."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from tests.audit.auditing import HERE, Service

EVENTS: Final = f"{HERE}/events"
PATIENCE_S: Final = 20.0
_BLOCK: Final = re.compile(rb"(?:id: (\d+)\n)?(?:event: (\S+)\n)?(?:data: ([^\n]*)\n)?\n")


@dataclass(frozen=True)
class Block:
    """A block of Server-Sent Events; what it does not have is None."""

    id: int | None
    event: str | None
    data: Any


class Listener:
    """One request whose answer is taken as it comes."""

    def __init__(self) -> None:
        """Have heard nothing yet."""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.is_whole = False
        """Whether the answer came to its end, and was not broken off."""
        self.takes = asyncio.Event()
        """Set while he takes what he is sent."""
        self.takes.set()
        self._gone = asyncio.Event()
        self._over = asyncio.Event()
        self._heard = asyncio.Condition()

    async def receive(self) -> dict[str, Any]:
        """Say that he is gone, once he is."""
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        """Take a piece."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): told.decode() for name, told in message["headers"]}
        else:
            await self.takes.wait()
            self.body += message["body"]
            self.is_whole = not message["more_body"]
        async with self._heard:
            self._heard.notify_all()

    async def over(self) -> None:
        """Return once the request has ended."""
        async with asyncio.timeout(PATIENCE_S):
            await self._over.wait()

    def end(self, _: object) -> None:
        """Note that the request has ended."""
        self._over.set()

    def leave(self) -> None:
        """Go away."""
        self._gone.set()

    async def until(self, is_there: Callable[["Listener"], bool]) -> None:
        """Return once something was heard."""
        async with asyncio.timeout(PATIENCE_S), self._heard:
            await self._heard.wait_for(lambda: is_there(self))

    async def hears(self, text: bytes) -> None:
        """Return once this was heard."""
        await self.until(lambda listener: text in listener.body)

    def blocks(self) -> list[Block]:
        """Return the blocks heard to their end."""
        return blocks_of(self.body)

    def positions(self) -> list[int]:
        """Return the positions of the events heard."""
        return positions_in(self.body)


def blocks_of(body: bytes) -> list[Block]:
    """Return the whole blocks of a stream, without retry and comments."""
    whole = body[: body.rfind(b"\n\n") + 2]
    found: list[Block] = []
    for part in whole.split(b"\n\n")[:-1]:
        if part.startswith((b":", b"retry:")):
            continue
        match = _BLOCK.fullmatch(part + b"\n\n")
        assert match, part
        position, event, data = match.groups()
        found.append(
            Block(
                None if position is None else int(position),
                None if event is None else event.decode(),
                None if data is None else msgspec.json.decode(data),
            )
        )
    return found


def positions_in(body: bytes) -> list[int]:
    """Return the positions of the events in a stream."""
    return [block.id for block in blocks_of(body) if block.id is not None and block.data is not None]


@asynccontextmanager
async def listening(
    service: Service, role: str, *, accept: str = "text/event-stream", last_event_id: str | None = None, **query: object
) -> AsyncGenerator[Listener]:
    """Lend a listener; his request has ended afterwards, however it ended."""
    headers = service.by(role) | {"accept": accept, "host": "service"}
    if last_event_id is not None:
        headers["last-event-id"] = last_event_id
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": EVENTS,
        "raw_path": EVENTS.encode(),
        "root_path": "",
        "query_string": urlencode(query).encode(),
        "headers": [(name.encode(), told.encode()) for name, told in headers.items()],
        "server": ("service", 80),
        "client": ("caller", 1),
    }
    listener = Listener()
    answered: Coroutine[Any, Any, None] = app_of(service)(scope, listener.receive, listener.send)
    task = asyncio.create_task(answered)
    task.add_done_callback(listener.end)
    try:
        await listener.until(lambda heard: heard.status > 0)
        yield listener
    finally:
        listener.takes.set()
        listener.leave()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(task, return_exceptions=True)


def app_of(service: Service) -> Any:  # noqa: ANN401 - the service's own class
    """Return the application that answers."""
    return service.client._transport.app  # type: ignore[attr-defined]  # noqa: SLF001
