"""Sends the events of one webhook, round by round, as the holder of its cursor.

::

    round   what was decided about it    resumed from, redelivered, skipped: done once, in order
            pending?                     the handshake, on the schedule of deliveries
            set aside, and due again     each by itself
            what follows the cursor      ordered: one after another, and none passes one that failed
                                         independent: several at a time; what fails is set aside

The cursor moves once what lies before it was delivered, was set aside, or is not to be sent. What was sent just before
a crash is sent again.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from msgspec import UNSET

from emulation_saas.http.refusals import Busy
from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.kernel.ids import OPERATOR, WebhookId
from emulation_saas.kernel.use_cases import Acting, Selector
from emulation_saas.log import Entry, ProvinceLog
from emulation_saas.log.reading import NO_LIMIT
from emulation_saas.streams.pages import Page, filled, read_page
from emulation_saas.streams.sights import Selection, Sight
from emulation_saas.webhooks.courier import GONE, Courier
from emulation_saas.webhooks.events import (
    EVENTS,
    PauseReason,
    WebhookActivated,
    WebhookEventSkipped,
    WebhookRedelivered,
    WebhookRegistered,
    WebhookResumed,
)
from emulation_saas.webhooks.ledger import HANDSHAKE, Delivery, Ledger, Receiver, Waiting
from emulation_saas.webhooks.places import SAVE_EVERY_S, Place
from emulation_saas.webhooks.states import Told, told
from emulation_saas.webhooks.tries import Means, Rest, set_aside
from emulation_saas.webhooks.use_cases import ActivateWebhook, PauseWebhook

IN_FLIGHT_MAX: Final = 8
"""Messages that an independent webhook's receiver is sent at a time."""
SET_ASIDE_MAX: Final = 10_000
"""Events of an independent webhook that wait to be tried again; at so many, its cursor waits for them."""
FAILING_DAYS_MAX: Final = 5
"""Days of nothing but failures, after which a webhook is paused."""
_PAGE: Final = 64
_ROUND_S: Final = 2.0
"""After so long a round ends: what was decided about the webhook meanwhile, and its powers, are looked at again."""


