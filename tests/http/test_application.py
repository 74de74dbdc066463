"""What surrounds every request: its id, its limits, its headers, its log line; and whether the service is well."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from litestar import get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from structlog.testing import capture_logs

from emulation_saas.http.application import Service
from emulation_saas.http.limits import HEADER_BYTES_MAX, TARGET_BYTES_MAX
from emulation_saas.log import Accepted
from tests.http.notebook import ADA, EVENT, NOTES, Notebook, calling, little_service, token

SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "cache-control": "no-store",
}


async def test_an_accepted_command_is_answered_with_the_stored_bytes(tmp_path: Path) -> None:
    async with calling(little_service(tmp_path)) as client:
        answer = await client.post(f"{NOTES}/a", json={"note": "x"})
    assert answer.content == b'{"events":[' + EVENT + b'],"position":7}'
    assert (answer.status_code, answer.headers["log-position"]) == (201, "7")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("count", [0, 3])
async def test_events_are_as_many_as_were_recorded(tmp_path: Path, count: int) -> None:
    async def accept() -> Accepted:
        return Accepted(40, [msgspec.Raw(b'{"a":1}')] * count)

    async with calling(little_service(tmp_path, notebook=Notebook(accept))) as client:
        answer = await client.post(f"{NOTES}/a", json={"note": "x"})
    assert answer.json() == {"events": [{"a": 1}] * count, "position": 40}


@pytest.mark.parametrize("path", [NOTES, "/nothing", "/health/live", "/schema/openapi.json", "/v1/provinces/x/notes"])
async def test_every_answer_has_an_id_of_ours_and_is_safe(tmp_path: Path, path: str) -> None:
    async with calling(little_service(tmp_path)) as client:
        first = await client.get(path, headers={"x-request-id": "mine"})
        second = await client.get(path)
    assert UUID(first.headers["x-request-id"]) != UUID(second.headers["x-request-id"])
    headers = {name: value for name, value in first.headers.items() if name in SECURITY}
    if path.startswith("/schema"):
        headers["content-security-policy"] = SECURITY["content-security-policy"]
    assert headers == SECURITY


async def test_a_request_leaves_one_line_that_tells_no_secrets(tmp_path: Path) -> None:
    async with calling(little_service(tmp_path)) as client:
        with capture_logs() as lines:
            answer = await client.post(f"{NOTES}/a", json={"note": "secret body"})
            await client.get(f"{NOTES}?secret=query&cursor=secret")
            await client.get("/nothing\u202e%0Asecret")
    written, refused, missed = lines
    assert written.pop("duration_ms") > 0
    assert written == {
        "event": "request",
        "log_level": "info",
        "request_id": answer.headers["x-request-id"],
        "method": "POST",
        "route": "/v1/provinces/{province}/notes/{note}",
        "province": "bac-song",
        "person": ADA,
        "position": 7,
        "status": 201,
    }
    assert refused["status"] == 422
    assert (missed["route"], missed["status"], missed["province"]) == (None, 404, None)
    assert "secret" not in str(lines)
    assert token() not in str(lines)


async def test_a_province_is_logged_only_for_those_who_are_in_it(tmp_path: Path) -> None:
    async with calling(little_service(tmp_path), sub="stranger") as client:
        with capture_logs() as lines:
            await client.get(NOTES)
    assert (lines[0]["province"], lines[0]["person"]) == (None, None)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ([("x-long", "x" * HEADER_BYTES_MAX)], 431, "headers-too-large"),
        ([("authorization", "Bearer a")], 400, "ambiguous-header"),
        ([("idempotency-key", "a"), ("idempotency-key", "b")], 400, "ambiguous-header"),
        ([("content-type", "a/b"), ("content-type", "a/b")], 400, "ambiguous-header"),
        ([("accept", "*/*"), ("accept", "*/*")], 200, None),
    ],
)
async def test_headers_are_bounded_and_single(
    tmp_path: Path, headers: list[tuple[str, str]], status: int, code: str | None
) -> None:
    async with calling(little_service(tmp_path)) as client:
        given = [("authorization", client.headers.pop("authorization")), *headers]
        answer = await client.get(NOTES, headers=given)
    assert (answer.status_code, answer.json().get("code")) == (status, code)


async def test_the_longest_target_is_answered_and_one_longer_is_not(tmp_path: Path) -> None:
    async with calling(little_service(tmp_path)) as client:
        room = TARGET_BYTES_MAX - len(NOTES) - len("cursor=")
        answer = await client.get(f"{NOTES}?cursor={'x' * room}")
        assert (answer.status_code, answer.json()["code"]) == (422, "bad-cursor")
        answer = await client.get(f"{NOTES}?cursor={'x' * (room + 1)}")
    assert (answer.status_code, answer.json()["code"]) == (414, "target-too-long")


async def test_too_many_at_a_time_are_told_to_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulation_saas.http.application.REQUESTS_IN_FLIGHT_MAX", 1)
    released = asyncio.Event()

    async def wait() -> Accepted:
        await released.wait()
        return Accepted(7, [])

    async with calling(little_service(tmp_path, notebook=Notebook(wait))) as client:
        first = asyncio.create_task(client.post(f"{NOTES}/a", json={"note": "x"}))
        await asyncio.sleep(0.05)
        second = await client.get(NOTES)
        released.set()
        assert (await first).status_code == 201
        third = await client.get(NOTES)
    assert (second.status_code, second.json()["code"], second.headers["retry-after"]) == (503, "busy", "1")
    assert third.status_code == 200


async def test_a_stopped_request_is_told_that_its_outcome_is_unknown(tmp_path: Path) -> None:
    started = asyncio.Event()

    async def never() -> Accepted:
        started.set()
        await asyncio.sleep(60)
        raise AssertionError

    async with calling(little_service(tmp_path, notebook=Notebook(never))) as client:
        request = asyncio.create_task(client.post(f"{NOTES}/a", json={"note": "x"}))
        await started.wait()
        request.cancel()  # as the server does with what is still in flight when its patience ends
        answer = await request
    assert (answer.status_code, answer.json()["code"]) == (503, "outcome-unknown")


async def test_half_an_answer_is_not_followed_by_another(tmp_path: Path) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI
        sent.append(message["type"])
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await asked(little_service(tmp_path), send)
    assert sent == ["http.response.start"]


async def test_a_caller_who_goes_away_costs_a_line_and_no_error(tmp_path: Path) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI
        sent.append(message)

    with capture_logs() as lines:
        await asked(little_service(tmp_path), send, method="POST", path=f"{NOTES}/a")
    assert [line["status"] for line in lines] == [400]


async def asked(app: Any, send: Any, *, method: str = "GET", path: str = NOTES) -> None:  # noqa: ANN401 - ASGI
    """Ask like a server whose client has gone."""
    assert isinstance(app, Service)

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    headers = [(b"authorization", f"Bearer {token()}".encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers}
    await app(scope, receive, send)


async def test_health_tells_whether_the_database_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulation_saas.http.health._TIMEOUT_S", 0.05)
    reach: list[Any] = []

    async def reachable() -> None:
        if reach:
            await reach[0]()

    async def refuse() -> None:
        raise ConnectionRefusedError

    async def hang() -> None:
        await asyncio.sleep(10)

    async with calling(little_service(tmp_path, reachable=reachable), sub=None) as client:
        assert (await client.get("/health/ready")).json() == {"status": "ready"}
        for reach[:] in ([refuse], [hang]):
            answer = await client.get("/health/ready")
            assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
        assert (await client.get("/health/live")).json() == {"status": "live"}


async def test_health_tells_what_does_not_move(tmp_path: Path) -> None:
    found = ["heads stalled", "upkeep ended"]
    async with calling(little_service(tmp_path, faults=lambda: found), sub=None) as client:
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
        assert answer.json()["detail"] == "heads stalled, upkeep ended"
        found.clear()
        assert (await client.get("/health/ready")).status_code == 200


async def test_routes_are_given_what_wiring_gives(tmp_path: Path) -> None:
    @get("/given")
    async def read_given(library: NamedDependency[SkipValidation[object]]) -> str:
        return str(library)

    async with calling(little_service(tmp_path, routes=[read_given], given={"library": "books"})) as client:
        assert (await client.get("/v1/provinces/bac-song/given")).text == "books"


async def test_lifespan_is_the_framework_s(tmp_path: Path) -> None:
    async with little_service(tmp_path).lifespan():
        pass


async def test_proxies_headers_change_nothing(tmp_path: Path) -> None:
    lies = {
        "x-forwarded-for": "10.0.0.1",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "evil",
        "forwarded": "for=x",
    }
    async with calling(little_service(tmp_path), sub=None) as client:
        told = await client.get("/schema/openapi.json", headers=lies)
        plain = await client.get("/schema/openapi.json")
    assert told.content == plain.content
    assert b"evil" not in told.content
