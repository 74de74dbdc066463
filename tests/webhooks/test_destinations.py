"""Where events never go: whatever a URL says and whatever its name resolves to, nothing internal is connected to."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.rejections import Rejection
from emulation_saas.log import ProvinceLog
from emulation_saas.webhooks import destinations as destinations_module
from emulation_saas.webhooks.courier import Courier
from emulation_saas.webhooks.destinations import Destinations, destinations
from emulation_saas.webhooks.events import WebhookRegistered
from emulation_saas.webhooks.refusals import (
    PortNotAllowed,
    UrlHasCredentials,
    UrlNotHttps,
    UrlResolvesPrivate,
    UrlUnresolvable,
)
from emulation_saas.webhooks.states import Told, registered
from tests.scenario import ADMIN
from tests.webhooks.receiving import Authority, receiver, status
from tests.webhooks.sending import registering, world

INTERNAL: Final = (
    "127.0.0.1",
    "localhost",
    "2130706433",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "127.1",
    "0.0.0.0",  # noqa: S104 - bound by nobody
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "169.254.169.254",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "100.64.0.1",
    "10.0.0.1",
    "192.168.1.1",
    "127.0.0.1.",
    "①②⑦.⓪.⓪.①",
)
PUBLIC: Final = "93.184.216.34"


@dataclass
class Trap:
    """A port of this machine that counts who connects to it."""

    port: int
    connections: int = 0


@pytest.fixture
async def trap() -> AsyncIterator[Trap]:
    """A trap on every local address of IPv4."""
    set_trap = Trap(0)

    def spring(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        set_trap.connections += 1
        writer.close()

    server = await asyncio.start_server(spring, "0.0.0.0", 0)  # noqa: S104 - so that no address is missed
    set_trap.port = server.sockets[0].getsockname()[1]
    yield set_trap
    server.close()


def resolving(*answers: str) -> Any:  # noqa: ANN401 - a stand-in for `getaddrinfo`
    """Return a name server that gives one answer after another, the last one for ever."""
    left = list(answers)

    def resolve(_: str, port: int, *__: object, **___: object) -> list[Any]:
        address = left.pop(0) if len(left) > 1 else left[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        place = (address, port, 0, 0) if ":" in address else (address, port)
        return [(family, socket.SOCK_STREAM, 6, "", place)]

    return resolve


async def outcome_at(url: str, destined: Destinations, log: ProvinceLog) -> str:
    """Send to a URL that nobody judged before; return what came of it."""
    (event,) = registering(url).decide({}, ADMIN, utc_now())
    assert isinstance(event, WebhookRegistered)
    async with Courier(log, destined, origin="log.test", clock=utc_now) as courier:
        return (await courier.knock(Told(webhook=registered(event), facts=()))).reason


@pytest.mark.parametrize("host", INTERNAL)
async def test_internal_address_is_refused_in_every_spelling_and_never_connected_to(
    host: str, trap: Trap, database_url: str, authority: Authority
) -> None:
    async with world(database_url, authority, trap.port, allowed="192.0.2.0/24") as here:
        url = f"https://{host}:{trap.port}/"
        with pytest.raises(Rejection) as raised:
            await here.destined.demand(url)
        assert type(raised.value) is UrlResolvesPrivate or not host.isascii()
        assert await outcome_at(url, here.destined, here.log) in {"address-refused", "unreachable"}
        assert trap.connections == 0


@pytest.mark.parametrize(
    ("url", "refusal"),
    [
        ("http://portal.example.vn/hook", UrlNotHttps),
        ("ftp://portal.example.vn/hook", UrlNotHttps),
        ("//portal.example.vn/hook", UrlNotHttps),
        ("", UrlNotHttps),
        ("https://an:mat-khau@portal.example.vn/hook", UrlHasCredentials),
        ("https://portal.example.vn@127.0.0.1/", UrlHasCredentials),
        ("https://127.0.0.1@portal.example.vn/", UrlHasCredentials),
        ("https://portal.example.vn:22/", PortNotAllowed),
        ("https://portal.example.vn:80/", PortNotAllowed),
        ("https://portal.example.vn:99999/", UrlUnresolvable),
        ("https://[::1/", UrlUnresolvable),
        ("https:///hook", UrlUnresolvable),
        ("https://a b.vn/", UrlUnresolvable),
        ("https://xn--ls8h.la/", UrlUnresolvable),
        ("https://portal.example.vn\\@127.0.0.1/", UrlHasCredentials),
        ("https://portal.example.vn/\r\nx: y", UrlUnresolvable),
    ],
)
async def test_url_that_is_none_to_send_to_is_refused_for_what_it_says(url: str, refusal: type[Rejection]) -> None:
    with pytest.raises(Rejection) as raised:
        await replace(destinations(ports=[443, 8443]), resolver=resolving(PUBLIC)).demand(url)
    assert type(raised.value) is refusal


@pytest.mark.parametrize(
    "url", ["https://portal.example.vn/hook", "https://portal.example.vn:8443/", "https://93.184.216.34/"]
)
async def test_public_destination_is_accepted(url: str) -> None:
    await replace(destinations(ports=[443, 8443]), resolver=resolving(PUBLIC)).demand(url)


async def test_name_is_refused_when_any_of_its_addresses_is_internal() -> None:
    def both(host: str, port: int, *_: object, **__: object) -> list[Any]:
        return [*resolving(PUBLIC)(host, port), *resolving("127.0.0.1")(host, port)]

    with pytest.raises(UrlResolvesPrivate):
        await replace(destinations(ports=[443]), resolver=both).demand("https://portal.example.vn/")


async def test_name_server_that_changes_its_mind_leads_nowhere(
    trap: Trap, database_url: str, authority: Authority
) -> None:
    async with world(database_url, authority, trap.port, allowed="192.0.2.0/24") as here:
        url = f"https://portal.example.vn:{trap.port}/"
        destined = replace(here.destined, resolver=resolving(PUBLIC, "127.0.0.1"))
        await destined.demand(url)
        assert await outcome_at(url, destined, here.log) == "address-refused"
        assert trap.connections == 0


async def test_redirect_to_an_internal_address_is_not_followed(
    trap: Trap, database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        there.answering = lambda _: status(302, f"location: https://127.0.0.1:{trap.port}/")
        assert await outcome_at(there.url, here.destined, here.log) == "redirect"
        assert trap.connections == 0


async def test_name_server_that_does_not_answer_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destinations_module, "RESOLVE_TIMEOUT_S", 0.1)
    silent = asyncio.Event()
    loop = asyncio.get_running_loop()

    def never(*_: object, **__: object) -> list[Any]:
        asyncio.run_coroutine_threadsafe(silent.wait(), loop).result()
        return []

    with pytest.raises(UrlUnresolvable):
        await replace(destinations(ports=[443]), resolver=never).demand("https://portal.example.vn/")
    silent.set()


async def test_proxy_of_the_environment_is_not_used(
    trap: Trap, database_url: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        assert await outcome_at(there.url, here.destined, here.log) == "delivered"
        assert trap.connections == 0


def test_network_that_stands_for_others_is_not_allowed() -> None:
    with pytest.raises(ValueError, match="64:ff9b"):
        destinations(networks=["64:ff9b::/96"], ports=[443])
