"""Facts about one webhook, for the tests of its rules."""

from typing import Final

from msgspec import UNSET

from emulation_saas.webhooks.events import WebhookActivated, WebhookPaused, WebhookRegistered
from tests.webhooks.sending import ANYBODY, FIRST, HOOK, NEXT, registering

REGISTERED: Final = WebhookRegistered(
    webhook=HOOK,
    url="https://portal.example.vn/hook",
    acts_for=ANYBODY,
    types=["agency.*"],
    with_tags=[],
    mode="ordered",
    signing="ed25519",
    secret=UNSET,
    after=0,
)
SHARED: Final = WebhookRegistered(
    webhook=HOOK,
    url="https://portal.example.vn/hook",
    acts_for=ANYBODY,
    types=["agency.*"],
    with_tags=[],
    mode="ordered",
    signing="hmac",
    secret=FIRST,
    after=0,
)
ACTIVATED: Final = WebhookActivated(webhook=HOOK)
PAUSED: Final = WebhookPaused(webhook=HOOK, reason="asked", because="bảo trì")
STALLED: Final = WebhookPaused(webhook=HOOK, reason="stalled", because="")

__all__ = ["ACTIVATED", "HOOK", "NEXT", "PAUSED", "REGISTERED", "SHARED", "STALLED", "registering"]
