"""An ordered webhook: one event after another, none passed over, whatever the receiver does."""

from collections.abc import Callable

from emulation_saas.access.use_cases import GrantRole, RegisterPerson, RevokeRole
from emulation_saas.kernel.ids import PersonId, mint_person
from emulation_saas.webhooks.schedule import TRIES_AFTER_S
from emulation_saas.webhooks.use_cases import PauseWebhook, RedeliverEvents, RemoveWebhook, ResumeWebhook, SkipEvent
from tests.logs import ISSUER
from tests.webhooks.receiving import OK, Authority, Received, receiver, status
from tests.webhooks.sending import HOOK, World, registering, world


def failing(*positions: int, code: int = 500) -> Callable[[Received], bytes]:
    """Answer as a receiver does that fails on some events."""
    return lambda request: status(code) if request.position in positions else OK


async def test_events_are_sent_in_order_as_they_are_stored(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.agencies("truoc")
        await here.hook(registering(there.url))
        positions = await here.agencies("so-a", "so-b", "so-c")
        rest = await here.send()
        assert rest.for_news
        assert there.positions == positions
        stored = await here.log.entries(after=positions[0] - 1, through=positions[-1])
        assert [each.body for each in there.received] == [entry.body for entry in stored]
        standing = await here.standing()
        assert (standing.state, standing.cursor, standing.lag) == ("active", positions[-1], 0)
        assert await here.outcomes() == [(position, "delivered", 1, "delivered") for position in positions]
        assert await here.send() == rest
        assert len(there.received) == 3


async def test_nothing_passes_an_event_that_failed_until_it_is_delivered(
    database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        first, second, third = await here.agencies("so-a", "so-b", "so-c")
        there.answering = failing(second)
        rest = await here.send()
        assert there.positions == [first, second]
        assert not rest.for_news
        assert (await here.standing()).cursor == second - 1
        assert await here.outcomes() == [(first, "delivered", 1, "delivered"), (second, "due", 1, "status-500")]
        await here.send()
        assert there.positions == [first, second]
        here.clock.move(seconds=TRIES_AFTER_S[1])
        await here.send()
        assert there.positions == [first, second, second]
        there.answering = failing()
        here.clock.move(seconds=TRIES_AFTER_S[2])
        await here.send()
        assert there.positions == [first, second, second, second, third]
        assert (second, "delivered", 3, "delivered") in await here.outcomes()


async def test_webhook_stalls_after_the_last_try_and_begins_anew_when_it_is_resumed(
    database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        first, second = await here.agencies("so-a", "so-b")
        there.answering = failing(first, code=503)
        for wait_s in TRIES_AFTER_S:
            here.clock.move(seconds=wait_s)
            await here.send()
        assert there.positions == [first] * len(TRIES_AFTER_S)
        standing = await here.standing()
        assert (standing.state, standing.reason, standing.cursor) == ("stalled", "stalled", first - 1)
        here.clock.move(days=30)
        await here.send()
        assert len(there.received) == len(TRIES_AFTER_S)
        there.answering = failing()
        await here.do(ResumeWebhook(webhook=HOOK))
        await here.send()
        assert there.positions[len(TRIES_AFTER_S) :] == [first, second]
        assert (await here.standing()).state == "active"


async def test_event_that_is_skipped_is_not_sent_and_what_follows_is(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        first, second, third = await here.agencies("so-a", "so-b", "so-c")
        there.answering = failing(first)
        await here.send()
        await here.do(SkipEvent(webhook=HOOK, position=first, because="không cần"))
        await here.do(SkipEvent(webhook=HOOK, position=third, because="không cần"))
        await here.send()
        assert there.positions == [first, second]
        assert (await here.standing()).lag == 0
        assert (await here.standing()).set_aside == 0


async def test_paused_webhook_keeps_its_cursor_and_goes_on_from_there(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        await here.agencies("so-a")
        await here.send()
        await here.do(PauseWebhook(webhook=HOOK, because="bảo trì"))
        missed = await here.agencies("so-b", "so-c")
        assert (await here.send()).until is None
        standing = await here.standing()
        assert (standing.state, standing.reason, standing.because) == ("paused", "asked", "bảo trì")
        assert len(there.received) == 1
        await here.do(ResumeWebhook(webhook=HOOK))
        await here.send()
        assert there.positions[1:] == missed


async def test_webhook_is_resumed_from_any_position(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        first, second = await here.agencies("so-a", "so-b")
        await here.send()
        await here.do(PauseWebhook(webhook=HOOK))
        await here.do(ResumeWebhook(webhook=HOOK, first=second))
        await here.send()
        assert there.positions == [first, second, second]
        await here.send()
        assert there.positions == [first, second, second]


async def test_event_that_failed_before_has_all_its_tries_when_it_is_sent_again(
    database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        (position,) = await here.agencies("so-a")
        there.answering = failing(position)
        for wait_s in TRIES_AFTER_S[:-1]:
            here.clock.move(seconds=wait_s)
            await here.send()
        there.answering = failing()
        here.clock.move(seconds=TRIES_AFTER_S[-1])
        await here.send()
        assert await here.outcomes() == [(position, "delivered", len(TRIES_AFTER_S), "delivered")]
        await here.do(PauseWebhook(webhook=HOOK))
        await here.do(ResumeWebhook(webhook=HOOK, first=position))
        there.answering = failing(position)
        await here.send()
        assert await here.outcomes() == [(position, "due", 1, "status-500")]
        assert (await here.standing()).state == "active"


async def test_webhook_resumed_beyond_the_event_it_stopped_at_never_sends_it(
    database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        first, second = await here.agencies("so-a", "so-b")
        there.answering = failing(first)
        await here.send()
        await here.do(PauseWebhook(webhook=HOOK))
        await here.do(ResumeWebhook(webhook=HOOK, first=second))
        await here.send()
        here.clock.move(days=1)
        await here.send()
        assert there.positions == [first, second]


async def test_redelivered_events_are_sent_once_more_and_the_cursor_stays(
    database_url: str, authority: Authority
) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        positions = await here.agencies("so-a", "so-b", "so-c")
        await here.send()
        await here.do(RedeliverEvents(webhook=HOOK, redelivery="lai-1", first=1, last=positions[1]))
        await here.send()
        assert there.positions == [*positions, *positions[:2]]
        assert (await here.standing()).set_aside == 0
        assert (await here.standing()).lag == 0


async def test_what_the_person_may_no_longer_see_is_not_sent(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        person = await _auditor(here)
        await here.hook(registering(there.url, person=person, types=("access.*", "agency.*")))
        (seen,) = await here.agencies("so-a")
        await here.send()
        await here.do(GrantRole(person=person, role="integrator"))
        await here.do(RevokeRole(person=person, role="auditor"))
        (public,) = await here.agencies("so-b")
        await here.send()
        assert there.positions == [seen, public]


async def test_webhook_of_a_person_without_any_role_is_paused(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        person = await _auditor(here)
        await here.hook(registering(there.url, person=person))
        await here.do(RevokeRole(person=person, role="auditor"))
        await here.agencies("so-a")
        await here.send()
        standing = await here.standing()
        assert (standing.state, standing.reason, there.received) == ("paused", "powerless", [])


async def test_removed_webhook_is_not_sent_to(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url))
        await here.agencies("so-a")
        await here.do(RemoveWebhook(webhook=HOOK, because="thôi"))
        assert (await here.send()).until is None
        assert there.received == []


async def test_types_that_are_not_public_are_sent_without_their_data(database_url: str, authority: Authority) -> None:
    async with receiver(authority) as there, world(database_url, authority, there.port) as here:
        await here.hook(registering(there.url, types=("access.person-registered.v1",)))
        await _auditor(here)
        await here.send()
        (sent,) = there.received
        position = sent.position
        (entry,) = await here.log.entries(after=position - 1, through=position)
        assert b'"data":' in entry.body
        assert b'"data":' not in sent.body
        assert f'"dataref":"/v1/provinces/bac-song/events/{position}"'.encode() in sent.body
        assert sent.headers["content-type"] == "application/cloudevents+json"


async def _auditor(here: World) -> PersonId:
    person = mint_person()
    await here.do(RegisterPerson(person=person, issuer=ISSUER, sub="kiem-toan", name="Kiểm toán"))
    await here.do(GrantRole(person=person, role="auditor"))
    return person
