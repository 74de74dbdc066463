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
from tests.webhooks.receiving import Authority, Receiver, receiver

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
        asked = {"webhook": webhook, "url": self.there.url, "person": self.person, "types": ["agency.*"], **other}
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
            print(service.output()[-6000:])
    await drop_database(server, url)


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
