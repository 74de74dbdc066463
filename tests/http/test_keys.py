"""An issuer's keys are fetched when due, at most once a minute, and kept when a fetch fails."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from joserfc.jwk import OctKey, OKPKey
from structlog.testing import capture_logs

from emulation_saas.http.keys import KeySource
from emulation_saas.http.refusals import IssuerUnavailable
from tests.http.notebook import KEY, jwks

SECOND = OKPKey.generate_key("Ed25519", parameters={"kid": "k2"})


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def kids(source: KeySource, kid: str | None) -> list[str | None]:
    return [key.kid for key in await source.find(kid)]


async def test_a_key_is_found_by_its_name(tmp_path: Path) -> None:
    source = KeySource(jwks(tmp_path, KEY, SECOND))
    assert await kids(source, "k1") == ["k1"]
    assert await kids(source, "k2") == ["k2"]
    assert await kids(source, None) == [], "which one is not said"
    assert await kids(source, "k3") == []


async def test_the_only_key_needs_no_name(tmp_path: Path) -> None:
    assert await kids(KeySource(jwks(tmp_path)), None) == ["k1"]


async def test_an_unknown_key_is_looked_for_once_a_minute(tmp_path: Path) -> None:
    clock = Clock()
    source = KeySource(jwks(tmp_path), clock=clock)
    assert await kids(source, "k2") == []
    jwks(tmp_path, KEY, SECOND)
    clock.now += 59
    assert await kids(source, "k2") == []
    clock.now += 1
    assert await kids(source, "k2") == ["k2"]


async def test_keys_are_fetched_again_after_ten_minutes(tmp_path: Path) -> None:
    clock = Clock()
    source = KeySource(jwks(tmp_path, KEY, SECOND), clock=clock)
    assert await kids(source, "k2") == ["k2"]
    jwks(tmp_path, KEY)
    clock.now += 599
    assert await kids(source, "k2") == ["k2"]
    clock.now += 1
    assert await kids(source, "k2") == [], "a key that was withdrawn is gone"


async def test_old_keys_serve_while_none_can_be_had(tmp_path: Path) -> None:
    clock = Clock()
    path = jwks(tmp_path)
    source = KeySource(path, clock=clock)
    assert await kids(source, "k1") == ["k1"]
    os.unlink(path)  # noqa: PTH108 - as the operator would
    clock.now += 10_000
    with capture_logs() as lines:
        assert await kids(source, "k1") == ["k1"]
    assert [line["event"] for line in lines] == ["issuer-keys-unavailable"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b'{"keys":[]}',
        b'{"keys":[{"kty":["OKP"]}]}',
        b'{"keys":[{"kty":"OKP","crv":"Ed25519","x":"!"}]}',
        b'{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}',
        msgspec.json.encode({"keys": [OctKey.generate_key().as_dict()]}),
        msgspec.json.encode({"keys": [KEY.as_dict(private=True)]}),
    ],
    ids=["empty", "object", "no-keys", "list-for-text", "bad-base64", "no-key-id", "symmetric", "private"],
)
async def test_without_any_usable_key_nobody_is_let_in(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "jwks.json"
    path.write_bytes(content)
    with pytest.raises(IssuerUnavailable):
        await KeySource(str(path)).find("k1")


async def test_one_unreadable_key_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    broken = {"kty": "OKP", "crv": "Ed25519", "x": "!", "kid": "broken"}
    path.write_bytes(msgspec.json.encode({"keys": [broken, KEY.as_dict(private=False)]}))
    assert await kids(KeySource(str(path)), "k1") == ["k1"]


@asynccontextmanager
async def web(
    body: bytes,
    status: str = "200 OK",
    *,
    open_again: asyncio.Event | None = None,
    asked_again: asyncio.Event | None = None,
) -> AsyncGenerator[tuple[str, list[bytes]]]:
    """Lend a web server that always answers the same, once it is open, and the list of what it was asked."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0])
        if asked_again is not None and len(asked) > 1:
            asked_again.set()
        if open_again is not None:
            await open_again.wait()
        head = f"HTTP/1.1 {status}\r\nlocation: /other\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks", asked


async def test_keys_come_from_a_url_once_for_all_who_wait() -> None:
    async with web(msgspec.json.encode({"keys": [KEY.as_dict(private=False)]})) as (url, asked):
        source = KeySource(url)
        found = await asyncio.gather(*(kids(source, "k1") for _ in range(5)))
    assert found == [["k1"]] * 5
    assert asked == [b"GET /jwks HTTP/1.1"]


async def test_who_has_keys_does_not_wait_for_a_fetch() -> None:
    clock, open_again, asked_again = Clock(), asyncio.Event(), asyncio.Event()
    open_again.set()
    keys = msgspec.json.encode({"keys": [KEY.as_dict(private=False)]})
    async with web(keys, open_again=open_again, asked_again=asked_again) as (url, _):
        source = KeySource(url, clock=clock)
        assert await kids(source, "k1") == ["k1"]
        open_again.clear()
        clock.now += 600
        fetching = asyncio.create_task(kids(source, "k1"))
        async with asyncio.timeout(5):
            await asked_again.wait()
        assert await kids(source, "k1") == ["k1"]
        assert not fetching.done()
        open_again.set()
        assert await fetching == ["k1"]


@pytest.mark.parametrize(
    ("body", "status"), [(b"{}", "500 Oops"), (b"", "302 Found"), (b" " * 300_000, "200 OK"), (b"<html>", "200 OK")]
)
async def test_other_answers_are_no_keys_and_are_not_followed(body: bytes, status: str) -> None:
    async with web(body, status) as (url, asked):
        with pytest.raises(IssuerUnavailable):
            await KeySource(url).find("k1")
    assert len(asked) == 1


async def test_a_host_that_is_gone_lets_nobody_in() -> None:
    with pytest.raises(IssuerUnavailable):
        await KeySource("http://127.0.0.1:9/jwks").find("k1")
