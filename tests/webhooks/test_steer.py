"""Steering a webhook: activate, pause, resume, skip, redeliver, rotate, remove."""

from typing import Final

from emulation_saas.kernel.authority import operator
from emulation_saas.webhooks.events import (
    WebhookActivated,
    WebhookEventSkipped,
    WebhookPaused,
    WebhookRedelivered,
    WebhookRemoved,
    WebhookResumed,
    WebhookSecretRotated,
)
from emulation_saas.webhooks.refusals import (
    EventOver,
    NoSuchWebhook,
    SpanBackwards,
    SpanTooWide,
    WebhookNotPaused,
    WebhookWithoutSecret,
)
from emulation_saas.webhooks.states import registered
from emulation_saas.webhooks.use_cases import (
    REDELIVERED_MAX,
    ActivateWebhook,
    PauseWebhook,
    RedeliverEvents,
    RemoveWebhook,
    ResumeWebhook,
    RotateSecret,
    SkipEvent,
)
from tests.scenario import ADMIN, given
from tests.webhooks.rules import ACTIVATED, HOOK, NEXT, PAUSED, REGISTERED, SHARED, STALLED

REMOVED: Final = WebhookRemoved(webhook=HOOK, because="thôi")
ALL: Final = (
    ActivateWebhook(webhook=HOOK),
    PauseWebhook(webhook=HOOK),
    ResumeWebhook(webhook=HOOK),
    SkipEvent(webhook=HOOK, position=7, because="hỏng"),
    RedeliverEvents(webhook=HOOK, redelivery="lai", first=1, last=2),
    RotateSecret(webhook=HOOK, secret=NEXT),
)


def redelivering(first: int, last: int, redelivery: str = "lai") -> RedeliverEvents:
    return RedeliverEvents(webhook=HOOK, redelivery=redelivery, first=first, last=last)


def test_webhook_is_activated_once() -> None:
    given(REGISTERED).when(ActivateWebhook(webhook=HOOK), operator()).then(WebhookActivated(webhook=HOOK))
    given(REGISTERED, ACTIVATED, PAUSED).when(ActivateWebhook(webhook=HOOK), ADMIN).then_recorded_nothing()


def test_nothing_can_be_done_to_a_webhook_that_is_not_there() -> None:
    for use_case in (*ALL, RemoveWebhook(webhook=HOOK, because="thôi")):
        given().when(use_case, ADMIN).then_rejected(NoSuchWebhook)
    for use_case in ALL:
        given(SHARED, ACTIVATED, REMOVED).when(use_case, ADMIN).then_rejected(NoSuchWebhook)


def test_active_webhook_is_paused_by_who_asks_or_by_the_service() -> None:
    given(REGISTERED, ACTIVATED).when(PauseWebhook(webhook=HOOK, because="bảo trì"), ADMIN).then(PAUSED)
    stalling = PauseWebhook(webhook=HOOK, reason="stalled")
    given(REGISTERED, ACTIVATED).when(stalling, operator()).then(STALLED)


def test_webhook_that_rests_already_is_not_paused_again() -> None:
    for rests in (PAUSED, STALLED):
        given(REGISTERED, ACTIVATED, rests).when(PauseWebhook(webhook=HOOK), ADMIN).then_recorded_nothing()


def test_pending_webhook_is_paused_and_is_pending_when_it_is_resumed() -> None:
    given(REGISTERED).when(PauseWebhook(webhook=HOOK, because="bảo trì"), ADMIN).then(PAUSED)
    webhook = registered(REGISTERED).after(PAUSED)
    assert webhook.state == "paused"
    assert webhook.after(WebhookResumed(webhook=HOOK)).state == "pending"
    assert webhook.after(ACTIVATED).state == "paused"


