"""The service as one ASGI application: what surrounds every request, and where each route is mounted.

::

    server ─▶ Service.__call__       request id, header and target limits, deadline, security headers, log line
               └─ router             404 and 405 as problems
                   └─ Door           token, province, person, authority       /v1/provinces/{province}/…, /v1/…
                       └─ route      body in one spelling, use case, answer

What a client says of itself by X-Forwarded-*, Forwarded or Host has no effect on anything.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from litestar import Litestar, Router
from litestar.types import ControllerRouterHandler, Message, Receive, Scope, Send

from emulation_saas.http.acting import Door, Logs, platform_dependencies, province_dependencies
from emulation_saas.http.answers import CommandAnswer
from emulation_saas.http.exchange import Exchange
from emulation_saas.http.health import live, readiness
from emulation_saas.http.limits import (
    BODY_BYTES_MAX,
    REQUEST_TIMEOUT_S,
    REQUESTS_IN_FLIGHT_MAX,
    TARGET_BYTES_MAX,
)
from emulation_saas.http.logs import log_exchange
from emulation_saas.http.openapi import openapi_config
from emulation_saas.http.problems import exception_handlers, problem
from emulation_saas.http.refusals import Busy, OutcomeUnknown, RequestTooSlow, TargetTooLong
from emulation_saas.http.requests import StrictRequest
from emulation_saas.http.tokens import Caller, Verifier
from emulation_saas.kernel.rejections import Rejection
from emulation_saas.settings import Settings

_SECURITY: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_POLICY: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
_NO_STORE: Final = (b"cache-control", b"no-store")
_STREAMS: Final = (b"text/event-stream", b"application/x-ndjson", b"application/x-tar")
"""Answers without a known end: the deadline is for their beginning, and they bound the rest themselves."""

_RECORDED: Final = 201
"""What a command answers; a POST that answers otherwise is a question."""

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]
Receipts = Callable[[Any, int], Awaitable[str]]
"""Gives the receipt of the event at a position of a log."""


def create_app(  # noqa: PLR0913 - the parts of the service, each named
    *,
    routes: Sequence[ControllerRouterHandler],
    platform_routes: Sequence[ControllerRouterHandler],
    documents: Sequence[ControllerRouterHandler] = (),
    given: Mapping[str, object] | None = None,
    logs: Logs,
    verifier: Verifier,
    settings: Settings,
    reachable: Callable[[], Awaitable[None]],
    receipt: Receipts | None = None,
    lifespan: Sequence[Lifespan] = (),
) -> Litestar:
    """Return the service.

    Args:
        routes: the capabilities' commands, mounted under /v1/provinces/{province}.
        platform_routes: what operators do, mounted under /v1.
        documents: GET routes of a province, made from projections.
        given: what else a province's routes may ask for, by name, such as the reader of documents.
        logs: the provinces' logs.
        verifier: tells callers by their tokens.
        settings: names the operators.
        reachable: returns when the database answered, raises when it did not.
        receipt: proves what a command recorded; None: nobody gets a receipt.
        lifespan: what is opened before the first request and closed after the last.
    """
    operators = frozenset(Caller(named.issuer, named.sub) for named in settings.operators)
    door = Door(logs=logs, verifier=verifier, operators=operators)
    provinces = Router(
        path="/v1/provinces/{province:str}",
        route_handlers=[*routes, *documents],
        before_request=door.to_province,
        dependencies=province_dependencies(given or {}),
        response_class=CommandAnswer,
        security=[{"bearer": []}],
    )
    platform = Router(
        path="/v1",
        route_handlers=platform_routes,
        before_request=door.to_platform,
        dependencies=platform_dependencies(logs),
        response_class=CommandAnswer,
        security=[{"bearer": []}],
    )
    service = Service(
        route_handlers=[provinces, platform, live, readiness(reachable)],
        request_class=StrictRequest,
        request_max_body_size=BODY_BYTES_MAX,
        exception_handlers=exception_handlers(),
        openapi_config=openapi_config(),
        lifespan=list(lifespan),
        logging_config=None,
        debug=False,
    )
    service.receipt = receipt
    return service


class Service(Litestar):
    """The framework's application with what every exchange has around it, whatever becomes of it inside."""

    receipt: Receipts | None = None
    _in_flight = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - the server's ASGI types
        """Answer one request, whatever happens."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        exchange = Exchange()
        scope.setdefault("state", {})["exchange"] = exchange
        self._in_flight += 1
        try:
            await self._answer(exchange, scope, receive, send)
        finally:
            self._in_flight -= 1
            log_exchange(exchange, scope)

    async def _answer(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        outward = _Outward(exchange, send)
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S) as deadline:
                outward.deadline = deadline
                self._admit(exchange, scope)
                await super().__call__(scope, receive, outward)
        except Rejection as rejection:
            await problem(exchange, rejection)(scope, receive, outward)
        except (TimeoutError, asyncio.CancelledError) as error:
            if exchange.status:  # half an answer cannot be taken back: the server closes the connection
                raise
            await problem(exchange, _cut_short(exchange, scope, error))(scope, receive, outward)

    def _admit(self, exchange: Exchange, scope: Any) -> None:  # noqa: ANN401 - the server's ASGI scope
        exchange.read_headers(scope["headers"])
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > TARGET_BYTES_MAX:
            raise TargetTooLong
        if self._in_flight > REQUESTS_IN_FLIGHT_MAX:
            raise Busy


class _Outward:
    """Sends an answer with the headers that all answers have."""

    __slots__ = ("_exchange", "_send", "deadline")

    def __init__(self, exchange: Exchange, send: Send) -> None:
        self._exchange = exchange
        self._send = send
        self.deadline: asyncio.Timeout | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._exchange.status = message["status"]
            headers = [*message["headers"]]
            given = dict(headers)
            headers.append((b"x-request-id", self._exchange.request_id.encode()))
            headers += _SECURITY
            if b"content-security-policy" not in given:
                headers.append(_POLICY)
            if b"cache-control" not in given:
                headers.append(_NO_STORE)
            message["headers"] = headers
            if self.deadline is not None and given.get(b"content-type", b"").startswith(_STREAMS):
                self.deadline.reschedule(None)
        await self._send(message)


def _cut_short(exchange: Exchange, scope: Any, error: BaseException) -> Rejection:  # noqa: ANN401 - as above
    """Say what became of a request that was stopped before its answer: by its deadline, or by the server's end."""
    handler = scope.get("route_handler")
    if scope["method"] != "POST" or (handler is not None and handler.status_code != _RECORDED):
        return Busy()
    if isinstance(error, TimeoutError) and not exchange.body_read:
        return RequestTooSlow()
    return OutcomeUnknown()
