"""Clients that never give up: each repeats an unanswered command with its key until it has an answer."""

import asyncio
import base64
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final, Literal

import httpx
import msgspec

from emulation_saas.kernel.cancelling import end
from emulation_saas.log import Accepted
from tests.faults.ledger import Ledger
from tests.serving import OPERATOR, Served, opening

PROVINCE: Final = "bac-song"
ADMIN: Final = f"admin@{PROVINCE}"
PATIENCE_S: Final = 90.0
"""How long one command may stay unanswered before the experiment fails."""
ANSWER_S: Final = 20.0
"""Within which every request is answered or its connection lost, whatever was killed."""
ABANDONED: Final = 0.03
"""Share of requests whose caller goes away before the answer."""
OPENINGS_EVERY, OPENINGS_TURN = 25, 21
REPEATED_MAX: Final = 200
"""How many commands are sent again at the end."""
WITNESSED_EVERY_S: Final = 0.5

Behaviour = Literal["right", "keyless", "credulous"]
"""How clients act. Those that are not right must be caught: `keyless` ones send no keys, so that what is repeated may
happen twice; `credulous` ones take every answer for `done`, so that what was refused is lost."""


class WrongAnswerError(Exception):
    """A command got an answer that no fault explains."""


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
    behaviour: Behaviour = "right"
    url: str = ""
    """Where to ask; by default the service itself."""
    abandoned: float = ABANDONED
    answer_s: float = ANSWER_S
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    tokens: dict[str, dict[str, str]] = field(default_factory=dict)
    acknowledged: int = 0
    gap_max_s: float = 0.0
    stopping: bool = False
    going: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while new commands are begun."""
    _last_s: float = 0.0

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
        return self.ledgers.setdefault(province, Ledger(province, is_keyed=self.behaviour != "keyless"))

    async def more(self, answers: int, *, seconds: float = PATIENCE_S) -> None:
        """Wait until so many more commands were answered."""
        wanted = self.acknowledged + answers
        async with asyncio.timeout(seconds):
            while self.acknowledged < wanted:  # noqa: ASYNC110 - looked at from time to time is enough
                await asyncio.sleep(0.005)

    def pause(self) -> None:
        """Begin no new command until `go_on`; the pause is no gap."""
        self.going.clear()

    def go_on(self) -> None:
        """Begin new commands again."""
        self._last_s = 0.0
        self.going.set()

    def connected(self) -> httpx.AsyncClient:
        """Return one client's connections."""
        return httpx.AsyncClient(base_url=self.url or self.service.url, timeout=self.answer_s, trust_env=False)

    async def client(self, number: int) -> None:
        """Send one command after another until told to stop."""
        async with self.connected() as client:
            for turn in range(1_000_000):
                await self.going.wait()
                if self.stopping:
                    return
                await self.settle(client, order(number, turn))

    async def settle(self, client: httpx.AsyncClient, wanted: Order) -> bytes:
        """Send a command until it is answered; anything but success or `ask again` is a fault. Return the answer."""
        ledger = self.ledger(wanted.province)
        if wanted.key not in ledger.sent:
            ledger.send(wanted.key, wanted.about)
            self.orders.append(wanted)
        until_s = monotonic() + PATIENCE_S
        while (answer := await self.ask(client, wanted)) is None:
            assert monotonic() < until_s, f"{wanted.key} was not answered in {PATIENCE_S:.0f} s"
            ledger.retried += 1
            await asyncio.sleep(0.02)
        accepted = msgspec.json.decode(answer, type=Accepted)
        events = b",".join(bytes(event) for event in accepted.events)
        assert answer == b'{"events":[%b],"position":%d}' % (events, accepted.position)
        ledger.answered(wanted.key, accepted)
        now_s = monotonic()
        self.gap_max_s = max(self.gap_max_s, now_s - (self._last_s or now_s))
        self.acknowledged, self._last_s = self.acknowledged + 1, now_s
        return answer

    async def repeat(self) -> None:
        """Send some of the commands once more with their keys: the ledger notes an answer that is not the same."""
        async with self.connected() as client:
            for wanted in self.rng.sample(self.orders, min(len(self.orders), REPEATED_MAX)):
                await self.settle(client, wanted)

    async def ask(self, client: httpx.AsyncClient, wanted: Order) -> bytes | None:
        """Ask once: the answer's bytes, or None when nobody knows what became of it."""
        url = wanted.path if wanted.caller == OPERATOR else f"/v1/provinces/{wanted.province}{wanted.path}"
        headers = self.authorization(wanted.caller)
        if self.behaviour != "keyless":
            headers = {**headers, "idempotency-key": wanted.key}
        asking = client.post(url, json=wanted.body, headers=headers)
        unknown = b'{"events":[],"position":1}' if self.behaviour == "credulous" else None
        try:
            if self.rng.random() < self.abandoned:
                answer = await asyncio.wait_for(asking, self.rng.uniform(0, 0.01))
            else:
                answer = await asking
        except httpx.TimeoutException:
            if self.behaviour == "right":  # else the mutant would be caught for the wrong reason
                raise WrongAnswerError(f"{wanted.key} hung for {self.answer_s:.0f} s") from None
            return unknown
        except (httpx.NetworkError, httpx.ProtocolError, TimeoutError):
            return unknown
        if answer.status_code == 503:
            assert "retry-after" in answer.headers
            return unknown
        if answer.status_code != 201:
            raise WrongAnswerError(f"{wanted.key}: {answer.status_code} {answer.text}")
        return answer.content

    async def witness(self) -> None:
        """Take a signed checkpoint now and then, until cancelled, as an auditor would."""
        async with self.connected() as client:
            while True:
                await self.going.wait()
                try:
                    told = await client.get(
                        f"/v1/provinces/{PROVINCE}/log/checkpoint", headers=self.authorization(ADMIN)
                    )
                except (httpx.NetworkError, httpx.ProtocolError, httpx.TimeoutException):
                    continue
                finally:
                    await asyncio.sleep(WITNESSED_EVERY_S)
                if told.status_code == 200:
                    _, size, root, *_ = told.text.split("\n")
                    self.ledger(PROVINCE).seen(int(size), base64.b64decode(root))


