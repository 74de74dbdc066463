"""What was decided about webhooks: where events are sent, in whose sight, and what became of it."""

from typing import ClassVar, Literal

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.kernel.events import Event, Visibility
from emulation_saas.kernel.ids import PersonId, WebhookId

Mode = Literal["ordered", "independent"]
Signing = Literal["ed25519", "hmac"]
PauseReason = Literal["asked", "stalled", "failing", "gone", "powerless"]


class _WebhookEvent(Event, frozen=True, kw_only=True):
    """A fact about one webhook."""

    webhook: WebhookId

    def tags(self) -> list[str]:
        """Return the tag of all webhooks and that of this one."""
        return ["webhooks", f"webhook:{self.webhook}"]

    def subject(self) -> str | None:
        """Return the webhook."""
        return f"webhooks/{self.webhook}"


class _Registration(_WebhookEvent, frozen=True, kw_only=True):
    """What both shapes of a registration say."""

    url: str
    acts_for: PersonId
    """Whose powers say which events are sent."""
    types: list[str]
    """Patterns of types, one of which an event has; none: all types."""
    with_tags: list[str]
    """Tags that an event has, all of them."""
    mode: Mode
    signing: Signing
    secret: str | UnsetType = UNSET
    """For HMAC: the id from which, with the province's key, the secret is derived. It tells nothing by itself."""
    after: int
    """The position after which sending begins."""


class WebhookRegistered(_Registration, frozen=True, kw_only=True):
    """Events are to be sent to a URL once its receiver has said that it wants them."""

    type: ClassVar[str] = "webhook.registered.v2"
    visibility: ClassVar[Visibility] = Visibility.COUNCIL
    max_rate: int | UnsetType = UNSET
    """Messages a second at most; absent: as many as the receiver takes."""


class WebhookRegisteredV1(_Registration, frozen=True, kw_only=True):
    """Events are to be sent to a URL once its receiver has said that it wants them, as many as it takes."""

    type: ClassVar[str] = "webhook.registered.v1"
    visibility: ClassVar[Visibility] = Visibility.COUNCIL
    becomes: ClassVar[str | None] = "webhook.registered.v2"

    def upcast(self) -> Event:
        """Return the same registration, without a rate."""
        return WebhookRegistered(**msgspec.structs.asdict(self))


class WebhookActivated(_WebhookEvent, frozen=True, kw_only=True):
    """The receiver has said that it wants the events: the handshake passed."""

    type: ClassVar[str] = "webhook.activated.v1"
    visibility: ClassVar[Visibility] = Visibility.COUNCIL


class WebhookPaused(_WebhookEvent, frozen=True, kw_only=True):
    """Nothing is sent until it is resumed; the cursor stays where it is."""

    type: ClassVar[str] = "webhook.paused.v1"
    visibility: ClassVar[Visibility] = Visibility.COUNCIL
    reason: PauseReason
    because: str
    """In words, of who asked; else it may be empty."""


class WebhookResumed(_WebhookEvent, frozen=True, kw_only=True):
    """Events are sent again: from where the cursor stands, or from a position."""

    type: ClassVar[str] = "webhook.resumed.v1"
    visibility: ClassVar[Visibility] = Visibility.COUNCIL
    first: int | UnsetType = UNSET
    """The first position to be sent."""


class WebhookEventSkipped(_WebhookEvent, frozen=True, kw_only=True):
    """One event is not to be sent to this receiver."""

    type: ClassVar[str] = "webhook.event-skipped.v1"
    visibility: ClassVar[Visibility] = Visibility.COUNCIL
    position: int
    because: str


class WebhookRedelivered(_WebhookEvent, frozen=True, kw_only=True):
    """Events of a span that lies behind the cursor are sent once more, each by itself."""

    type: ClassVar[str] = "webhook.redelivered.v1"
    visibility: ClassVar[Visibility] = Visibility.COUNCIL
    redelivery: str
    """Tells one asking from another for the same span."""
    first: int
    last: int


class WebhookSecretRotated(_WebhookEvent, frozen=True, kw_only=True):
    """A new secret signs; for a day the one before signs beside it."""

    type: ClassVar[str] = "webhook.secret-rotated.v1"
    visibility: ClassVar[Visibility] = Visibility.COUNCIL
    secret: str
    """As at the registration."""


class WebhookRemoved(_WebhookEvent, frozen=True, kw_only=True):
    """Nothing is sent any more; the handle stays taken."""

    type: ClassVar[str] = "webhook.removed.v1"
    visibility: ClassVar[Visibility] = Visibility.COUNCIL
    because: str


EVENTS = (
    WebhookRegisteredV1,
    WebhookRegistered,
    WebhookActivated,
    WebhookPaused,
    WebhookResumed,
    WebhookEventSkipped,
    WebhookRedelivered,
    WebhookSecretRotated,
    WebhookRemoved,
)
