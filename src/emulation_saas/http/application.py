"""The service as one ASGI application: what surrounds every request, and where each route is mounted.

::

    server ─▶ Service.__call__       request id, header and target limits, deadline, security headers, log line
               │                     reads of names and by auditors on record before their answer
               └─ router             404 and 405 as problems; traces around it, where they are asked for
                   └─ Door           token, province, person, authority, turn /v1/provinces/{province}/…, /v1/…
                       └─ route      body in one spelling, use case, answer

What a client says of itself by X-Forwarded-*, Forwarded or Host has no effect on anything.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Final

from litestar import Litestar, Router
from litestar.types import ControllerRouterHandler, Message, Middleware, Receive, Scope, Send

from emulation_saas.http.acting import Door, Logs, platform_dependencies, province_dependencies
from emulation_saas.http.answers import CommandAnswer, send_answer
from emulation_saas.http.exchange import Exchange, begin_exchange
from emulation_saas.http.health import live, readiness
from emulation_saas.http.limits import (
    BODY_BYTES_MAX,
    PIECE_TIMEOUT_S,
    REQUEST_TIMEOUT_S,
    REQUESTS_IN_FLIGHT_MAX,
    TARGET_BYTES_MAX,
)
from emulation_saas.http.logs import log_exchange, log_failure
from emulation_saas.http.openapi import openapi_config
from emulation_saas.http.parameters import note_declared
from emulation_saas.http.problems import exception_handlers, problem
from emulation_saas.http.reads import Read, ReadNotRecorded, Recorder, read_in
from emulation_saas.http.refusals import Busy, OutcomeUnknown, RequestTooSlow, TargetTooLong
from emulation_saas.http.requests import StrictRequest
from emulation_saas.http.shares import Shares
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
"""Answers without a known end: the deadline is for their beginning, then for the sending of each piece."""

_RECORDED: Final = 201
"""What a command answers; a POST that answers otherwise is a question."""

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]
Watch = Callable[[Exchange, Any], None]
Receipts = Callable[[Any, int], Awaitable[str]]
"""Gives the receipt of the event at a position of a log."""


def create_app(  # noqa: PLR0913 - the parts of the service, each named
    *,
    routes: Sequence[ControllerRouterHandler],
    platform_routes: Sequence[ControllerRouterHandler],
    operator_routes: Sequence[ControllerRouterHandler] = (),
    documents: Sequence[ControllerRouterHandler] = (),
    contract: Sequence[ControllerRouterHandler] = (),
    given: Mapping[str, object] | None = None,
    logs: Logs,
    verifier: Verifier,
    recorder: Recorder,
    settings: Settings,
    reachable: Callable[[], Awaitable[None]],
    faults: Callable[[], Sequence[str]] = tuple,
    receipt: Receipts | None = None,
    watches: Sequence[Watch] = (),
    stops: Sequence[Callable[[], None]] = (),
    middleware: Sequence[Middleware] = (),
    lifespan: Sequence[Lifespan] = (),
) -> "Service":
    """Return the service.

    Args:
        routes: the capabilities' commands, mounted under /v1/provinces/{province}.
        platform_routes: what operators do, mounted under /v1.
        operator_routes: what operators look at, mounted at the root.
        documents: GET routes of a province, made from projections.
        contract: routes outside any province that tell everybody what the service sends.
        given: what else a province's routes may ask for, by name, such as the reader of documents.
        logs: the provinces' logs.
        verifier: tells callers by their tokens.
        recorder: puts reads on record.
        settings: names the operators.
        reachable: returns when the database answered, raises when it did not.
        faults: says what this process does by itself and does not move.
        receipt: proves what a command recorded; None: nobody gets a receipt.
        watches: told of each request that is over, with its ASGI scope.
        stops: called when the server has been told to stop, before requests in flight are waited for.
        middleware: what goes around the framework's router.
        lifespan: what is opened before the first request and closed after the last.
    """
    operators = frozenset(Caller(named.issuer, named.sub) for named in settings.operators)
    shares = Shares(per_person=settings.requests_per_person, per_province=settings.requests_per_province)
    door = Door(logs=logs, verifier=verifier, operators=operators, shares=shares)
    provinces = Router(
        path="/v1/provinces/{province:str}",
        route_handlers=[*routes, *documents],
        before_request=door.to_province,
        dependencies=province_dependencies(given or {}),
        response_class=CommandAnswer,
        security=[{"bearer": []}],
    )
    platform = _platform([Router(path="/v1", route_handlers=platform_routes), *operator_routes], door, logs, verifier)
    service = Service(
        route_handlers=[provinces, platform, *contract, live, readiness(reachable, faults)],
        request_class=StrictRequest,
        request_max_body_size=BODY_BYTES_MAX,
        exception_handlers=exception_handlers(),
        openapi_config=openapi_config(),
        middleware=list(middleware),
        lifespan=list(lifespan),
        logging_config=None,
        debug=False,
    )
    note_declared(service.routes)
    service.receipt, service.recorder = receipt, recorder
    service.watches = [log_exchange, *watches]
    service.stops = stops
    service.in_flight = set()
    return service


def _platform(routes: Sequence[ControllerRouterHandler], door: Door, logs: Logs, verifier: Verifier) -> Router:
    """Return the routes of operators."""
    return Router(
        path="/",
        route_handlers=routes,
        before_request=door.to_platform,
        dependencies=platform_dependencies(logs, verifier),
        response_class=CommandAnswer,
        security=[{"bearer": []}],
    )


async def _no_recorder(read: Read) -> None:
    """Fail: where nothing can be recorded, nothing is answered that has to be."""
    raise LookupError(read.reason)


class Service(Litestar):
    """The framework's application with what every exchange has around it, whatever becomes of it inside."""

    receipt: Receipts | None = None
    recorder: Recorder = staticmethod(_no_recorder)
    watches: Sequence[Watch] = (log_exchange,)
    """Told of each request that is over."""
    stops: Sequence[Callable[[], None]] = ()
    in_flight: set[Exchange]
    """Requests that are being answered, but those that wait for events."""

    def drain(self) -> None:
        """Have what would go on for long end: the server has been told to stop."""
        for stop in self.stops:
            stop()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - the server's ASGI types
        """Answer one request, whatever happens."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        exchange = begin_exchange()
        scope.setdefault("state", {})["exchange"] = exchange
        self.in_flight.add(exchange)
        exchange.leavings.append(partial(self.in_flight.discard, exchange))
        try:
            await self._answer(exchange, scope, receive, send)
        finally:
            exchange.leave()
            for release in exchange.endings:
                release()
            for watch in self.watches:
                watch(exchange, scope)

    async def _answer(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        outward = _Outward(exchange, scope, send, self.recorder)
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S) as deadline:
                outward.deadline = exchange.deadline = deadline
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
        if len(self.in_flight) > REQUESTS_IN_FLIGHT_MAX:
            raise Busy


class _Outward:
    """Sends an answer with the headers that all answers have, once it is on record if it must be."""

    __slots__ = ("_exchange", "_is_recorded", "_is_stream", "_is_withheld", "_recorder", "_scope", "_send", "deadline")

    def __init__(self, exchange: Exchange, scope: Scope, send: Send, recorder: Recorder) -> None:
        self._exchange = exchange
        self._scope = scope
        self._send = send
        self._recorder = recorder
        self._is_recorded = False
        self._is_stream = False
        self._is_withheld = False
        self.deadline: asyncio.Timeout | None = None

    async def __call__(self, message: Message) -> None:
        if self._is_withheld:
            return
        if message["type"] == "http.response.start":
            if not self._is_recorded and not await self._record(message):
                self._is_withheld = True
                return
            self._exchange.begin_answer(message["status"])
            headers = [*message["headers"]]
            given = dict(headers)
            headers.append((b"x-request-id", self._exchange.request_id.encode()))
            headers += _SECURITY
            if b"content-security-policy" not in given:
                headers.append(_POLICY)
            if b"cache-control" not in given:
                headers.append(_NO_STORE)
            message["headers"] = headers
            self._is_stream = given.get(b"content-type", b"").startswith(_STREAMS)
        if self.deadline is None or not self._is_stream:
            await self._send(message)
            return
        self.deadline.reschedule(asyncio.get_running_loop().time() + PIECE_TIMEOUT_S)
        await self._send(message)
        self.deadline.reschedule(None)

    async def _record(self, message: Message) -> bool:
        """Put the answer on record if it must be; answer 503 in its place, and return False, if that fails."""
        self._is_recorded = True  # whatever comes of it, it is tried once: what answers instead shows nothing
        read = read_in(self._exchange, self._scope, message)
        if read is None:
            return True
        try:
            await self._recorder(read)
        except Exception as error:  # noqa: BLE001 - no answer without its record, whatever is in the way
            log_failure(ReadNotRecorded.code, self._exchange, error)
            instead = problem(self._exchange, ReadNotRecorded())
            await send_answer(self, instead.content, status=instead.status, headers=instead.raw_headers)
            return False
        return True


def _cut_short(exchange: Exchange, scope: Any, error: BaseException) -> Rejection:  # noqa: ANN401 - as above
    """Say what became of a request that was stopped before its answer: by its deadline, or by the server's end."""
    handler = scope.get("route_handler")
    if scope["method"] != "POST" or (handler is not None and handler.status_code != _RECORDED):
        return Busy()
    if isinstance(error, TimeoutError) and not exchange.body_read:
        return RequestTooSlow()
    return OutcomeUnknown()
