"""Register, activate, pause, resume, remove a webhook; skip and redeliver events; rotate its secret."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec import UNSET, UnsetType

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import PersonId, WebhookId
from emulation_saas.kernel.rejections import NotEmpowered, Rejection
from emulation_saas.kernel.use_cases import Selector, UseCase
from emulation_saas.webhooks.events import (
    EVENTS,
    Mode,
    PauseReason,
    Signing,
    WebhookActivated,
    WebhookEventSkipped,
    WebhookPaused,
    WebhookRedelivered,
    WebhookRegistered,
    WebhookRemoved,
    WebhookResumed,
    WebhookSecretRotated,
)
from emulation_saas.webhooks.refusals import (
    EventOver,
    NoSuchWebhook,
    SpanBackwards,
    SpanTooWide,
    TooManyWebhooks,
    WebhookHandleTaken,
    WebhookNotPaused,
    WebhookWithoutSecret,
)
from emulation_saas.webhooks.states import Webhook, registered

WEBHOOKS_MAX: Final = 50
"""Webhooks of a province at a time: each is sent to by itself."""
REDELIVERED_MAX: Final = 1_000
"""Positions that one redelivery spans; who missed more resumes from a position."""


Registrations = Mapping[WebhookId, WebhookRegistered | None]
"""Every handle that was ever taken; None where the webhook was removed."""


@dataclass(frozen=True)
class RegisterWebhook(UseCase[Registrations]):
    """An administrator has events sent to a URL. Asked again, what was minted for the asking is not used."""

    webhook: WebhookId
    url: str
    acts_for: PersonId
    types: tuple[str, ...]
    with_tags: tuple[str, ...]
    mode: Mode
    signing: Signing
    secret: str
    """Minted for each attempt."""
    after: int
    from_now: bool
    """Whether `after` is where the log stood when it was asked, and so another each time."""
    max_rate: int | UnsetType = UNSET
    """Messages a second."""
    objection: Rejection | None = None
    """What was found beforehand to speak against the URL, the person or the position."""

    def facts(self) -> Sequence[Selector]:
        return [Selector(types=[WebhookRegistered, WebhookRemoved], tags=["webhooks"])]

    @staticmethod
    def initial() -> Registrations:
        return {}

    @staticmethod
    def evolve(view: Registrations, event: Event) -> Registrations:
        match event:
            case WebhookRegistered(webhook=webhook):
                return {**view, webhook: event}
            case WebhookRemoved(webhook=webhook):
                return {**view, webhook: None}
            case _:
                return view

    def decide(self, view: Registrations, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.is_admin:
            raise NotEmpowered
        there = view.get(self.webhook)
        if there is not None and self._is_same(there):
            return []
        if self.webhook in view:
            raise WebhookHandleTaken
        if self.objection is not None:
            raise self.objection
        if sum(each is not None for each in view.values()) >= WEBHOOKS_MAX:
            raise TooManyWebhooks(f"it has {WEBHOOKS_MAX}")
        return [self._registered(self.after, self.secret if self.signing == "hmac" else UNSET)]

    def _is_same(self, there: WebhookRegistered) -> bool:
        return there == self._registered(there.after if self.from_now else self.after, there.secret)

    def _registered(self, after: int, secret: str | UnsetType) -> WebhookRegistered:
        return WebhookRegistered(
            webhook=self.webhook,
            url=self.url,
            acts_for=self.acts_for,
            types=list(self.types),
            with_tags=list(self.with_tags),
            mode=self.mode,
            signing=self.signing,
            secret=secret,
            after=after,
            max_rate=self.max_rate,
        )


@dataclass(frozen=True)
class _OnWebhook(UseCase[Webhook | None]):
    """What is done to one webhook, knowing all of it."""

    webhook: WebhookId

    def facts(self) -> Sequence[Selector]:
        return [Selector(types=EVENTS, tags=[f"webhook:{self.webhook}"])]

    @staticmethod
    def initial() -> Webhook | None:
        return None

    @staticmethod
    def evolve(view: Webhook | None, event: Event) -> Webhook | None:
        if isinstance(event, WebhookRegistered):
            return registered(event)
        return None if view is None else view.after(event)

    @staticmethod
    def _there(view: Webhook | None, may: Authority) -> Webhook:
        """Return the webhook; administrators act on it, and the service itself.

        Raises:
            NotEmpowered: somebody else asks.
            NoSuchWebhook: there is none, or it was removed.
        """
        if not (may.is_admin or may.is_operator):
            raise NotEmpowered
        if view is None or view.is_removed:
            raise NoSuchWebhook
        return view


@dataclass(frozen=True)
class ActivateWebhook(_OnWebhook):
    """The handshake has passed."""

    def decide(self, view: Webhook | None, may: Authority, now: datetime) -> Sequence[Event]:
        is_activated = self._there(view, may).is_activated
        return [] if is_activated else [WebhookActivated(webhook=self.webhook)]


@dataclass(frozen=True)
class PauseWebhook(_OnWebhook):
    """Nothing is sent for a while: an administrator asks for it, or the service sees no sense in going on."""

    reason: PauseReason = "asked"
    because: str = ""

    def decide(self, view: Webhook | None, may: Authority, now: datetime) -> Sequence[Event]:
        if self._there(view, may).paused is not None:
            return []
        return [WebhookPaused(webhook=self.webhook, reason=self.reason, because=self.because)]


@dataclass(frozen=True)
class ResumeWebhook(_OnWebhook):
    """Sending goes on, from where the cursor stands or from a position; what failed is tried at once."""

    first: int | UnsetType = UNSET

    def decide(self, view: Webhook | None, may: Authority, now: datetime) -> Sequence[Event]:
        webhook = self._there(view, may)
        resumed = WebhookResumed(webhook=self.webhook, first=self.first)
        if webhook.paused is not None:
            return [resumed]
        if self.first is not UNSET and webhook.resumed != resumed:
            raise WebhookNotPaused
        return []


@dataclass(frozen=True)
class SkipEvent(_OnWebhook):
    """One event is given up for this receiver, with a reason."""

    position: int
    because: str
    is_over: bool = False
    """Whether it was found beforehand that the event is not to be sent any more."""

    def decide(self, view: Webhook | None, may: Authority, now: datetime) -> Sequence[Event]:
        if self.position in self._there(view, may).skipped:
            return []
        if self.is_over:
            raise EventOver
        return [WebhookEventSkipped(webhook=self.webhook, position=self.position, because=self.because)]


@dataclass(frozen=True)
class RedeliverEvents(_OnWebhook):
    """Events of a span are sent once more."""

    redelivery: str
    """Minted for each attempt: the same span may be asked for another day."""
    first: int
    last: int

    def decide(self, view: Webhook | None, may: Authority, now: datetime) -> Sequence[Event]:
        webhook = self._there(view, may)
        again = WebhookRedelivered(webhook=self.webhook, redelivery=self.redelivery, first=self.first, last=self.last)
        if webhook.redelivered == again:
            return []
        if self.last < self.first:
            raise SpanBackwards
        if self.last - self.first >= REDELIVERED_MAX:
            raise SpanTooWide(f"at most {REDELIVERED_MAX} positions")
        return [again]


@dataclass(frozen=True)
class RotateSecret(_OnWebhook):
    """A new secret signs from now on; the one before goes on for a day beside it."""

    secret: str
    """Minted for each attempt."""

    def decide(self, view: Webhook | None, may: Authority, now: datetime) -> Sequence[Event]:
        webhook = self._there(view, may)
        if webhook.registered.signing != "hmac":
            raise WebhookWithoutSecret
        if self.secret in webhook.secrets:
            return []
        return [WebhookSecretRotated(webhook=self.webhook, secret=self.secret)]


@dataclass(frozen=True)
class RemoveWebhook(_OnWebhook):
    """Nothing is sent any more."""

    because: str

    def decide(self, view: Webhook | None, may: Authority, now: datetime) -> Sequence[Event]:
        if view is not None and view.is_removed and may.is_admin:
            return []
        self._there(view, may)
        return [WebhookRemoved(webhook=self.webhook, because=self.because)]