def open_order(province: str) -> Order:
    """Return the opening of a province."""
    return Order(province, f"open-{province}", "", "/v1/provinces", OPERATOR, opening(province))


def person_of(client: int) -> str:
    """Return the id of the person to whom a client gives roles and takes them away."""
    return "p-" + f"{client:010}".translate(str.maketrans("0123456789", "abcdefghij"))


def order(client: int, turn: int) -> Order:
    """Return a client's command of a turn: new facts, sealed ones, some that stand already, some to and fro, openings.

    To and fro: a role is granted and revoked in turns. An old grant that came again after its revocation would take
    effect, if its key did not say that it is old.
    """
    name = f"c{client}-{turn}"
    agency = f"c{client}-{turn - turn % 5}"
    registered = {"agency": agency, "name": f"Sở {agency}", "effective_on": "2020-01-01"}
    person = {"issuer": "https://id.example", "sub": name, "name": f"Nguyễn Thị {name}"}
    if turn == 0:
        return Order(PROVINCE, name, person_of(client), "/persons", ADMIN, {**person, "person": person_of(client)})
    if turn % OPENINGS_EVERY == OPENINGS_TURN:
        return open_order(f"tinh-{name}")
    match turn % 5:
        case 0 | 1:  # the second changes nothing, and its answer says so
            return Order(PROVINCE, name, "" if turn % 5 and turn > 1 else agency, "/agencies", ADMIN, registered)
        case 2:  # the person's id and key are made before it is decided
            return Order(PROVINCE, name, "access.person-registered.v1", "/persons", ADMIN, person)
        case 3:
            return Order(PROVINCE, name, name, f"/agencies/{agency}/aliases", ADMIN, {"alias": name})
        case _:
            granted = turn // 5 % 2 == 0
            role = {"person": person_of(client), "role": "integrator"}
            about = "access.role-granted.v1" if granted else "access.role-revoked.v1"
            return Order(PROVINCE, name, about, "/roles" if granted else "/roles/revoke", ADMIN, role)


@asynccontextmanager
async def under_load(load: Load, clients: int) -> AsyncGenerator[None]:
    """Open the province, and have clients at work while inside; at the end they finish what they have begun."""
    async with load.connected() as client:
        await load.settle(client, open_order(PROVINCE))
    load.go_on()
    witness = asyncio.create_task(load.witness())
    try:
        async with asyncio.TaskGroup() as tasks:
            for number in range(clients):
                tasks.create_task(load.client(number))
            try:
                yield
            finally:
                load.stopping = True
                load.going.set()
    finally:
        await end([witness])
