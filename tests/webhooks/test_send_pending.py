"""A pending webhook: its receiver is asked whether it wants the events, and again, and by an administrator."""

from emulation_saas.webhooks.sender import FAILING_DAYS_MAX
from emulation_saas.webhooks.use_cases import ActivateWebhook
from tests.webhooks.receiving import Authority, receiver, status, willing
from tests.webhooks.sending import HOOK, registering, world


async def test_receiver_that_did_not_want_events_at_first_is_asked_again(
    database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url), is_active=False)
        there.answering = lambda _: status(503)
        rest = await here.send()
        assert rest.until is not None
        assert ((await here.standing()).state, (await here.standing()).next_try_at) == ("pending", rest.until)
        here.clock.move(minutes=1)
        there.answering = willing
        positions = await here.agencies("so-a")
        await here.send()
        assert there.positions == positions


async def test_handshake_that_an_administrator_made_leaves_nothing_to_be_tried(
    database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url), is_active=False)
        there.answering = lambda _: status(503)
        await here.send()
        there.answering = willing
        await here.do(ActivateWebhook(webhook=HOOK))
        positions = await here.agencies("so-a")
        here.clock.move(days=1)
        rest = await here.send()
        assert there.positions == positions
        assert rest.until is None
        assert (await here.standing()).set_aside == 0


async def test_handshakes_that_failed_are_not_held_against_the_receiver(
    database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url), is_active=False)
        there.answering = lambda _: status(503)
        await here.send()
        await here.do(ActivateWebhook(webhook=HOOK))
        here.clock.move(days=FAILING_DAYS_MAX + 1)
        await here.agencies("so-a")
        await here.send()
        assert (await here.standing()).state == "active"
