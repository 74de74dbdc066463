"""Structured logs: one JSON line for each request, and one for each thing that went wrong.

Lines say who (an opaque person id), where (province, route template), when, how it ended and how long it took, and the
request id that the caller was given. They hold no body, no token, no query and nobody's name.
"""

import asyncio
import atexit
import logging
import sys
from typing import Any, BinaryIO, Final, cast

import msgspec
import structlog

from emulation_saas.http.exchange import Exchange

_SERVER_ERROR: Final = 500
FLUSH_S: Final = 0.05
"""How long a line may wait to be written; a killed process loses at most so much of its log."""
_log: Final = structlog.get_logger()


def configure_logs(stream: BinaryIO | None = None) -> None:
    """Make this process log JSON lines, its libraries from their warnings on."""
    out = _Grouped(stream or sys.stderr.buffer)
    shared: list[Any] = [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, _json],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.BytesLoggerFactory(cast("BinaryIO", out)),
        cache_logger_on_first_use=True,
    )
    atexit.register(out.flush)
    handler = _Lines(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name, structlog.processors.format_exc_info],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _json_text],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def log_exchange(exchange: Exchange, scope: Any) -> None:  # noqa: ANN401 - the server's ASGI scope
    """Write the line of a request that is over; status 0 means that nobody was there to answer."""
    write = _log.error if exchange.status >= _SERVER_ERROR else _log.info
    write(
        "request",
        request_id=exchange.request_id,
        method=scope.get("method"),
        route=scope.get("path_template"),
        province=exchange.province,
        person=exchange.person,
        position=exchange.position,
        status=exchange.status,
        duration_ms=exchange.took_ms,
    )


def log_failure(event: str, exchange: Exchange, error: BaseException) -> None:
    """Write why a request failed."""
    _log.error(event, request_id=exchange.request_id, province=exchange.province, exc_info=error)


class _Grouped:
    """Gathers lines for a moment, as each write is a system call."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._lines: list[bytes] = []
        self._is_due = False

    def write(self, line: bytes) -> int:
        """Take a line, or a part of one."""
        self._lines.append(line)
        return len(line)

    def flush(self) -> None:
        """Write within a moment; at once where no event loop runs, which could do it later."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._write()
            return
        if not self._is_due:
            self._is_due = True
            loop.call_later(FLUSH_S, self._write)

    def _write(self) -> None:
        self._is_due = False
        lines, self._lines = self._lines, []
        self._out.write(b"".join(lines))
        self._out.flush()


class _Lines(logging.Handler):
    """Writes what libraries log, a line each."""

    def __init__(self, out: "_Grouped") -> None:
        super().__init__()
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        self._out.write(self.format(record).encode() + b"\n")
        self._out.flush()


def _json(_logger: object, _method: str, line: Any) -> bytes:  # noqa: ANN401 - structlog's own mapping
    return msgspec.json.encode(line, enc_hook=repr)


def _json_text(logger: object, method: str, line: Any) -> str:  # noqa: ANN401 - as above
    return _json(logger, method, line).decode()
