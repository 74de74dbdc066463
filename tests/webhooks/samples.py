"""One sample of every event type about webhooks, and a second one of those that hold something optional."""

from typing import Final

import msgspec

from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import PersonId, WebhookId
from emulation_saas.webhooks.events import (
    WebhookActivated,
    WebhookEventSkipped,
    WebhookPaused,
    WebhookRedelivered,
    WebhookRegistered,
    WebhookRegisteredV1,
    WebhookRemoved,
    WebhookResumed,
    WebhookSecretRotated,
)

WEBHOOK: Final = WebhookId("cong-thong-tin")
PERSON: Final = PersonId("p-daodaodao2")
SECRET_ID: Final = "Jx9vE2mKq0WcT4nA"  # noqa: S105 - it is an id

_ORDERED: Final = WebhookRegisteredV1(
    webhook=WEBHOOK,
    url="https://portal.example.vn/hook",
    acts_for=PERSON,
    types=["ballot.*"],
    with_tags=["bloc:tham-muu-1"],
    mode="ordered",
    signing="ed25519",
    after=120,
)
_INDEPENDENT: Final = WebhookRegisteredV1(
    webhook=WEBHOOK,
    url="https://portal.example.vn/hook",
    acts_for=PERSON,
    types=[],
    with_tags=[],
    mode="independent",
    signing="hmac",
    secret=SECRET_ID,
    after=0,
)

OF_WEBHOOKS: Final[tuple[Event, ...]] = (
    _ORDERED,
    WebhookRegistered(**msgspec.structs.asdict(_ORDERED)),
    WebhookActivated(webhook=WEBHOOK),
    WebhookPaused(webhook=WEBHOOK, reason="asked", because="bảo trì"),
    WebhookResumed(webhook=WEBHOOK),
    WebhookEventSkipped(webhook=WEBHOOK, position=121, because="bên nhận không đọc được"),
    WebhookRedelivered(webhook=WEBHOOK, redelivery="b2LgOYeGiCBbk3mK", first=121, last=130),
    WebhookSecretRotated(webhook=WEBHOOK, secret=SECRET_ID),
    WebhookRemoved(webhook=WEBHOOK, because="cổng cũ"),
)
WEBHOOKS_IN_FULL: Final[tuple[Event, ...]] = (
    _INDEPENDENT,
    WebhookRegistered(**msgspec.structs.asdict(_INDEPENDENT), max_rate=20),
    WebhookResumed(webhook=WEBHOOK, first=121),
)
