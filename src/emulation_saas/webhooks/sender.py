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
from dataclasses import dataclass, field, replace
from datetime import timedelta
from time import monotonic
from typing import Final

from emulation_saas.kernel.ids import OPERATOR, WebhookId
from emulation_saas.kernel.use_cases import Acting, Selector
from emulation_saas.log import Entry, ProvinceLog
from emulation_saas.log.reading import NO_LIMIT
from emulation_saas.streams.cursors import Cursor, Cursors
from emulation_saas.streams.pages import read_page
from emulation_saas.streams.sights import Selection, Sight
from emulation_saas.webhooks.courier import GONE, Courier
from emulation_saas.webhooks.events import (
    EVENTS,
    PauseReason,
    WebhookActivated,
    WebhookEventSkipped,
    WebhookRedelivered,
    WebhookResumed,
)
from emulation_saas.webhooks.ledger import HANDSHAKE, Delivery, Ledger, Receiver, Waiting
from emulation_saas.webhooks.states import Told, told
from emulation_saas.webhooks.tries import CursorLostError, Means, Rest, set_aside
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
_SAVE_EVERY_S: Final = 1.0
"""How often a cursor is moved at most over what is hidden or not selected."""


@dataclass
class Sender:
    """One webhook's sender in the process that holds its cursor."""

    log: ProvinceLog
    cursors: Cursors
    ledger: Ledger
    courier: Courier
    means: Means
    webhook: WebhookId
    cursor: Cursor
    _told: Told | None = None
    _receiver: Receiver | None = None
    _at: int = field(init=False)
    """Everything up to here was sent, set aside or is not to be sent; the cursor follows."""
    _saved_s: float = field(default=float("-inf"), init=False)
    is_stale: bool = True
    """Whether something new was decided about the webhook."""

    def __post_init__(self) -> None:
        """Begin where the cursor stands."""
        self._at = self.cursor.position

    @property
    def position(self) -> int:
        """How far it has come."""
        return self._at

    async def round(self, fresh: Sequence[Entry] = ()) -> Rest:
        """Do what can be done now; return what to wait for.

        Args:
            fresh: what follows its position, where that is known already.

        Raises:
            CursorLostError: another process sends for it by now.
            LogGapError: a position is missing in the log.
        """
        about = await self._newest()
        match about.webhook.state:
            case "pending":
                return await self._knock(about)
            case "active":
                return await self._send(about, fresh)
            case _:
                return Rest()

    async def save(self) -> None:
        """Move the cursor to where sending has come."""
        await self._save(at_once=True)

    async def _newest(self) -> Told:
        """Return what was decided about it, once all that it asks for is done."""
        if self._told is None or self.is_stale:
            self.is_stale = False
            facts = await self.log.recorded([Selector(types=EVENTS, tags=[f"webhook:{self.webhook}"])])
            self._told = told(facts)[self.webhook]
            receivers = await self.ledger.receivers([self.webhook])
            self._receiver = receivers.get(self.webhook, Receiver(self.webhook))
            for fact in facts:
                if fact.position > self._receiver.obeyed:
                    await self._obey(fact.event)
            if facts[-1].position > self._receiver.obeyed:
                await self.ledger.obeyed(self.webhook, facts[-1].position)
        return self._told

    async def _obey(self, decided: object) -> None:
        """Do what an event about the webhook asks for; done twice after a crash, it has some events sent twice."""
        match decided:
            case WebhookActivated():
                await self.ledger.give_up(self.webhook, HANDSHAKE, HANDSHAKE)  # whoever shook hands
                await self.ledger.forgive(self.webhook)
            case WebhookResumed(first=first):
                if isinstance(first, int):  # what it stopped at, and what is sent again anyhow
                    await self.ledger.give_up(self.webhook, min(first, self._at + 1), NO_LIMIT)
                    await self._move(first - 1)
                await self.ledger.retry_now(self.webhook, now=self.means.clock())
            case WebhookRedelivered(first=first, last=last):
                span = range(first, min(last, self._at) + 1)
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
        ordered = registered.mode == "ordered"
        if again := await self._send_due(about, sight, 1 if ordered else IN_FLIGHT_MAX):
            return again
        waiting = (await self.ledger.waiting([self.webhook])).get(self.webhook, Waiting())
        if not ordered and waiting.due >= SET_ASIDE_MAX:
            return Rest(waiting.next_try_at)
        if fresh and fresh[0].position == self._at + 1:
            shown, scanned_to, head = [entry for entry in fresh if sight.shows(entry)], fresh[-1].position, 0
        else:
            page = await read_page(self.log, sight, after=self._at, limit=_PAGE)
            shown, scanned_to, head = page.entries, page.scanned_to, page.head
        wanted = [entry for entry in shown if entry.position not in about.webhook.skipped]
        stopped = await (self._send_ordered if ordered else self._send_independent)(about, wanted)
        if stopped is not None:
            return stopped
        self._at = max(self._at, scanned_to)
        if scanned_to < head:
            await self._save(at_once=False)
            return Rest(self.means.clock())
        rest = Rest(waiting.next_try_at, for_news=True)
        if not await self._save(at_once=False):
            soon = self.means.clock() + timedelta(seconds=_SAVE_EVERY_S)
            rest.until = min(soon, rest.until or soon)
        return rest

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
                self._at = max(self._at, entry.position - 1)
                held = set_aside(tried.position, tried.tries, tried.outcome, tried.next_try_at or self.means.clock())
                is_last = tried.next_try_at is None
                return await self._note([held], "stalled" if is_last else None) or Rest(held.next_try_at)
            self._at = entry.position
            await self._save(at_once=True)
            if stopped := await self._note([tried]):
                return stopped
            if monotonic() - began_s > _ROUND_S:
                return Rest(self.means.clock())
        return None

    async def _send_independent(self, about: Told, entries: Sequence[Entry]) -> Rest | None:
        """Send events, several at a time; what fails is set aside. Return as above."""
        began_s = monotonic()
        for place in range(0, len(entries), IN_FLIGHT_MAX):
            part = entries[place : place + IN_FLIGHT_MAX]
            tried = await asyncio.gather(*(self._try(about, entry, 0) for entry in part))
            stopped = await self._note(tried)
            self._at = part[-1].position
            await self._save(at_once=True)
            if stopped is not None:
                return stopped
            if monotonic() - began_s > _ROUND_S:
                return Rest(self.means.clock())
        return None

    async def _send_due(self, about: Told, sight: Sight, in_flight: int) -> Rest | None:
        """Try what was set aside and is due; return what to wait for when there may be more of it."""
        now = self.means.clock()
        due = await self.ledger.due(self.webhook, now=now, through=self._at, limit=in_flight)
        if not due:
            return None
        tries: dict[int, int] = dict(due)
        entries: list[Entry] = []
        for position in tries:
            entries += await self.log.entries(after=position - 1, through=position, limit=1)
        wanted = [entry for entry in entries if sight.shows(entry) and entry.position not in about.webhook.skipped]
        for position in tries.keys() - {entry.position for entry in wanted}:
            await self.ledger.give_up(self.webhook, position, position)
        tried = await asyncio.gather(*(self._try(about, entry, tries[entry.position]) for entry in wanted))
        stopped = await self._note(tried) if tried else None
        return stopped or (Rest(now) if len(due) == in_flight else None)

    async def _try(self, about: Told, entry: Entry, tries: int) -> Delivery:
        return self.means.judged(entry.position, tries, await self.courier.deliver(about, entry))

    async def _note(self, tried: Sequence[Delivery], reason: PauseReason | None = None) -> Rest | None:
        """Record what became of some tries; pause, and return what to wait for, when there is a reason to.

        Raises:
            CursorLostError: another process sends for it by now, and may have delivered what failed here.
        """
        if any(each.status != "delivered" for each in tried):
            await self._save(at_once=True)
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

    async def _move(self, position: int) -> None:
        """Send on from another place."""
        self._at = position
        await self._save(at_once=True)

    async def _save(self, *, at_once: bool) -> bool:
        """Move the cursor to where sending has come; return False when that is put off for a moment.

        Args:
            at_once: also makes sure that the cursor is still held, where it does not move.

        Raises:
            CursorLostError: another process sends for it by now.
        """
        before, now_s = self.cursor.position, monotonic()
        if before == self._at and not at_once:
            return True
        if not at_once and now_s - self._saved_s < _SAVE_EVERY_S:
            return False
        if not await self.cursors.move_held(self.webhook, self.means.holder, expected=before, position=self._at):
            raise CursorLostError(self.webhook)
        self.cursor, self._saved_s = replace(self.cursor, position=self._at), now_s
        if before // _PAGE != self._at // _PAGE:
            await self.ledger.forget_old(self.webhook, cursor=self._at)
        return True
