"""Traces by OpenTelemetry, where the extra `tracing` is installed and OTEL_TRACES_EXPORTER names where they go.

Each request is one trace: a span of the framework's own plugin around it, and in it what the log did with its command::

    POST /v1/provinces/{province}/…/votes
      ├─ lock, read     only where the batch had to
      ├─ decide         all commands of the batch
      ├─ append         one statement, until it is durable
      └─ answer         from then until the answer was sent

The plugin is shown a request without headers, path, query and peer, so nothing that a caller sent can get into a trace:
no token, no name, no address. What stands there is the route's template, province, request id, status, the code of a
refusal and the log's position. A trace begins here, whatever `traceparent` a caller sends: who is traced is not for
callers to decide.
"""

import os
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from threading import Thread
from time import monotonic_ns, time_ns
from typing import Any, Final, TypeAlias

from litestar import Litestar
from litestar.middleware.base import DefineMiddleware
from litestar.plugins.opentelemetry import OpenTelemetryConfig, OpenTelemetryInstrumentationMiddleware
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from opentelemetry.trace import Span, Status, StatusCode, Tracer, get_current_span

from emulation_saas.http.exchange import Exchange, exchange_of
from emulation_saas.log.course import Course

CLOSE_S: Final = 1.0
"""How long a stop waits until what was traced last is sent."""
_REAL: Final = "emulation.request"
_SERVER_ERROR: Final = 500
_App: TypeAlias = Callable[[Any, Any, Any], Coroutine[Any, Any, None]]


class Tracing:
    """Makes traces and hands them on."""

    def __init__(self, processor: SpanProcessor) -> None:
        """Hand them to a processor; sampler, limits and resource are taken from OTEL_*."""
        os.environ.setdefault("OTEL_SERVICE_NAME", "emulation-saas")
        self._provider = TracerProvider(shutdown_on_exit=False)
        self._provider.add_span_processor(processor)

    @property
    def middleware(self) -> DefineMiddleware:
        """What the framework is to put around its router."""
        config = OpenTelemetryConfig(
            middleware_class=_Bare,
            tracer_provider=self._provider,
            meter_provider=NoOpMeterProvider(),
            exclude_spans=["receive", "send"],
            scope_span_details_extractor=_named,
        )
        return config.middleware

    @asynccontextmanager
    async def running(self, _: Litestar) -> AsyncGenerator[None]:
        """Trace while inside; at the end send what is left."""
        try:
            yield
        finally:
            self.close()

    def close(self) -> None:
        """Send what is left, for a moment at most: a stop does not wait for a collector that is gone."""
        closing = Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSE_S)


def tracing_of(environment: Mapping[str, str]) -> Tracing:
    """Return the traces that OTEL_TRACES_EXPORTER asks for: `console`, or `otlp` as OTEL_EXPORTER_OTLP_* say."""
    if environment["OTEL_TRACES_EXPORTER"] == "console":
        return Tracing(BatchSpanProcessor(ConsoleSpanExporter()))
    return Tracing(BatchSpanProcessor(OTLPSpanExporter()))


class _Bare(OpenTelemetryInstrumentationMiddleware):
    """The plugin's own middleware, shown nothing of a request that its caller chose."""

    def __init__(self, app: Any, config: OpenTelemetryConfig) -> None:  # noqa: ANN401 - the framework's ASGI types
        super().__init__(_inside(app, _tracer(config)), config)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - as above
        shown = {name: scope[name] for name in ("type", "method", "scheme", "http_version", "server")}
        bare: Any = {**shown, "path": "", "query_string": b"", "headers": [], _REAL: (scope, receive, send)}
        await super().__call__(bare, receive, send)


def _named(scope: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401 - as above
    """Name a span for the time until its route is known."""
    return scope["method"], {}


def _tracer(config: OpenTelemetryConfig) -> Tracer:
    if config.tracer_provider is None:
        raise LookupError("tracer_provider")
    return config.tracer_provider.get_tracer("emulation_saas")


def _inside(app: _App, tracer: Tracer) -> _App:
    """Return what answers the real request inside the span that the plugin has begun for the bare one."""

    async def inside(bare: Any, _receive: Any, _send: Any) -> None:  # noqa: ANN401 - as above
        scope, receive, send = bare[_REAL]
        try:
            await app(scope, receive, send)
        finally:
            span = get_current_span()
            if span.is_recording():
                _describe(span, tracer, exchange_of(scope), scope)

    return inside


def _describe(span: Span, tracer: Tracer, exchange: Exchange, scope: Any) -> None:  # noqa: ANN401 - as above
    route = scope.get("path_template")
    if route:
        span.update_name(f"{scope['method']} {route}")
    told = {
        "http.route": route,
        "http.response.status_code": exchange.status or None,
        "emulation.request_id": exchange.request_id,
        "emulation.province": exchange.province,
        "emulation.position": exchange.position,
        "emulation.problem": exchange.code,
    }
    span.set_attributes({name: value for name, value in told.items() if value is not None})
    if exchange.status >= _SERVER_ERROR:
        span.set_status(Status(StatusCode.ERROR))
    if exchange.course is not None:
        _tell_stages(tracer, exchange.course)


def _tell_stages(tracer: Tracer, course: Course) -> None:
    """Make a span of each stage that a command went through, afterwards: the log itself knows nothing of traces."""
    apart_ns = time_ns() - monotonic_ns()
    ended_ns = monotonic_ns()
    for stage in course.stages():
        span = tracer.start_span(
            stage.name, attributes={"emulation.batch.commands": course.commands}, start_time=stage.began_ns + apart_ns
        )
        span.end(stage.ended_ns + apart_ns)
        ended_ns = stage.ended_ns
    tracer.start_span("answer", start_time=ended_ns + apart_ns).end()