def test_webhook_that_rests_is_resumed_where_it_stands_or_from_a_position() -> None:
    for rests in (PAUSED, STALLED):
        resumed = WebhookResumed(webhook=HOOK)
        given(REGISTERED, ACTIVATED, rests).when(ResumeWebhook(webhook=HOOK), ADMIN).then(resumed)
        at_seven = WebhookResumed(webhook=HOOK, first=7)
        given(REGISTERED, ACTIVATED, rests).when(ResumeWebhook(webhook=HOOK, first=7), ADMIN).then(at_seven)


def test_active_webhook_is_not_resumed_from_elsewhere() -> None:
    given(REGISTERED, ACTIVATED).when(ResumeWebhook(webhook=HOOK), ADMIN).then_recorded_nothing()
    given(REGISTERED, ACTIVATED).when(ResumeWebhook(webhook=HOOK, first=7), ADMIN).then_rejected(WebhookNotPaused)
    resumed = WebhookResumed(webhook=HOOK, first=7)
    other = ResumeWebhook(webhook=HOOK, first=8)
    given(REGISTERED, ACTIVATED, PAUSED, resumed).when(other, ADMIN).then_rejected(WebhookNotPaused)


def test_event_is_skipped_with_a_reason() -> None:
    skipped = WebhookEventSkipped(webhook=HOOK, position=7, because="hỏng")
    given(REGISTERED, ACTIVATED).when(SkipEvent(webhook=HOOK, position=7, because="hỏng"), ADMIN).then(skipped)


def test_event_that_is_over_is_not_skipped_but_may_be_asked_for_again() -> None:
    over = SkipEvent(webhook=HOOK, position=7, because="hỏng", is_over=True)
    given(REGISTERED, ACTIVATED).when(over, ADMIN).then_rejected(EventOver)
    skipped = WebhookEventSkipped(webhook=HOOK, position=7, because="hỏng")
    given(REGISTERED, ACTIVATED, skipped).when(over, ADMIN).then_recorded_nothing()


def test_span_of_events_is_redelivered_and_again_another_day() -> None:
    once = WebhookRedelivered(webhook=HOOK, redelivery="lai", first=1, last=REDELIVERED_MAX)
    given(REGISTERED, ACTIVATED).when(redelivering(1, REDELIVERED_MAX), ADMIN).then(once)
    twice = WebhookRedelivered(webhook=HOOK, redelivery="lai-2", first=1, last=REDELIVERED_MAX)
    given(REGISTERED, ACTIVATED, once).when(redelivering(1, REDELIVERED_MAX, "lai-2"), ADMIN).then(twice)


def test_span_goes_forward_and_only_so_far() -> None:
    given(REGISTERED, ACTIVATED).when(redelivering(2, 1), ADMIN).then_rejected(SpanBackwards)
    given(REGISTERED, ACTIVATED).when(redelivering(1, REDELIVERED_MAX + 1), ADMIN).then_rejected(SpanTooWide)


def test_secret_is_rotated_where_there_is_one() -> None:
    rotated = WebhookSecretRotated(webhook=HOOK, secret=NEXT)
    given(SHARED).when(RotateSecret(webhook=HOOK, secret=NEXT), ADMIN).then(rotated)
    given(REGISTERED).when(RotateSecret(webhook=HOOK, secret=NEXT), ADMIN).then_rejected(WebhookWithoutSecret)


def test_webhook_is_removed_in_any_state() -> None:
    for facts in ((REGISTERED,), (REGISTERED, ACTIVATED), (REGISTERED, ACTIVATED, STALLED)):
        given(*facts).when(RemoveWebhook(webhook=HOOK, because="thôi"), ADMIN).then(REMOVED)


def test_reason_is_told_for_as_long_as_the_webhook_rests() -> None:
    assert WebhookPaused(webhook=HOOK, reason="gone", because="") != PAUSED
    given(REGISTERED, ACTIVATED, PAUSED, WebhookResumed(webhook=HOOK)).when(
        PauseWebhook(webhook=HOOK, because="bảo trì"), ADMIN
    ).then(PAUSED)