@dataclass
class Sender:
    """One webhook's sender in the process that holds its cursor."""

    log: ProvinceLog
    place: Place
    ledger: Ledger
    courier: Courier
    means: Means
    webhook: WebhookId
    _told: Told | None = None
    _receiver: Receiver | None = None
    _next_s: float = 0
    """When the next message may be sent, where there is a rate."""
    _alone_until: datetime | None = None
    """When the receiver wants to be asked again, if it has said so."""
    is_stale: bool = True
    """Whether something new was decided about the webhook."""

    async def round(self, fresh: Sequence[Entry] = ()) -> Rest:
        """Do what can be done now; return what to wait for.

        Args:
            fresh: what follows its position, where that is known already.

        Raises:
            CursorLostError: another process sends for it by now.
            LogGapError: a position is missing in the log.
            Busy: a later release recorded what is to be sent next.
        """
        about = await self._newest()
        match about.webhook.state:
            case "pending":
                return await self._knock(about)
            case "active":
                return await self._send(about, fresh)
            case _:
                return Rest()

    async def _newest(self) -> Told:
        """Return what was decided about it, once all that it asks for is done."""
        if self._told is None or self.is_stale:
            self.is_stale = False
            facts = await self._decided(after=0)
            self._told = told(facts)[self.webhook]
            receivers = await self.ledger.receivers([self.webhook])
            self._receiver = receivers.get(self.webhook, Receiver(self.webhook))
            for fact in facts:
                if fact.position > self._receiver.obeyed:
                    await self._obey(fact.event)
            if facts[-1].position > self._receiver.obeyed:
                await self.ledger.obeyed(self.webhook, facts[-1].position)
        return self._told

    async def _decided(self, *, after: int) -> list[AnyRecorded]:
        return await self.log.recorded([Selector(types=EVENTS, tags=[f"webhook:{self.webhook}"])], after=after)

    async def _is_decided_anew(self, about: Told) -> bool:
        """Tell whether something was decided about it meanwhile: what was recorded after a pause is not sent."""
        self.is_stale |= bool(await self._decided(after=about.facts[-1].position))
        return self.is_stale

    async def _obey(self, decided: object) -> None:
        """Do what an event about the webhook asks for; done twice after a crash, it has some events sent twice."""
        match decided:
            case WebhookActivated():
                await self.ledger.give_up(self.webhook, HANDSHAKE, HANDSHAKE)  # whoever shook hands
                await self.ledger.forgive(self.webhook)
            case WebhookResumed(first=first):
                if isinstance(first, int):  # what it stopped at, and what is sent again anyhow
                    await self.ledger.give_up(self.webhook, min(first, self.place.at + 1), NO_LIMIT)
                    self.place.at = first - 1
                    await self.place.save()
                await self.ledger.retry_now(self.webhook, now=self.means.clock())
                self._alone_until = None
            case WebhookRedelivered(first=first, last=last):
                span = range(first, min(last, self.place.at) + 1)
                again = [set_aside(position, 0, "asked", self.means.clock()) for position in span]
                await self.ledger.record(self.webhook, again, at=None)
            case WebhookEventSkipped(position=position):
                await self.ledger.give_up(self.webhook, position, position)
            case _:
                return

    async def _knock(self, about: Told) -> Rest:
        """Try the handshake, if it is time."""
        before = await self.ledger.find(self.webhook, HANDSHAKE)
        now = self.means.clock()
        if before is not None and (before.next_try_at is None or before.next_try_at > now):
            return Rest(before.next_try_at)
        outcome = await self.courier.knock(about)
        tried = self.means.judged(HANDSHAKE, 0 if before is None else before.tries, outcome)
        await self.ledger.record(self.webhook, [tried], at=now)
        if outcome.is_delivered:
            await self.log.execute(ActivateWebhook(webhook=self.webhook), by=Acting(OPERATOR))
            self.is_stale = True
            return Rest(now)
        return Rest(tried.next_try_at)

    async def _send(self, about: Told, fresh: Sequence[Entry]) -> Rest:
        registered = about.webhook.registered
        may = await self.log.authority(registered.acts_for, is_newest=True)
        if not may.known:
            return await self._pause("powerless")
        sight = Sight(self.log, may, Selection(types=registered.types, tags=registered.with_tags))
        if alone := self._left_alone():
            return alone
        ordered = registered.mode == "ordered"
        if again := await self._send_due(about, sight, 1 if ordered else _in_flight(registered)):
            return again
        if not ordered and (waiting := await self._waiting()).due >= SET_ASIDE_MAX:
            return Rest(waiting.next_try_at)
        page = await self._next_page(sight, fresh)
        if page.entries and await self._is_decided_anew(about):
            return Rest(self.means.clock())
        began_at = self.place.at
        wanted = [entry for entry in page.entries if entry.position not in about.webhook.skipped]
        stopped = await (self._send_ordered if ordered else self._send_independent)(about, wanted)
        rest = stopped or await self._rest_after(page)
        if began_at // _PAGE != self.place.at // _PAGE:
            await self.ledger.forget_old(self.webhook, cursor=self.place.at)
        return rest

    def _left_alone(self) -> Rest | None:
        """Return what to wait for while the receiver wants to be sent nothing."""
        if self._alone_until is None or self._alone_until <= self.means.clock():
            return None
        return Rest(self._alone_until)

    async def _next_page(self, sight: Sight, fresh: Sequence[Entry]) -> Page:
        after = self.place.at
        if fresh and fresh[0].position == after + 1:
            return filled(Page([], after, fresh[-1].position), fresh, sight, limit=len(fresh))
        return await read_page(self.log, sight, after=after, limit=_PAGE)

    async def _rest_after(self, page: Page) -> Rest:
        """Return what to wait for once a page is over."""
        self.place.at = max(self.place.at, page.scanned_to)
        is_saved = await self.place.save(at_once=False)
        if page.scanned_to < page.head:
            return Rest(self.means.clock())
        rest = Rest((await self._waiting()).next_try_at, for_news=True)  # that of what has failed just now as well
        if not is_saved:
            soon = self.means.clock() + timedelta(seconds=SAVE_EVERY_S)
            rest.until = min(soon, rest.until or soon)
        return rest

    async def _waiting(self) -> Waiting:
        return (await self.ledger.waiting([self.webhook])).get(self.webhook, Waiting())

    async def _send_ordered(self, about: Told, entries: Sequence[Entry]) -> Rest | None:
        """Send events one after another; return what to wait for when one failed or the round took long."""
        began_s = monotonic()
        for entry in entries:
            before = await self.ledger.find(self.webhook, entry.position) if entry is entries[0] else None
            stopped_at = before if before is not None and before.status == "due" else None
            if stopped_at is not None and stopped_at.next_try_at and stopped_at.next_try_at > self.means.clock():
                return Rest(stopped_at.next_try_at)
            tried = await self._try(about, entry, stopped_at.tries if stopped_at is not None else 0)
            if tried.status != "delivered":
                self.place.at = max(self.place.at, entry.position - 1)
                held = set_aside(tried.position, tried.tries, tried.outcome, tried.next_try_at or self.means.clock())
                is_last = tried.next_try_at is None
                return await self._note([held], "stalled" if is_last else None) or Rest(held.next_try_at)
            self.place.at = entry.position
            await self.place.save()
            if stopped := await self._note([tried]):
                return stopped
            if monotonic() - began_s > _ROUND_S:
                return Rest(self.means.clock())
        return None

    async def _send_independent(self, about: Told, entries: Sequence[Entry]) -> Rest | None:
        """Send events, several at a time; what fails is set aside. Return as above."""
        began_s, in_flight = monotonic(), _in_flight(about.webhook.registered)
        for place in range(0, len(entries), in_flight):
            part = entries[place : place + in_flight]
            tried = await asyncio.gather(*(self._try(about, entry, 0) for entry in part))
            stopped = await self._note(tried)
            self.place.at = part[-1].position
            await self.place.save()
            if stopped := stopped or self._left_alone():
                return stopped
            if monotonic() - began_s > _ROUND_S:
                return Rest(self.means.clock())
        return None

    async def _send_due(self, about: Told, sight: Sight, in_flight: int) -> Rest | None:
        """Try what was set aside and is due; return what to wait for when there may be more of it."""
        now = self.means.clock()
        due = await self.ledger.due(self.webhook, now=now, through=self.place.at, limit=in_flight)
        if not due:
            return None
        tries, entries = dict(due), list[Entry]()
        for position in tries:
            entries += await self.log.entries(after=position - 1, through=position, limit=1)
        if unknown := [entry.type for entry in entries if not self.log.knows(entry.type)]:
            raise Busy(f"a later release recorded {unknown[0]}")  # and tries it again
        wanted = [entry for entry in entries if sight.shows(entry) and entry.position not in about.webhook.skipped]
        for position in tries.keys() - {entry.position for entry in wanted}:
            await self.ledger.give_up(self.webhook, position, position)
        tried = await asyncio.gather(*(self._try(about, entry, tries[entry.position]) for entry in wanted))
        stopped = await self._note(tried) if tried else None
        return stopped or (Rest(now) if len(due) == in_flight else None)

    async def _try(self, about: Told, entry: Entry, tries: int) -> Delivery:
        if (rate := about.webhook.registered.max_rate) is not UNSET:
            now_s = monotonic()
            wait_s = max(0, self._next_s - now_s)
            self._next_s = now_s + wait_s + 1 / rate
            await asyncio.sleep(wait_s)
        outcome = await self.courier.deliver(about, entry)
        tried = self.means.judged(entry.position, tries, outcome)
        if outcome.retry_after_s:
            self._alone_until = tried.next_try_at
        return tried

    async def _note(self, tried: Sequence[Delivery], reason: PauseReason | None = None) -> Rest | None:
        """Record what became of some tries; pause, and return what to wait for, when there is a reason to.

        Raises:
            CursorLostError: another process sends for it by now, and may have delivered what failed here.
        """
        if any(each.status != "delivered" for each in tried):
            await self.place.save()
        now = self.means.clock()
        failing_since = await self.ledger.record(self.webhook, tried, at=now)
        if any(each.outcome == GONE for each in tried):
            reason = "gone"
        elif failing_since is not None and now - failing_since >= timedelta(days=FAILING_DAYS_MAX):
            reason = reason or "failing"
        return None if reason is None else await self._pause(reason)

    async def _pause(self, reason: PauseReason) -> Rest:
        await self.log.execute(PauseWebhook(webhook=self.webhook, reason=reason), by=Acting(OPERATOR))
        self.is_stale = True
        return Rest(self.means.clock())


def _in_flight(registered: WebhookRegistered) -> int:
    """Return how many messages an independent webhook's receiver is sent at a time: what a second takes at most."""
    return IN_FLIGHT_MAX if registered.max_rate is UNSET else min(IN_FLIGHT_MAX, registered.max_rate)
