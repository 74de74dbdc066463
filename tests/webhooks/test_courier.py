"""One message to one receiver: how it is signed, what is made of any answer, what is never connected to."""

import asyncio
import gzip
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx
import pytest
from standardwebhooks import Webhook as StockWebhook

from emulation_saas.webhooks import courier as courier_module
from emulation_saas.webhooks.destinations import Destinations, destinations
from emulation_saas.webhooks.signing import KeyPair, key_pair_of, secret_of
from emulation_saas.webhooks.use_cases import RotateSecret
from tests.webhooks.receiving import OK, Authority, receiver, status, willing
from tests.webhooks.sending import FIRST, HOOK, NEXT, registering, world
from tests.webhooks.verifying import verified_by


async def test_stock_package_verifies_what_is_signed_by_a_secret(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url, signing="hmac"))
        (position,) = await here.agencies("so-a")
        await here.send()
        (sent,) = there.received
        secret = await secret_of(here.log, FIRST)
        told: Any = StockWebhook(str(secret)).verify(sent.body, sent.headers)
        assert told["id"] == str(position)
        assert sent.headers["webhook-id"] == f"msg_bac-song_{position}"


async def test_public_key_verifies_what_the_province_signs(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        await here.agencies("so-a")
        await here.send()
        (sent,) = there.received
        assert verified_by((await key_pair_of(here.log)).public, sent)
        assert not verified_by(KeyPair(bytes(32)).public, sent)
        assert not verified_by((await key_pair_of(here.log)).public, replace(sent, body=sent.body + b" "))


async def test_two_secrets_sign_for_a_day_after_a_rotation(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url, signing="hmac"))
        await here.do(RotateSecret(webhook=HOOK, secret=NEXT))
        old, new = [str(await secret_of(here.log, secret)) for secret in (FIRST, NEXT)]
        assert old != new
        await here.agencies("so-a")
        await here.send()
        for secret in (old, new):
            StockWebhook(secret).verify(there.received[0].body, there.received[0].headers)
        here.clock.move(hours=23, minutes=58)
        await here.agencies("so-b")
        await here.send()
        assert there.received[1].headers["webhook-signature"].count("v1,") == 2
        here.clock.move(minutes=3)
        await here.agencies("so-c")
        await here.send()
        assert there.received[2].headers["webhook-signature"].count("v1,") == 1


ANSWERS: Final = {
    "status-400": status(400),
    "status-500": status(500),
    "redirect": status(301, "location: https://127.0.0.1:1/"),
    "unreachable": b"SPAM\r\n\r\n",
}
NO_NAME: Final = status(302, "location: https://xn--a/")
"""What the client says of it is no error of HTTP."""


@pytest.mark.parametrize(("reason", "answer"), [*ANSWERS.items(), ("unreachable", NO_NAME)])
async def test_answer_that_is_none_of_success_is_a_failure(
    reason: str, answer: bytes, database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        await here.agencies("so-a")
        there.answering = lambda _: answer
        await here.send()
        assert [outcome for _, _, _, outcome in await here.outcomes()] == [reason]


async def test_cookies_of_a_receiver_are_not_kept(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        await here.agencies("so-a", "so-b")
        there.answering = lambda _: status(200, "set-cookie: a=b")
        await here.send()
        assert ["cookie" in request.headers for request in there.received] == [False, False]


async def test_receiver_that_hangs_up_cannot_be_reached(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        await here.agencies("so-a")
        there.answering = lambda _: None
        await here.send()
        assert (await here.standing()).outcome == "unreachable"


async def test_receiver_whose_certificate_nobody_vouches_for_is_sent_nothing(
    database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        here.destined = destinations(networks=["127.0.0.0/8"], ports=[there.port])
        await here.hook(registering(there.url))
        await here.agencies("so-a")
        await here.send()
        assert (await here.standing()).outcome == "tls-refused"
        assert there.received == []


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_answer_without_end_is_cut_off_and_a_success_all_the_same(
    encoding: str, database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        await here.agencies("so-a")
        body = gzip.compress(bytes(100_000_000)) if encoding == "gzip" else bytes(20_000_000)
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\ncontent-encoding: {encoding}\r\n\r\n"
        there.answering = lambda _: head.encode() + body
        await here.send()
        assert (await here.standing()).outcome == "delivered"


async def test_receiver_that_drips_is_given_so_long_as_a_whole(
    database_url: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier_module, "TRY_TIMEOUT_S", 0.5)
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        await here.agencies("so-a")
        there.is_dripping = True
        async with asyncio.timeout(15):
            await here.send()
        assert (await here.standing()).outcome == "timeout"


async def test_handshake_passes_by_what_the_receiver_allows(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url), is_active=False)
        (position,) = await here.agencies("so-a")
        there.answering = lambda request: (
            status(200, "webhook-allowed-origin: khac.vn") if request.method == "OPTIONS" else status(401)
        )
        await here.send()
        assert [each.method for each in there.received] == ["OPTIONS", "POST"]
        assert there.received[0].headers["webhook-request-origin"] == "log.test"
        assert (await here.standing()).state == "pending"
        there.answering = willing
        await here.send()
        assert len(there.received) == 2
        here.clock.move(seconds=5)
        await here.send()
        assert (await here.standing()).state == "active"
        assert [each.method for each in there.received[2:]] == ["OPTIONS", "POST"]
        assert there.positions == [position]


async def test_handshake_passes_by_accepting_a_signed_test(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url), is_active=False)
        there.answering = lambda request: status(405) if request.method == "OPTIONS" else OK
        await here.send()
        assert (await here.standing()).state == "active"
        (_, test) = there.received
        assert verified_by((await key_pair_of(here.log)).public, test)
        assert b'"type":"webhook.test.v1"' in test.body


class Breaking(httpx.AsyncBaseTransport):
    """A connection that answers nothing, and breaks while it is closed."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            await asyncio.Event().wait()
        finally:
            raise httpx.ReadError("", request=request)


@dataclass(frozen=True)
class Broken(Destinations):
    """Every receiver is behind such a connection."""

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=Breaking())


async def test_courier_who_is_told_to_stop_stops_though_the_connection_breaks(
    database_url: str, authority: Authority
) -> None:
    async with world(database_url, authority, 1) as here:
        await here.hook(registering("https://127.0.0.1:1/"))
        broken = replace(here, destined=Broken(here.destined.policy, here.destined.trusted))
        await here.agencies("so-a")
        sending = asyncio.create_task(broken.send())
        await asyncio.sleep(0.5)
        assert not sending.done()
        sending.cancel()
        await asyncio.wait([sending], timeout=5)
        assert sending.cancelled()
