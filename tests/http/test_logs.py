"""Logs are JSON, a line each, whoever writes them and whatever they hold."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from emulation_saas.http.exchange import Exchange
from emulation_saas.http.logs import configure_logs, log_exchange


@pytest.fixture
def stream() -> Iterator[io.BytesIO]:
    """Logs as a worker has them, for the time of a test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    before = structlog.get_config()
    written = io.BytesIO()
    root.handlers[:] = []
    configure_logs(written)
    structlog.configure(cache_logger_on_first_use=False)
    yield written
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_request_is_one_line(stream: io.BytesIO) -> None:
    exchange = Exchange()
    exchange.status = 201
    log_exchange(exchange, {"method": "POST", "path_template": "/v1"})
    [line] = lines(stream)
    assert (line["event"], line["level"], line["status"], line["route"]) == ("request", "info", 201, "/v1")
    assert line["request_id"] == exchange.request_id
    assert line["timestamp"].endswith("Z")


def test_a_failure_is_an_error(stream: io.BytesIO) -> None:
    exchange = Exchange()
    exchange.status = 503
    log_exchange(exchange, {})
    assert [line["level"] for line in lines(stream)] == ["error"]


def test_no_text_breaks_a_line(stream: io.BytesIO) -> None:
    log = structlog.get_logger()
    log.warning("one\r\ntwo\u2028\u202e", place=object)
    try:
        raise ValueError("a\nb")  # noqa: TRY301 - as others raise them
    except ValueError:
        log.exception("failed")
    first, second = lines(stream)
    assert first["place"] == "<class 'object'>"
    assert second["exception"].endswith("ValueError: a\nb")


def test_libraries_log_json_from_their_warnings_on(stream: io.BytesIO) -> None:
    logging.getLogger("library").info("not told")
    logging.getLogger("library").warning("told %s", "so")
    [told] = lines(stream)
    assert (told["event"], told["logger"], told["level"]) == ("told so", "library", "warning")
