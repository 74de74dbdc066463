"""A province whose events are sent: real log, real receivers, a clock that tests move."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from msgspec import UNSET, UnsetType

from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.ids import PersonId, WebhookId
from emulation_saas.kernel.use_cases import UseCase
from emulation_saas.log import ProvinceLog, ProvinceLogs
from emulation_saas.postgres.database import Database, open_database
from emulation_saas.streams.cursors import Cursors
from emulation_saas.webhooks.courier import Courier
from emulation_saas.webhooks.destinations import Destinations, destinations
from emulation_saas.webhooks.events import Mode, Signing
from emulation_saas.webhooks.ledger import Ledger
from emulation_saas.webhooks.places import Place
from emulation_saas.webhooks.schedule import Schedule
from emulation_saas.webhooks.sender import Sender
from emulation_saas.webhooks.standing import Standing, Webhooks
from emulation_saas.webhooks.tries import Means, Rest
from emulation_saas.webhooks.use_cases import ActivateWebhook, RegisterWebhook
from tests.logs import Opened, logs_of, open_province, register
from tests.webhooks.receiving import Authority

HOOK: Final = WebhookId("cong-thong-tin")
ANYBODY: Final = PersonId("p-daodaodao2")
"""Who it acts for does not matter: the administrator."""
FIRST: Final = "khoa-1"
NEXT: Final = "khoa-2"
"""Ids of secrets."""
HELD: Final = timedelta(minutes=10)
ROUNDS_MAX: Final = 200


@dataclass
class Clock:
    """Time as a test has it: the real one, and so much later as it says."""

    later: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        """Return the time."""
        return utc_now() + self.later

    def move(self, **by: float) -> None:
        """Let time pass."""
        self.later += timedelta(**by)


@dataclass
class World:
    """One province and what is needed to send its events."""

    logs: ProvinceLogs
    database: Database
    opened: Opened
    destined: Destinations
    clock: Clock
    means: Means

    @property
    def log(self) -> ProvinceLog:
        """The province's log."""
        return self.opened.log

    @property
    def ledger(self) -> Ledger:
        """The province's ledger."""
        return Ledger(self.database, self.log.province)

    @property
    def cursors(self) -> Cursors:
        """The cursors of the province's webhooks."""
        return Cursors(self.database, self.log.province, "webhook")

    def courier(self, log: ProvinceLog) -> Courier:
        """Return a courier."""
        return Courier(log, self.destined, origin="log.test", clock=self.clock)

    async def do(self, use_case: UseCase[Any]) -> int:
        """Have the administrator do something; return the position."""
        return (await self.log.execute(use_case, by=self.opened.acting())).position

    async def agencies(self, *names: str) -> list[int]:
        """Record an event for each name; return their positions."""
        return [await self.do(register(name)) for name in names]

    async def hook(self, asked: RegisterWebhook, *, is_active: bool = True) -> int:
        """Register a webhook, with its cursor, that has shaken hands or not; return the position it begins after."""
        after = (await self.log.head()).position + 1 + is_active if asked.from_now else asked.after
        acts_for = self.opened.admin if asked.acts_for == ANYBODY else asked.acts_for
        await self.do(replace(asked, after=after, acts_for=acts_for))
        await self.cursors.open(HOOK, position=after)
        if is_active:
            await self.do(ActivateWebhook(webhook=HOOK))
        return after

    @asynccontextmanager
    async def sender(self) -> AsyncGenerator[Sender]:
        """Lend the webhook's sender, as one that has just begun."""
        cursor = await self.cursors.hold(HOOK, self.means.holder, held_for=HELD)
        assert cursor is not None
        async with self.courier(self.log) as courier:
            place = Place(self.cursors, self.means.holder, cursor)
            yield Sender(self.log, place, self.ledger, courier, self.means, HOOK)

    async def send(self) -> Rest:
        """Send until nothing more can be done now; return what is left to wait for."""
        async with self.sender() as sender:
            for _ in range(ROUNDS_MAX):
                rest = await sender.round()
                if rest.until is None or rest.until > self.clock():
                    await sender.place.save()
                    return rest
        raise AssertionError("it never rests")

    async def standing(self) -> Standing:
        """Return how the webhook stands."""
        webhooks = Webhooks(self.database, self.destined, self.courier)
        (found,) = await webhooks.standings(self.log, head=(await self.log.head()).position)
        return found

    async def outcomes(self) -> list[tuple[int, str, int, str]]:
        """Return what became of deliveries, the oldest first."""
        found = await self.ledger.listed(HOOK, ("due", "delivered", "dead"), before=2**40, limit=1000)
        return [(each.position, each.status, each.tries, each.outcome) for each in reversed(found)]


def registering(
    url: str = "https://portal.example.vn/hook",
    *,
    person: PersonId = ANYBODY,
    mode: Mode = "ordered",
    signing: Signing = "ed25519",
    types: tuple[str, ...] = ("agency.*",),
    with_tags: tuple[str, ...] = (),
    after: int | None = None,
    max_rate: int | UnsetType = UNSET,
) -> RegisterWebhook:
    """Return the registration of a webhook."""
    return RegisterWebhook(
        webhook=HOOK,
        url=url,
        acts_for=person,
        types=types,
        with_tags=with_tags,
        mode=mode,
        signing=signing,
        secret=FIRST,
        after=after or 0,
        from_now=after is None,
        max_rate=max_rate,
    )


@asynccontextmanager
async def world(
    url: str,
    authority: Authority,
    port: int,
    *,
    others: Sequence[int] = (),
    schedule: Schedule | None = None,
    allowed: str = "127.0.0.0/8",
) -> AsyncGenerator[World]:
    """Lend a province and what sends its events, to receivers on these ports of this machine."""
    destined = destinations(networks=[allowed], ports=[port, *others], ca=authority.ca)
    clock = Clock()
    async with open_database(url) as database, logs_of(database) as logs:
        means = Means(schedule or Schedule(chance=lambda: 0), clock, uuid4())
        yield World(logs, database, await open_province(logs), destined, clock, means)
