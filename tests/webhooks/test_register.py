"""Registering a webhook: by an administrator, once under a handle, and only so many."""

from dataclasses import replace

import msgspec
from msgspec import UNSET

from emulation_saas.kernel.ids import WebhookId
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.webhooks.events import WebhookRegistered, WebhookRegisteredV1, WebhookRemoved
from emulation_saas.webhooks.refusals import PersonWithoutRole, TooManyWebhooks, UrlNotHttps, WebhookHandleTaken
from emulation_saas.webhooks.use_cases import WEBHOOKS_MAX
from tests.scenario import ADMIN, AUDITOR, COUNCIL, given
from tests.webhooks.rules import HOOK, NEXT, REGISTERED, SHARED, registering

REMOVED = WebhookRemoved(webhook=HOOK, because="")


def test_webhook_is_registered_without_a_secret_where_the_province_signs() -> None:
    given().when(registering(), ADMIN).then(REGISTERED)
    assert REGISTERED.secret is UNSET


def test_webhook_is_registered_with_the_id_of_its_secret() -> None:
    given().when(registering(signing="hmac"), ADMIN).then(SHARED)


def test_webhook_is_registered_with_the_rate_that_its_receiver_can_take() -> None:
    paced = msgspec.structs.replace(REGISTERED, max_rate=5)
    given().when(registering(max_rate=5), ADMIN).then(paced)
    given(paced).when(registering(max_rate=5), ADMIN).then_recorded_nothing()
    given(paced).when(registering(max_rate=6), ADMIN).then_rejected(WebhookHandleTaken)
    given(REGISTERED).when(registering(max_rate=5), ADMIN).then_rejected(WebhookHandleTaken)


def test_registration_of_long_ago_says_no_rate() -> None:
    said = {name: value for name, value in msgspec.structs.asdict(REGISTERED).items() if name != "max_rate"}
    assert WebhookRegisteredV1(**said).upcast() == REGISTERED


def test_secret_minted_for_asking_again_is_not_used() -> None:
    given(SHARED).when(replace(registering(signing="hmac"), secret=NEXT), ADMIN).then_recorded_nothing()


def test_asked_again_from_now_it_begins_where_it_began() -> None:
    given(REGISTERED).when(replace(registering(), after=99), ADMIN).then_recorded_nothing()
    other = replace(registering(), after=99, from_now=False)
    given(REGISTERED).when(other, ADMIN).then_rejected(WebhookHandleTaken)


def test_another_webhook_cannot_take_the_handle_even_of_one_that_was_removed() -> None:
    given(REGISTERED).when(registering("https://khac.example.vn/"), ADMIN).then_rejected(WebhookHandleTaken)
    given(REGISTERED, REMOVED).when(registering(), ADMIN).then_rejected(WebhookHandleTaken)


def test_province_has_so_many_webhooks_at_a_time() -> None:
    def others(number: int) -> list[WebhookRegistered]:
        return [replaced(REGISTERED, f"khac-{each}") for each in range(number)]

    given(*others(WEBHOOKS_MAX - 1)).when(registering(), ADMIN).then(REGISTERED)
    given(*others(WEBHOOKS_MAX)).when(registering(), ADMIN).then_rejected(TooManyWebhooks)
    gone = WebhookRemoved(webhook=WebhookId("khac-0"), because="")
    given(*others(WEBHOOKS_MAX), gone).when(registering(), ADMIN).then(REGISTERED)


def test_what_speaks_against_it_is_told_to_administrators_only() -> None:
    for objection in (UrlNotHttps(), PersonWithoutRole()):
        asked = replace(registering(), objection=objection)
        given().when(asked, ADMIN).then_rejected(type(objection))
        given(REGISTERED).when(asked, ADMIN).then_recorded_nothing()


def test_nobody_but_administrators_registers() -> None:
    for may in (COUNCIL, AUDITOR):
        given().when(registering(), may).then_rejected(NotEmpowered)


def replaced(event: WebhookRegistered, handle: str) -> WebhookRegistered:
    return msgspec.structs.replace(event, webhook=WebhookId(handle))
