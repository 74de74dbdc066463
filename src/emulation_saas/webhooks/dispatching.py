"""Sends for all webhooks of all provinces, as far as this process holds their cursors; others hold the rest.

Every process looks after every webhook, and whoever is first takes its cursor for a while and keeps it. A webhook has
its own task, client and connections here, so that a slow or dead receiver holds up nobody else. What was decided about
a webhook is noticed within two seconds.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog

from emulation_saas.kernel.cancelling import end, raise_if_cancelled
from emulation_saas.kernel.ids import ProvinceId, WebhookId
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.log import Entry, ProvinceLog, ProvinceLogs
from emulation_saas.postgres.database import Database
from emulation_saas.streams.cursors import Cursor, Cursors
from emulation_saas.streams.tails import Tails
from emulation_saas.webhooks.courier import Couriers
from emulation_saas.webhooks.events import EVENTS
from emulation_saas.webhooks.ledger import Ledger
from emulation_saas.webhooks.places import Place
from emulation_saas.webhooks.sender import Sender
from emulation_saas.webhooks.states import Told, told
from emulation_saas.webhooks.tries import CursorLostError, Means, Rest

LOOK_EVERY_S: Final = 2.0
"""How often a process looks for webhooks that nobody sends for."""
HELD_FOR: Final = timedelta(seconds=6)
"""How long a cursor stays with a process that is gone."""
REST_MAX_S: Final = 3_600.0
_log: Final = structlog.stdlib.get_logger("emulation_saas.webhooks")


class Dispatcher:
    """The sending of one process."""

    def __init__(
        self,
        logs: ProvinceLogs,
        database: Database,
        couriers: Couriers,
        means: Means,
        *,
        tails: Tails,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        """Take what it works with; nothing is sent before `run`."""
        self._logs = logs
        self._database = database
        self._couriers = couriers
        self._means = means
        self._tails = tails
        self._look_every_s = look_every_s
        self._looked_at: dict[ProvinceId, int] = {}
        self._known: dict[ProvinceId, dict[WebhookId, Told]] = {}
        self._sending: dict[tuple[ProvinceId, WebhookId], _Sending] = {}

    async def run(self) -> None:
        """Send until cancelled; then let others take over at once."""
        try:
            while True:
                try:
                    logs = await self._logs.all()
                except Exception as error:  # noqa: BLE001 - asyncpg raises outside its own classes when the server dies
                    raise_if_cancelled()
                    _log.warning("provinces-unknown", exc_info=error)
                    logs = []
                for log in logs:
                    try:
                        await self._look_after(log)
                    except Exception as error:  # noqa: BLE001 - as above, and one province's failure is no other's
                        raise_if_cancelled()
                        _log.warning("webhooks-unknown", province=log.handle, exc_info=error)
                await asyncio.sleep(self._look_every_s)
        finally:
            await end(each.task for each in self._sending.values())

    async def _look_after(self, log: ProvinceLog) -> None:
        """Begin to send for whichever of a province's webhooks nobody sends for."""
        cursors = Cursors(self._database, log.province, "webhook")
        for webhook, about in (await self._webhooks(log, cursors)).items():
            sending = self._sending.get((log.province, webhook))
            if about.webhook.is_removed:
                if sending is not None:
                    sending.task.cancel()
                continue
            if sending is not None and not sending.task.done():
                continue
            cursor = await cursors.hold(webhook, self._means.holder, held_for=HELD_FOR)
            if cursor is not None:
                begun = _Sending(cursors, Ledger(self._database, log.province), self._means, self._tails)
                begun.task = asyncio.create_task(begun.run(log, self._couriers, cursor))
                self._sending[log.province, webhook] = begun

    async def _webhooks(self, log: ProvinceLog, cursors: Cursors) -> Mapping[WebhookId, Told]:
        """Return what was decided about a province's webhooks; see to their cursors when it is news."""
        known = self._known.setdefault(log.province, {})
        head = self._logs.waker.known_head(log.province)
        if head and head == self._looked_at.get(log.province):
            return known
        facts = await log.recorded([Selector(types=EVENTS, tags=["webhooks"])])
        found = told(facts)
        for webhook, about in found.items():
            if webhook in known and len(known[webhook].facts) == len(about.facts):
                continue
            if about.webhook.is_removed:
                await cursors.close(webhook)
                await Ledger(self._database, log.province).forget(webhook)
            else:
                await cursors.open(webhook, position=about.webhook.registered.after)
            if sending := self._sending.get((log.province, webhook)):
                sending.tell()
        self._known[log.province] = found
        self._looked_at[log.province] = head
        return found


class _Sending:
    """One webhook's task in this process."""

    def __init__(self, cursors: Cursors, ledger: Ledger, means: Means, tails: Tails) -> None:
        self._cursors = cursors
        self._ledger = ledger
        self._means = means
        self._tails = tails
        self._told = asyncio.Event()
        self.task: asyncio.Task[None]

    def tell(self) -> None:
        """Say that something was decided about the webhook."""
        self._told.set()

    async def run(self, log: ProvinceLog, couriers: Couriers, cursor: Cursor) -> None:
        """Send for as long as the cursor is held; whatever fails is said, and begun again by whoever takes it next."""
        webhook = WebhookId(cursor.name)
        try:
            async with couriers(log) as courier, asyncio.TaskGroup() as group:
                place = Place(self._cursors, self._means.holder, cursor)
                sender = Sender(log, place, self._ledger, courier, self._means, webhook)
                group.create_task(self._keep(webhook))
                group.create_task(self._send(log, sender))
        except* CursorLostError:
            _log.info("webhook-taken-over", province=log.handle, webhook=webhook)
        except* Exception as errors:  # noqa: BLE001 - one webhook's failure is no other's
            _log.warning("webhook-failed", province=log.handle, webhook=webhook, exc_info=errors)
        finally:
            with suppress(Exception):
                await self._cursors.let_go(webhook, self._means.holder)

    async def _keep(self, webhook: WebhookId) -> None:
        """Keep the cursor."""
        while True:
            await asyncio.sleep(HELD_FOR.total_seconds() / 3)
            if await self._cursors.hold(webhook, self._means.holder, held_for=HELD_FOR) is None:
                raise CursorLostError(webhook)

    async def _send(self, log: ProvinceLog, sender: Sender) -> None:
        fresh: list[Entry] = []
        try:
            while True:
                if self._told.is_set():
                    self._told.clear()
                    sender.is_stale = True
                rest = await sender.round(fresh)
                fresh = await self._wait(log, sender.place.at, rest)
        finally:
            with suppress(Exception):
                await sender.place.save()

    async def _wait(self, log: ProvinceLog, position: int, rest: Rest) -> list[Entry]:
        """Wait until something is due, decided or recorded; return what was recorded, where that is waited for."""
        wait_s = REST_MAX_S
        if rest.until is not None:
            wait_s = min(wait_s, (rest.until - self._means.clock()).total_seconds())
        if wait_s <= 0 or self._told.is_set():
            return []
        decided = asyncio.create_task(self._told.wait())
        news = asyncio.create_task(self._tails.after(log, position)) if rest.for_news else None
        tasks = {decided} if news is None else {decided, news}
        try:
            done, _ = await asyncio.wait(tasks, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
            return news.result() if news is not None and news in done else []
        finally:
            for task in tasks:
                task.cancel()
