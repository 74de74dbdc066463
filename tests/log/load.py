"""Clients that never give up: each repeats an unanswered command with its key until it has an answer."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import httpx
import msgspec

from emulation_saas.log import Accepted
from tests.log.ledger import Ledger
from tests.serving import OPERATOR, Served, opening

PROVINCE: Final = "bac-song"
PATIENCE_S: Final = 60.0
"""How long one command may stay unanswered before the test fails."""
ANSWER_S: Final = 20.0
"""Within which every request is answered or its connection lost, whatever was killed."""
ABANDONED: Final = 0.03
"""Share of requests whose caller goes away before the answer."""
OPENINGS_EVERY: Final = 25


@dataclass(frozen=True)
class Order:
    """A command over HTTP: in which province, to which path, by whom, with which body."""

    province: str
    key: str
    about: str
    path: str
    caller: str
    body: dict[str, Any]


@dataclass
class Load:
    """What all clients share: the service, the ledgers, and whether to go on."""

    service: Served
    rng: random.Random
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    tokens: dict[str, dict[str, str]] = field(default_factory=dict)
    acknowledged: int = 0
    last_at: float = 0.0
    gap_max_s: float = 0.0
    stopping: bool = False

    @property
    def retried(self) -> int:
        """How often a command was sent again."""
        return sum(ledger.retried for ledger in self.ledgers.values())

    def authorization(self, caller: str) -> dict[str, str]:
        """Return the header of a caller."""
        if caller not in self.tokens:
            self.tokens[caller] = self.service.token(caller)
        return self.tokens[caller]

    def ledger(self, province: str) -> Ledger:
        """Return the ledger of a province."""
        return self.ledgers.setdefault(province, Ledger(province))

    async def more(self, answers: int, *, seconds: float = PATIENCE_S) -> None:
        """Wait until so many more commands were answered."""
        wanted = self.acknowledged + answers
        async with asyncio.timeout(seconds):
            while self.acknowledged < wanted:  # noqa: ASYNC110 - looked at from time to time is enough
                await asyncio.sleep(0.005)

    async def open(self, province: str = PROVINCE) -> None:
        """Open a province, as a command like any other."""
        async with httpx.AsyncClient(base_url=self.service.url, trust_env=False) as client:
            await self.settle(client, open_order(province))

    async def client(self, number: int) -> None:
        """Send one command after another until told to stop."""
        async with httpx.AsyncClient(base_url=self.service.url, timeout=ANSWER_S, trust_env=False) as client:
            for turn in range(1_000_000):
                if self.stopping:
                    return
                await self.settle(client, order(number, turn))

    async def settle(self, client: httpx.AsyncClient, wanted: Order) -> None:
        """Send a command until it is answered; anything but success or `ask again` is a fault."""
        ledger = self.ledger(wanted.province)
        ledger.send(wanted.key, wanted.about)
        url = wanted.path if wanted.caller == OPERATOR else f"/v1/provinces/{wanted.province}{wanted.path}"
        until = monotonic() + PATIENCE_S
        while (answer := await self._ask(client, url, wanted)) is None:
            assert monotonic() < until, f"{wanted.key} was not answered in {PATIENCE_S:.0f} s"
            ledger.retried += 1
            await asyncio.sleep(0.02)
        accepted = msgspec.json.decode(answer, type=Accepted)
        events = b",".join(bytes(event) for event in accepted.events)
        assert answer == b'{"events":[%b],"position":%d}' % (events, accepted.position)
        ledger.answered(wanted.key, accepted)
        now = monotonic()
        self.gap_max_s = max(self.gap_max_s, now - (self.last_at or now))
        self.acknowledged, self.last_at = self.acknowledged + 1, now

    async def _ask(self, client: httpx.AsyncClient, url: str, wanted: Order) -> bytes | None:
        """Ask once: the answer's bytes, or None when nobody knows what became of it."""
        headers = {**self.authorization(wanted.caller), "idempotency-key": wanted.key}
        asking = client.post(url, json=wanted.body, headers=headers)
        try:
            if self.rng.random() < ABANDONED:
                answer = await asyncio.wait_for(asking, self.rng.uniform(0, 0.01))
            else:
                answer = await asking
        except (httpx.NetworkError, httpx.ProtocolError, TimeoutError):  # a request that hangs is a fault: ReadTimeout
            return None
        if answer.status_code == 503:
            assert "retry-after" in answer.headers
            return None
        assert answer.status_code == 201, (wanted, answer.status_code, answer.text)
        return answer.content


def open_order(province: str) -> Order:
    """Return the opening of a province."""
    return Order(province, f"open-{province}", "", "/v1/provinces", OPERATOR, opening(province))


def order(client: int, turn: int) -> Order:
    """Return a client's command of a turn: new facts, sealed ones, some that stand already, openings."""
    name, admin = f"c{client}-{turn}", f"admin@{PROVINCE}"
    agency = f"c{client}-{turn - turn % 5}"
    registered = {"agency": agency, "name": f"Sở {agency}", "effective_on": "2020-01-01"}
    if turn % OPENINGS_EVERY == OPENINGS_EVERY - 1:
        return open_order(f"tinh-{name}")
    match turn % 5:
        case 0 | 1:  # the second changes nothing, and its answer says so
            return Order(PROVINCE, name, agency if turn % 5 == 0 else "", "/agencies", admin, registered)
        case 2:  # the person's id and key are made before it is decided
            person = {"issuer": "https://id.example", "sub": name, "name": f"Nguyễn Thị {name}"}
            return Order(PROVINCE, name, "access.person-registered.v1", "/persons", admin, person)
        case _:
            return Order(PROVINCE, name, name, f"/agencies/{agency}/aliases", admin, {"alias": name})


async def under_load(load: Load, clients: int, disturb: Callable[[], Awaitable[None]]) -> None:
    """Disturb the service while clients are at work; return when the last command is answered."""
    async with asyncio.TaskGroup() as tasks:
        for number in range(clients):
            tasks.create_task(load.client(number))
        try:
            await disturb()
        finally:
            load.stopping = True
