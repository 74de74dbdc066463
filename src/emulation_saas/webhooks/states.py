"""A webhook as the log tells it: what is sent where, and whether it is."""

from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec
from msgspec import UNSET

from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.kernel.ids import WebhookId
from emulation_saas.webhooks.events import (
    WebhookActivated,
    WebhookEventSkipped,
    WebhookPaused,
    WebhookRedelivered,
    WebhookRegistered,
    WebhookRemoved,
    WebhookResumed,
    WebhookSecretRotated,
)

State = Literal["pending", "active", "paused", "stalled", "removed"]

OLD_SECRET_SIGNS: Final = timedelta(hours=24)
"""How long a secret signs beside its successor."""
SIGNING_MAX: Final = 4
"""Secrets that sign one message at most, however often they are rotated."""


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about one webhook."""

    registered: WebhookRegistered
    is_activated: bool = False
    """Whether the handshake has passed."""
    is_removed: bool = False
    paused: WebhookPaused | None = None
    """Why it is paused or stalled, while it is."""
    resumed: WebhookResumed | None = None
    """How it was last resumed."""
    skipped: frozenset[int] = frozenset()
    redelivered: WebhookRedelivered | None = None
    """The last redelivery."""
    secrets: tuple[str, ...] = ()
    """Ids of the secrets it has had, in order."""

    @property
    def state(self) -> State:
        """What it does now."""
        if self.is_removed:
            return "removed"
        if self.paused is not None:
            return "stalled" if self.paused.reason == "stalled" else "paused"
        return "active" if self.is_activated else "pending"

    def after(self, event: Event) -> "Webhook":
        """Return it after one more fact."""
        changes: dict[str, object]
        match event:
            case WebhookActivated():
                changes = {"is_activated": True}
            case WebhookPaused():
                changes = {"paused": event}
            case WebhookResumed():
                changes = {"paused": None, "resumed": event}
            case WebhookEventSkipped(position=position):
                changes = {"skipped": self.skipped | {position}}
            case WebhookRedelivered():
                changes = {"redelivered": event}
            case WebhookSecretRotated(secret=secret):
                changes = {"secrets": (*self.secrets, secret)}
            case WebhookRemoved():
                changes = {"is_removed": True}
            case _:
                return self
        return msgspec.structs.replace(self, **changes)


def registered(event: WebhookRegistered) -> Webhook:
    """Return a webhook that was just registered."""
    return Webhook(registered=event, secrets=() if event.secret is UNSET else (event.secret,))


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook and the facts it was folded from."""

    webhook: Webhook
    facts: tuple[AnyRecorded, ...]

    def secrets_at(self, now: datetime) -> list[str]:
        """Return the ids of the secrets that sign, the newest first."""
        rotated = [fact for fact in self.facts if isinstance(fact.event, WebhookSecretRotated)]
        until = [fact.recorded_at + OLD_SECRET_SIGNS for fact in rotated]
        signing = [secret for secret, end in zip(self.webhook.secrets, until, strict=False) if now < end]
        return [*self.webhook.secrets[-1:], *reversed(signing)][:SIGNING_MAX]


def told(facts: list[AnyRecorded]) -> dict[WebhookId, Told]:
    """Fold the facts about a province's webhooks, by handle."""
    found: dict[WebhookId, Told] = {}
    for fact in facts:
        event = fact.event
        if isinstance(event, WebhookRegistered):
            found[event.webhook] = Told(webhook=registered(event), facts=(fact,))
        elif before := found.get(event.webhook):  # none: a later release registered it, and sends for it
            found[event.webhook] = Told(webhook=before.webhook.after(event), facts=(*before.facts, fact))
    return found
