"""How webhooks stand: what was decided about them, how far sending has come, how their receivers have been doing."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.http.refusals import TooManyRequests
from emulation_saas.kernel.ids import ProvinceId, WebhookId
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.log import ProvinceLog
from emulation_saas.postgres.database import Database
from emulation_saas.streams.cursors import Cursors
from emulation_saas.webhooks.courier import Couriers
from emulation_saas.webhooks.destinations import Destinations
from emulation_saas.webhooks.events import EVENTS, Mode, PauseReason, Signing
from emulation_saas.webhooks.ledger import Ledger, Receiver, Waiting
from emulation_saas.webhooks.refusals import NoSuchWebhook
from emulation_saas.webhooks.states import State, Told, told


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook as it stands."""

    webhook: str
    url: str
    person: Annotated[str, Meta(description="Whose powers say which events are sent")]
    types: list[str]
    tags: list[str]
    mode: Mode
    signing: Signing
    max_rate: Annotated[int, Meta(description="Messages a second")] | UnsetType = UNSET
    state: State
    reason: PauseReason | UnsetType = UNSET
    """Why it is paused or stalled."""
    because: str | UnsetType = UNSET
    """In the words of who paused it."""
    cursor: Annotated[int, Meta(ge=0, description="Every event up to here was delivered, set aside or is not sent")]
    lag: Annotated[int, Meta(ge=0, description="Positions of the log after the cursor")]
    set_aside: Annotated[int, Meta(ge=0, description="Events that are to be tried again")]
    dead: Annotated[int, Meta(ge=0, description="Events given up after the last try; they can be redelivered")]
    next_try_at: datetime | UnsetType = UNSET
    succeeded_at: datetime | UnsetType = UNSET
    failed_at: datetime | UnsetType = UNSET
    outcome: Annotated[str, Meta(description="Of the last try")] | UnsetType = UNSET


class Webhooks:
    """What is asked about webhooks, and what is needed to ask their receivers."""

    def __init__(self, database: Database, destinations: Destinations, couriers: Couriers) -> None:
        """Read here, judge URLs so, and ask receivers by these."""
        self._database = database
        self.destinations = destinations
        self.couriers = couriers
        self._asked: set[tuple[ProvinceId, WebhookId]] = set()

    @contextmanager
    def asking(self, log: ProvinceLog, webhook: WebhookId) -> Generator[None]:
        """Ask a receiver while inside: for one request of this process at a time, as it may take long to answer.

        Raises:
            TooManyRequests: it is being asked already.
        """
        asked = log.province, webhook
        if asked in self._asked:
            raise TooManyRequests("the receiver is being asked already")
        self._asked.add(asked)
        try:
            yield
        finally:
            self._asked.discard(asked)

    def ledger(self, log: ProvinceLog) -> Ledger:
        """Return a province's ledger."""
        return Ledger(self._database, log.province)

    async def about(self, log: ProvinceLog, webhook: WebhookId) -> Told:
        """Return what was decided about one webhook.

        Raises:
            NoSuchWebhook: there is none, or it was removed.
        """
        found = told(await log.recorded([Selector(types=EVENTS, tags=[f"webhook:{webhook}"])]))
        if webhook not in found or found[webhook].webhook.is_removed:
            raise NoSuchWebhook
        return found[webhook]

    async def cursor(self, log: ProvinceLog, about: Told) -> int:
        """Return how far sending has come."""
        registered = about.webhook.registered
        found = await Cursors(self._database, log.province, "webhook").find(registered.webhook)
        return registered.after if found is None else found.position

    async def is_over(self, log: ProvinceLog, webhook: WebhookId, position: int) -> bool:
        """Tell whether an event lies behind the cursor of a webhook, and is not to be tried again."""
        if position > await self.cursor(log, await self.about(log, webhook)):
            return False
        delivery = await self.ledger(log).find(webhook, position)
        return delivery is None or delivery.status == "delivered"

    async def standings(self, log: ProvinceLog, *, head: int) -> list[Standing]:
        """Return how all webhooks of a province stand that are there, by handle."""
        every = told(await log.recorded([Selector(types=EVENTS, tags=["webhooks"])]))
        there = {webhook: each for webhook, each in sorted(every.items()) if not each.webhook.is_removed}
        ledger = self.ledger(log)
        cursors = {each.name: each.position for each in await Cursors(self._database, log.province, "webhook").all()}
        receivers, waiting = await ledger.receivers(there.keys()), await ledger.waiting(there.keys())
        return [
            _standing(
                about,
                cursor=cursors.get(webhook, about.webhook.registered.after),
                head=head,
                receiver=receivers.get(webhook, Receiver(webhook)),
                waiting=waiting.get(webhook, Waiting()),
            )
            for webhook, about in there.items()
        ]


def _standing(about: Told, *, cursor: int, head: int, receiver: Receiver, waiting: Waiting) -> Standing:
    webhook, registered, paused = about.webhook, about.webhook.registered, about.webhook.paused
    return Standing(
        webhook=registered.webhook,
        url=registered.url,
        person=registered.acts_for,
        types=registered.types,
        tags=registered.with_tags,
        mode=registered.mode,
        signing=registered.signing,
        max_rate=registered.max_rate,
        state=webhook.state,
        reason=UNSET if paused is None else paused.reason,
        because=UNSET if paused is None or not paused.because else paused.because,
        cursor=cursor,
        lag=max(head - cursor, 0),
        set_aside=waiting.due,
        dead=waiting.dead,
        next_try_at=UNSET if waiting.next_try_at is None or webhook.paused is not None else waiting.next_try_at,
        succeeded_at=receiver.succeeded_at or UNSET,
        failed_at=receiver.failed_at or UNSET,
        outcome=receiver.outcome or UNSET,
    )
