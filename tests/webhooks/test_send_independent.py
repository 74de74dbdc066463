"""An independent webhook: what fails is set aside and tried again by itself, and holds up nothing."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from emulation_saas.http.refusals import Busy
from emulation_saas.webhooks import ledger as ledger_module
from emulation_saas.webhooks import sender as sender_module
from emulation_saas.webhooks.schedule import RETRY_AFTER_MAX_S, TRIES_AFTER_S
from emulation_saas.webhooks.sender import FAILING_DAYS_MAX
from emulation_saas.webhooks.use_cases import PauseWebhook, RedeliverEvents, ResumeWebhook, SkipEvent
from tests.log.courses import Joined, Record
from tests.logs import logs_of
from tests.webhooks.receiving import OK, Authority, Received, receiver, status
from tests.webhooks.sending import HOOK, registering, world
from tests.webhooks.test_send_ordered import failing


async def test_event_that_failed_holds_up_no_other_and_is_tried_again(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url, mode="independent"))
        positions = await here.agencies(*(f"so-{number}" for number in range(20)))
        bad = positions[3]
        there.answering = failing(bad)
        await here.send()
        assert sorted(there.positions) == positions
        standing = await here.standing()
        assert (standing.cursor, standing.set_aside, standing.state) == (positions[-1], 1, "active")
        assert standing.next_try_at
        here.clock.move(seconds=TRIES_AFTER_S[1])
        there.answering = failing()
        await here.send()
        assert there.positions[20:] == [bad]
        assert (bad, "delivered", 2, "delivered") in await here.outcomes()


async def test_event_that_failed_is_tried_again_in_time_though_nothing_new_comes(
    database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url, mode="independent"))
        await here.agencies("so-a")
        there.answering = failing()
        async with here.sender() as sender:
            await sender.round()
            rest = await sender.round()
            assert rest.until is None  # all is sent
            there.answering = failing(*await here.agencies("so-b"))
            rest = await sender.round()
            assert rest.until == (await here.standing()).next_try_at


async def test_event_is_dead_after_the_last_try_and_is_redelivered_when_asked(
    database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url, mode="independent"))
        (bad,) = await here.agencies("so-a")
        there.answering = failing(bad)
        for wait_s in TRIES_AFTER_S:
            here.clock.move(seconds=wait_s)
            await here.send()
        assert there.positions == [bad] * len(TRIES_AFTER_S)
        assert await here.outcomes() == [(bad, "dead", len(TRIES_AFTER_S), "status-500")]
        assert (await here.standing()).dead == 1
        here.clock.move(days=1)
        await here.send()
        assert len(there.received) == len(TRIES_AFTER_S)
        there.answering = failing()
        await here.do(RedeliverEvents(webhook=HOOK, redelivery="lai-1", first=bad, last=bad))
        await here.send()
        assert there.positions[len(TRIES_AFTER_S) :] == [bad]
        assert (await here.standing()).dead == 0


async def test_skipped_event_is_not_tried_again(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url, mode="independent"))
        (bad,) = await here.agencies("so-a")
        there.answering = failing(bad)
        await here.send()
        await here.do(SkipEvent(webhook=HOOK, position=bad, because="không cần"))
        here.clock.move(hours=1)
        await here.send()
        assert there.positions == [bad]
        assert await here.outcomes() == []


def later(asked: str, _: Received) -> bytes:
    return status(429, f"retry-after: {asked}")


async def test_receiver_that_asks_for_time_is_given_it_within_reason(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url, mode="independent"))
        (bad,) = await here.agencies("so-a")
        for asked, given_s in (("120", 120), (str(10**30), RETRY_AFTER_MAX_S)):
            there.answering = partial(later, asked)
            before = here.clock()
            await here.send()
            found = await here.ledger.find(HOOK, bad)
            assert found is not None
            assert found.next_try_at is not None
            assert timedelta(0) <= found.next_try_at - before - timedelta(seconds=given_s) < timedelta(seconds=30)
            here.clock.move(seconds=given_s)


async def test_receiver_that_asks_for_time_is_sent_nothing_else_meanwhile(
    database_url: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "IN_FLIGHT_MAX", 1)
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url, mode="independent"))
        first, second = await here.agencies("so-a", "so-b")
        there.answering = partial(later, "120")
        async with here.sender() as sender:
            await sender.round()
            there.answering = failing()
            (new,) = await here.agencies("so-c")
            rest = await sender.round()
            assert there.positions == [first]
            assert rest.until == (await here.standing()).next_try_at
            here.clock.move(seconds=130)
            for _ in range(2):  # what is due, and what follows
                await sender.round()
            assert there.positions == [first, first, second, new]


async def test_dead_event_is_told_of_however_far_the_log_has_gone(
    database_url: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "LEDGER_POSITIONS", 0)
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url, mode="independent"))
        good, bad = await here.agencies("so-a", "so-b")
        there.answering = failing(bad)
        for wait_s in TRIES_AFTER_S:
            here.clock.move(seconds=wait_s)
            await here.send()
        assert [position for position, *_ in await here.outcomes()] == [good, bad]
        await here.ledger.forget_old(HOOK, cursor=2**40)
        assert await here.outcomes() == [(bad, "dead", len(TRIES_AFTER_S), "status-500")]


async def test_what_a_later_release_set_aside_is_not_given_up(database_url: str, authority: Authority) -> None:
    async with (
        receiver(authority) as there,
        world(database_url, authority, there.port) as here,
        logs_of(here.database, extra=(Joined,)) as logs,
    ):
        await here.hook(registering(there.url, mode="independent", types=()))
        log = await logs.find(here.log.handle)
        assert log is not None
        later = replace(here, logs=logs, opened=replace(here.opened, log=log))
        bad = await later.do(Record((Joined(course="toan", student="lan"),)))
        there.answering = failing(bad)
        await later.send()
        there.answering = failing()
        here.clock.move(seconds=TRIES_AFTER_S[1])
        async with here.sender() as sender:
            with pytest.raises(Busy):
                await sender.round()
        assert (bad, "due", 1, "status-500") in await here.outcomes()
        await later.send()
        assert (bad, "delivered", 2, "delivered") in await here.outcomes()


async def test_receiver_that_is_gone_is_left_alone_for_good(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url, mode="independent"))
        await here.agencies("so-a")
        there.answering = lambda _: status(410)
        await here.send()
        standing = await here.standing()
        assert (standing.state, standing.reason, standing.outcome) == ("paused", "gone", "status-410")
        here.clock.move(days=30)
        await here.send()
        assert len(there.received) == 1


async def test_webhook_is_paused_after_days_of_nothing_but_failures_and_loses_nothing(
    database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url, mode="independent"))
        (first,) = await here.agencies("so-a")
        there.answering = lambda _: status(500)
        await here.send()
        here.clock.move(days=FAILING_DAYS_MAX, minutes=-1)
        (second,) = await here.agencies("so-b")
        await here.send()
        assert (await here.standing()).state == "active"
        here.clock.move(seconds=400)
        await here.send()
        standing = await here.standing()
        assert (standing.state, standing.reason) == ("paused", "failing")
        tried = len(there.received)
        there.answering = lambda _: OK
        await here.do(ResumeWebhook(webhook=HOOK))
        await here.send()
        assert sorted(there.positions[tried:]) == [first, second]
        assert (await here.standing()).state == "active"


async def test_what_was_sent_before_a_crash_is_sent_again_and_nothing_is_lost(
    database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        after = await here.hook(registering(there.url, mode="independent"))
        positions = await here.agencies("so-a", "so-b")
        await here.send()
        assert await here.cursors.move(HOOK, expected=positions[-1], position=after)  # as if it had never been moved
        await here.send()
        assert sorted(there.positions) == sorted(positions * 2)


async def test_so_much_may_be_set_aside_and_then_the_cursor_waits(
    database_url: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "SET_ASIDE_MAX", 8)
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url, mode="independent"))
        positions = await here.agencies(*(f"so-{number}" for number in range(80)))
        there.answering = lambda _: status(500)
        rest = await here.send()
        standing = await here.standing()
        assert standing.set_aside < 80
        assert standing.cursor == positions[standing.set_aside - 1]
        assert not rest.for_news
        there.answering = lambda _: OK
        here.clock.move(seconds=TRIES_AFTER_S[1])
        await here.send()
        assert (await here.standing()).lag == 0
        assert sorted(set(there.positions)) == positions


async def test_webhook_with_all_set_aside_that_may_be_sends_when_it_is_resumed_from_before(
    database_url: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "SET_ASIDE_MAX", 8)
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url, mode="independent"))
        positions = await here.agencies(*(f"so-{number}" for number in range(8)))
        there.answering = lambda _: status(500)
        await here.send()
        await here.do(PauseWebhook(webhook=HOOK))
        await here.do(ResumeWebhook(webhook=HOOK, first=positions[0]))
        there.answering = lambda _: OK
        await here.send()
        assert sorted(there.positions[-8:]) == positions
        assert (await here.standing()).set_aside == 0
