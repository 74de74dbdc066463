"""Answers as they go on the wire: finished ones, and what a command recorded."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, cast

import msgspec
import structlog
from litestar import Response
from litestar.response import Stream
from litestar.types import Receive, Scope, Send

from emulation_saas.http.exchange import Exchange, exchange_of
from emulation_saas.log import Accepted

ANSWERS: Final = "emulation.answers"
"""In a handler's options: its answers by media type, each a struct or a JSON schema; JSON alone needs no saying."""
SPELLED: Final = "emulation.spelled"
"""In a handler's options: the patterns of those path parameters that are no handles, by name."""
RECEIPT: Final = "receipt"
"""What a command may prefer (RFC 7240): a proof, in its answer, that what it recorded is in the log."""
JSON: Final = (b"content-type", b"application/json")
_NO_STORE: Final = (b"cache-control", b"no-store")
_log: Final = structlog.get_logger()


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


class Streamed(Stream):
    """A stream of the media type that it names itself, where its route has several."""

    __slots__ = ()

    def to_asgi_response(self, app: Any, request: Any, **settings: Any) -> Any:  # noqa: ANN401 - the framework's hook
        """Return what sends it."""
        settings["media_type"] = self.media_type
        return cast("Any", super()).to_asgi_response(app, request, **settings)


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
            exchange = exchange_of(request.scope)
            if exchange.prefer is None or RECEIPT not in _preferences(exchange.prefer):
                return _Accepted(self.content, exchange)
            if (prove := request.app.receipt) is None or request.log is None:
                return _Accepted(self.content, exchange)
            return _Accepted(self.content, exchange, partial(prove, request.log, self.content.position))
        return cast("Any", super()).to_asgi_response(app, request, **settings)


class _Accepted:
    """An ASGI answer for what was recorded."""

    __slots__ = ("_accepted", "_receipt")

    def __init__(
        self, accepted: Accepted, exchange: Exchange, receipt: Callable[[], Awaitable[str]] | None = None
    ) -> None:
        self._accepted = accepted
        self._receipt = receipt if accepted.events else None
        exchange.position = accepted.position

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the ASGI signature
        position = b"%d" % self._accepted.position
        body = b'{"events":[' + b",".join(self._accepted.events) + b'],"position":' + position + b"}"
        headers = [JSON, _NO_STORE, (b"log-position", position)]
        if self._receipt is not None and (receipt := await _obtained(self._receipt)) is not None:
            body = body[:-1] + b',"receipt":' + msgspec.json.encode(receipt) + b"}"
            headers.append((b"preference-applied", RECEIPT.encode()))
        await send_answer(send, body, status=201, headers=headers)


def _preferences(header: bytes) -> set[str]:
    return {each.partition(";")[0].strip().lower() for each in header.decode("latin-1").split(",")}


async def _obtained(receipt: Callable[[], Awaitable[str]]) -> str | None:
    """Return the receipt; None where it cannot be had: what was recorded is answered all the same."""
    try:
        return await receipt()
    except Exception as error:  # noqa: BLE001 - whatever it is, what was recorded is to be answered
        _log.warning("no-receipt", exc_info=error)
        return None


def is_same(if_none_match: bytes | None, tag: bytes) -> bool:
    """Tell whether a caller holds the tagged document already."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == b"*":
        return True
    return any(held.strip().removeprefix(b"W/") == tag for held in if_none_match.split(b","))
