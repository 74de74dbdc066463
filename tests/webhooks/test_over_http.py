"""Webhooks as an integrator meets them: the real service, a real receiver, the stock verifier."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest
from standardwebhooks import Webhook as StockWebhook

from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.database import drop_database, fresh_database
from tests.serving import OPERATOR, opening, served
from tests.webhooks.receiving import Authority, Received, Receiver, receiver, status, willing
from tests.webhooks.verifying import verified_by

PROVINCE: Final = "bac-song"
NOTICED_S: Final = 30.0


@dataclass
class Asked:
    """An administrator of a province on a running service, and a receiver."""

    client: httpx.AsyncClient
    there: Receiver
    person: str

    async def post(self, path: str, expected: int = 201, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """Command something; return the answer."""
        answer = await self.client.post(f"/v1/provinces/{PROVINCE}{path}", json=body)
        assert answer.status_code == expected, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def get(self, path: str) -> dict[str, Any]:
        """Ask something."""
        answer = await self.client.get(f"/v1/provinces/{PROVINCE}{path}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["log-position"] == str(answer.json()["position"])
        told: dict[str, Any] = answer.json()
        return told

    async def register(self, webhook: str, **other: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """Register a webhook of agencies."""
        asked: dict[str, Any] = {
            "webhook": webhook,
            "url": self.there.url,
            "person": self.person,
            "types": ["agency.*"],
            **other,
        }
        return await self.post("/webhooks", **asked)

    async def agency(self, name: str) -> int:
        """Record an event that is sent."""
        told = await self.post("/agencies", agency=name, name=name, aliases=[], effective_on="2020-01-01")
        position: int = told["position"]
        return position

    async def until(self, **wanted: object) -> dict[str, Any]:
        """Wait until a webhook stands so."""
        async with asyncio.timeout(NOTICED_S):
            while True:
                standing = await self.get("/webhooks/cong")
                if all(standing.get(name) == value for name, value in wanted.items()):
                    return standing
                await asyncio.sleep(0.1)


@pytest.fixture
async def asked(
    server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> AsyncIterator[Asked]:
    """A service with a province and a receiver."""
    url = await fresh_database(server)
    async with receiver(authority) as there:
        settings = {"EMULATION_WEBHOOK_PORTS": f"[{there.port}]", "EMULATION_WEBHOOK_CA": str(authority.ca)}
        with served(tmp_path_factory.mktemp("hooks"), workers=2, database_url=url, settings=settings) as service:
            async with httpx.AsyncClient(base_url=service.url, timeout=30, trust_env=False) as client:
                opened = await client.post("/v1/provinces", json=opening(PROVINCE), headers=service.token(OPERATOR))
                client.headers.update(service.token(f"admin@{PROVINCE}"))
                yield Asked(client, there, opened.json()["events"][2]["data"]["person"])
    await drop_database(server, url)


def failing_on_events(request: Received) -> bytes:
    return status(500) if request.position else willing(request)


async def test_webhook_is_registered_shakes_hands_and_is_sent_what_happens(asked: Asked) -> None:
    told = await asked.register("cong", signing="hmac")
    secret = told["secret"]
    assert secret.startswith("whsec_")
    assert secret not in str(told["events"])
    await asked.until(state="active")
    position = await asked.agency("so-a")
    standing = await asked.until(lag=0, outcome="delivered")
    assert standing["cursor"] >= position
    assert asked.there.positions == [position]
    sent = asked.there.received[-1]
    event: Any = StockWebhook(secret).verify(sent.body, sent.headers)
    assert event["type"] == "agency.registered.v1"
    deliveries = await asked.get("/webhooks/cong/deliveries?status=delivered")
    assert [(each["event"], each["tries"]) for each in deliveries["deliveries"]] == [(position, 1)]


async def test_rate_is_a_number_of_messages_a_second(asked: Asked) -> None:
    for wrong in (0, -1, 1_001, "5", None):
        refused = await asked.post("/webhooks", 422, webhook="x", url=asked.there.url, person="p-x", max_rate=wrong)
        assert refused["code"] == "malformed-body", refused
        assert [error["pointer"] for error in refused["errors"]] == ["/max_rate"], refused
    await asked.register("cong", max_rate=5)
    assert (await asked.get("/webhooks/cong"))["max_rate"] == 5


async def test_receiver_is_asked_by_one_request_of_a_process_at_a_time(asked: Asked) -> None:
    asked.there.answering = lambda _: status(503)
    await asked.register("cong", mode="ordered")
    asked.there.pause_s = 1.0
    path = f"/v1/provinces/{PROVINCE}/webhooks/cong/handshake"
    answers = await asyncio.gather(*(asked.client.post(path, json={}) for _ in range(3)))  # of two processes
    assert {answer.json()["code"] for answer in answers} == {"handshake-failed", "too-many-requests"}


async def test_everything_about_a_webhook_can_be_commanded_and_read(asked: Asked) -> None:
    asked.there.answering = lambda _: status(503)
    told = await asked.register("cong", mode="ordered")
    assert "secret" not in told
    refused = await asked.post("/webhooks/cong/handshake", 409)
    assert (refused["code"], refused["detail"]) == ("handshake-failed", "status-503")
    asked.there.answering = failing_on_events
    await asked.post("/webhooks/cong/handshake")
    bad = await asked.agency("so-a")
    standing = await asked.until(outcome="status-500")
    assert (standing["state"], standing["set_aside"]) == ("active", 1)
    assert standing["cursor"] < bad
    assert "next_try_at" in standing
    await asked.post("/webhooks/cong/skip", position=bad, because="hỏng")
    await asked.until(set_aside=0, lag=0)
    assert (await asked.post("/webhooks/cong/skip", 409, position=bad - 1, because="x"))["code"] == "event-over"
    assert (await asked.post("/webhooks/cong/skip", position=bad, because="hỏng"))["events"] == []
    ahead = await asked.post("/webhooks/cong/skip", 422, position=2**40, because="x")
    assert ahead["code"] == "cursor-beyond-head"
    await asked.post("/webhooks/cong/pause", because="bảo trì")
    asked.there.answering = willing
    missed = await asked.agency("so-b")
    paused = await asked.until(state="paused", reason="asked", because="bảo trì")
    assert paused["lag"] > 0
    await asked.post("/webhooks/cong/resume", **{"from": 1})
    await asked.until(state="active", lag=0)
    assert asked.there.positions[-1] == missed
    await asked.post("/webhooks/cong/redeliver", **{"from": 1, "to": missed})
    await asked.until(set_aside=0, lag=0)
    (listed,) = (await asked.get("/webhooks"))["webhooks"]
    assert listed["url"] == asked.there.url
    key = (await asked.get("/webhook-keys"))["keys"][0]
    assert verified_by(key, asked.there.received[-1])
    page = await asked.get("/webhooks/cong/deliveries?limit=1")
    assert len(page["deliveries"]) == 1
    await asked.post("/webhooks/cong/remove", because="thôi")
    assert (await asked.get("/webhooks"))["webhooks"] == []
    gone = await asked.client.get(f"/v1/provinces/{PROVINCE}/webhooks/cong")
    assert gone.json()["code"] == "no-such-webhook"


async def test_secret_is_told_in_the_answer_that_made_it_and_its_repetition_by_key(asked: Asked) -> None:
    body = {"webhook": "cong", "url": asked.there.url, "person": asked.person, "signing": "hmac"}
    url, key = f"/v1/provinces/{PROVINCE}/webhooks", {"idempotency-key": "mot"}
    first = (await asked.client.post(url, json=body, headers=key)).json()
    assert (await asked.client.post(url, json=body, headers=key)).json() == first
    again = (await asked.client.post(url, json=body)).json()
    assert (again["events"], "secret" in again) == ([], False)
    rotated = await asked.post("/webhooks/cong/rotate-secret")
    assert rotated["secret"] not in {first["secret"], None}
    assert "whsec_" not in (await asked.client.get(url)).text


REFUSED: Final[tuple[tuple[dict[str, Any], int, str], ...]] = (
    ({"url": "http://portal.example.vn/"}, 422, "url-not-https"),
    ({"url": "https://a:b@127.0.0.1/"}, 422, "url-has-credentials"),
    ({"url": "https://127.0.0.1:1/"}, 422, "port-not-allowed"),
    ({"url": "https://10.0.0.1:{port}/"}, 422, "url-resolves-private"),
    ({"url": "https://[::1:{port}/"}, 422, "url-unresolvable"),
    ({"person": "p-zzzzzzzzzz"}, 409, "person-without-role"),
    ({"after": 10_000}, 422, "cursor-beyond-head"),
    ({"types": ["Not A Type"]}, 422, "malformed-body"),
)


async def test_registration_that_cannot_be_is_refused_by_its_code(asked: Asked) -> None:
    for changes, expected, code in REFUSED:
        body = {"webhook": "cong", "url": asked.there.url, "person": asked.person, **changes}
        body["url"] = body["url"].replace("{port}", str(asked.there.port))
        assert (await asked.post("/webhooks", expected, **body))["code"] == code
