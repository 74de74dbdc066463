"""Who sends: one process at a time for each webhook, another one when it is gone, and nobody waits for anybody."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from typing import Final
from uuid import uuid4

import pytest

from emulation_saas.kernel.ids import WebhookId
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.streams.tails import Tails
from emulation_saas.webhooks.dispatching import Dispatcher
from emulation_saas.webhooks.events import EVENTS, Mode, WebhookRegistered
from emulation_saas.webhooks.states import told
from emulation_saas.webhooks.tries import CursorLostError
from emulation_saas.webhooks.use_cases import ActivateWebhook, PauseWebhook, RemoveWebhook, ResumeWebhook
from tests.audit.auditing import operator_with_all_rights
from tests.logs import open_province
from tests.streams.waiting import until
from tests.webhooks.receiving import Authority, Received, Receiver, receiver, status, willing
from tests.webhooks.sending import HOOK, World, registering, world

LONG_S: Final = 30.0
EVENTS_PACED: Final = 12
OTHER: Final = WebhookId("khac")


@asynccontextmanager
async def dispatching(here: World) -> AsyncGenerator[asyncio.Task[None]]:
    """Send as one process does, until the end or until the task is cancelled."""
    means = replace(here.means, holder=uuid4())
    dispatcher = Dispatcher(here.logs, here.database, here.courier, means, tails=Tails(), look_every_s=0.05)
    task = asyncio.create_task(dispatcher.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_received(there: Receiver, positions: list[int]) -> None:
    """Wait until a receiver has been sent exactly this."""
    async with asyncio.timeout(LONG_S):
        while True:
            if len(there.positions) >= len(positions):
                break
            await asyncio.sleep(0.02)
    assert there.positions == positions


async def test_two_processes_send_each_event_once(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        async with dispatching(here), dispatching(here):
            positions = await here.agencies(*(f"so-{number}" for number in range(20)))
            await until_received(there, positions)
            await asyncio.sleep(0.3)
            assert there.positions == positions


@pytest.mark.parametrize("mode", ["ordered", "independent"])
async def test_receiver_is_sent_no_more_in_a_second_than_it_wants(
    database_url: str, authority: Authority, mode: Mode
) -> None:
    rate, all_came = 10, asyncio.Event()

    def notice(request: Received) -> bytes:
        if len(there.positions) == EVENTS_PACED:
            all_came.set()
        return willing(request)

    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        there.answering = notice
        await here.hook(registering(there.url, mode=mode, max_rate=rate))
        positions = await here.agencies(*(f"so-{number}" for number in range(EVENTS_PACED)))
        began_s = monotonic()
        async with dispatching(here), asyncio.timeout(LONG_S):
            await all_came.wait()
        assert monotonic() - began_s >= (EVENTS_PACED - 1) / rate
        assert sorted(there.positions) == positions


async def test_webhook_that_a_later_release_registered_disturbs_no_other(
    database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        await here.do(replace(registering(there.url), webhook=OTHER, acts_for=here.opened.admin))
        await here.do(ActivateWebhook(webhook=OTHER))
        facts = await here.log.recorded([Selector(types=EVENTS, tags=["webhooks"])])
        is_others = [isinstance(fact.event, WebhookRegistered) and fact.event.webhook == OTHER for fact in facts]
        assert sum(is_others) == 1
        known = [fact for fact, is_unknown in zip(facts, is_others, strict=True) if not is_unknown]
        assert told(known) == {HOOK: told(facts)[HOOK]}


async def test_process_that_stops_lets_another_go_on_at_once(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        async with dispatching(here) as first:
            positions = await here.agencies("so-a")
            await until_received(there, positions)
            async with dispatching(here):
                await asyncio.sleep(0.2)
                first.cancel()
                positions += await here.agencies("so-b")
                async with asyncio.timeout(5):  # the holder's time would be up after six seconds
                    await until_received(there, positions)


async def test_webhook_of_a_process_that_died_is_taken_over(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        held = await here.cursors.hold(HOOK, uuid4(), held_for=timedelta(seconds=1))
        assert held is not None
        async with dispatching(here):
            positions = await here.agencies("so-a")
            await until_received(there, positions)


async def test_sender_whose_cursor_was_taken_stops(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        async with here.sender() as sender:
            await here.agencies("so-a")
            await here.cursors.let_go(HOOK, here.means.holder)
            assert await here.cursors.hold(HOOK, uuid4(), held_for=timedelta(minutes=1))
            with pytest.raises(CursorLostError):
                await sender.round()


@pytest.mark.parametrize("mode", ["ordered", "independent"])
async def test_failure_of_a_sender_who_was_replaced_meanwhile_has_nothing_tried_again(
    database_url: str, authority: Authority, mode: Mode
) -> None:
    """As after a process was frozen while it sent: its successor may have delivered the event."""
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url, mode=mode))
        there.answering = lambda _: status(500)
        async with here.sender() as sender:
            await here.agencies("so-a")
            await here.cursors.let_go(HOOK, here.means.holder)
            assert await here.cursors.hold(HOOK, uuid4(), held_for=timedelta(minutes=1))
            with pytest.raises(CursorLostError):
                await sender.round()
        assert await here.outcomes() == []


async def test_receiver_that_does_not_answer_holds_up_no_other(database_url: str, authority: Authority) -> None:
    async with (
        receiver(authority) as slow,
        receiver(authority) as quick,
        world(database_url, authority, slow.port, others=[quick.port]) as here,
    ):
        slow.pause_s = 60
        await here.hook(registering(slow.url))
        await here.do(replace(registering(quick.url, person=here.opened.admin), webhook=OTHER))
        await here.do(ActivateWebhook(webhook=OTHER))
        async with dispatching(here) as sending:
            positions = await here.agencies(*(f"so-{number}" for number in range(10)))
            await until_received(quick, positions)
            assert slow.positions == positions[:1]
            sending.cancel()
            async with asyncio.timeout(5):  # nor a stop
                await asyncio.gather(sending, return_exceptions=True)


async def test_province_whose_webhooks_cannot_be_read_holds_up_no_other(
    server: EmbeddedPostgres, database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        broken = replace(here, opened=await open_province(here.logs, "an-song"))  # looked after before the other
        await broken.hook(registering(there.url))
        async with operator_with_all_rights(server, database_url) as connection:
            province = broken.log.province
            await connection.execute("DELETE FROM events WHERE province_id = $1 AND type LIKE 'webhook.reg%'", province)
        await here.hook(registering(there.url))
        async with dispatching(here):
            await until_received(there, await here.agencies("so-a"))


async def test_what_is_decided_while_it_sends_is_noticed(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here, dispatching(here):
        await here.do(replace(registering(there.url, person=here.opened.admin), after=5))
        positions = await here.agencies("so-a")
        await until_received(there, positions)  # the handshake passed meanwhile
        await here.do(PauseWebhook(webhook=HOOK))
        missed = await here.agencies("so-b")
        await asyncio.sleep(0.5)
        assert there.positions == positions
        await here.do(ResumeWebhook(webhook=HOOK))
        await until_received(there, positions + missed)
        await here.do(RemoveWebhook(webhook=HOOK, because="thôi"))

        async def is_noticed() -> bool:
            return await here.cursors.find(HOOK) is None

        await until(is_noticed)
        await here.agencies("so-c")
        await asyncio.sleep(1)
        assert there.positions == positions + missed
        assert await here.ledger.receivers([HOOK]) == {}
