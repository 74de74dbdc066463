"""Answers as they go on the wire: finished ones, and what a command recorded."""

from typing import Any, Final, cast

from litestar import Response
from litestar.types import Receive, Scope, Send

from emulation_saas.http.exchange import Exchange, exchange_of
from emulation_saas.log import Accepted

JSON: Final = (b"content-type", b"application/json")
_NO_STORE: Final = (b"cache-control", b"no-store")


class Answer(Response[bytes]):
    """A finished answer. It skips the framework's rendering, which costs more than recording a vote."""

    __slots__ = ("raw_headers", "status")

    def __init__(self, body: bytes, *, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Take body, status and headers as they are sent; the length is added."""
        super().__init__(body, status_code=status)
        self.status = status
        self.raw_headers = headers

    def to_asgi_response(self, app: Any, request: Any, **_: Any) -> Any:  # noqa: ANN401, ARG002 - the framework's hook
        """Return itself: it is finished."""
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the ASGI signature
        """Send it."""
        await send_answer(send, self.content, status=self.status, headers=self.raw_headers)


async def send_answer(send: Send, body: bytes, *, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    """Send a whole answer."""
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


class CommandAnswer(Response[Any]):
    """The answer to an accepted command: its events, byte for byte as stored, and the position they end at."""

    __slots__ = ()

    def __init__(self, content: Any, **settings: Any) -> None:  # noqa: ANN401 - the framework's own arguments
        """Take what a route returned."""
        if isinstance(content, Accepted):
            self.content = content
        else:
            super().__init__(content, **settings)

    def to_asgi_response(self, app: Any, request: Any, **settings: Any) -> Any:  # noqa: ANN401 - as above
        """Return the finished answer; of anything else, what the framework makes of it."""
        if isinstance(self.content, Accepted):
            return _Accepted(self.content, exchange_of(request.scope))
        return cast("Any", super()).to_asgi_response(app, request, **settings)


class _Accepted:
    """An ASGI answer for what was recorded."""

    __slots__ = ("_accepted",)

    def __init__(self, accepted: Accepted, exchange: Exchange) -> None:
        self._accepted = accepted
        exchange.position = accepted.position

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the ASGI signature
        position = b"%d" % self._accepted.position
        body = b'{"events":[' + b",".join(self._accepted.events) + b'],"position":' + position + b"}"
        headers = [JSON, _NO_STORE, (b"log-position", position)]
        await send_answer(send, body, status=201, headers=headers)


def is_same(if_none_match: bytes | None, tag: bytes) -> bool:
    """Tell whether a caller holds the tagged document already."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == b"*":
        return True
    return any(held.strip().removeprefix(b"W/") == tag for held in if_none_match.split(b","))
