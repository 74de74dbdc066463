"""Exports that nobody takes: they end by themselves, and one person has but a few under way."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from emulation_saas.audit.export_routes import EXPORTS_AT_ONCE_MAX
from emulation_saas.http import application
from tests.audit.auditing import HERE, Service, serving

PATH = f"{HERE}/log/export"


async def never_taking(service: Service, role: str, begun: asyncio.Event) -> None:
    """Ask for an export as a caller who reads its head and first piece, and nothing after."""
    headers = [(name.encode(), told.encode()) for name, told in service.by(role).items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": PATH,
        "raw_path": PATH.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [*headers, (b"host", b"service")],
        "server": ("service", 80),
        "client": ("caller", 1),
    }
    bodies = 0

    async def send(message: dict[str, Any]) -> None:
        nonlocal bodies
        bodies += message["type"] == "http.response.body"
        if bodies > 1:
            begun.set()
            await asyncio.Event().wait()

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    app: Any = service.client._transport.app  # type: ignore[attr-defined]  # noqa: SLF001
    await app(scope, receive, send)


async def test_an_export_that_nobody_takes_ends_and_makes_room_for_the_next(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "PIECE_TIMEOUT_S", 1.5)
    async with serving(database_url, tmp_path) as service:
        begun = [asyncio.Event() for _ in range(EXPORTS_AT_ONCE_MAX)]
        stuck = [asyncio.create_task(never_taking(service, "auditor", each)) for each in begun]
        await asyncio.gather(*(each.wait() for each in begun))
        refused = await service.get("/log/export", "auditor")
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests")
        assert refused.headers["retry-after"] == "1"
        assert (await service.get("/log/export", "integrator")).status_code == 200, "others have theirs"
        async with asyncio.timeout(10):
            ended = [type(each) for each in await asyncio.gather(*stuck, return_exceptions=True)]
        assert ended == [TimeoutError] * EXPORTS_AT_ONCE_MAX
        assert (await service.get("/log/export", "auditor")).status_code == 200
