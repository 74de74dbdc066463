"""What is refused of webhooks."""

from emulation_saas.kernel.rejections import Conflict, Invalid, NotFound


class UrlNotHttps(Invalid):
    """Events are sent over https only."""

    code = "url-not-https"


class UrlHasCredentials(Invalid):
    """A URL that events are sent to holds no user and no password."""

    code = "url-has-credentials"


class PortNotAllowed(Invalid):
    """Events are not sent to this port."""

    code = "port-not-allowed"


class UrlResolvesPrivate(Invalid):
    """The URL's host is, or resolves to, an address that is not on the public internet."""

    code = "url-resolves-private"


class UrlUnresolvable(Invalid):
    """The URL's host is no name that resolves to an address."""

    code = "url-unresolvable"


class HandshakeFailed(Conflict):
    """The receiver did not say that it wants the events."""

    code = "handshake-failed"


class PersonWithoutRole(Conflict):
    """The person whose powers were to say what is sent has no role in the province."""

    code = "person-without-role"


class NoSuchWebhook(NotFound):
    """No webhook is registered under this handle."""

    code = "no-such-webhook"


class WebhookHandleTaken(Conflict):
    """Another webhook was registered under this handle."""

    code = "webhook-handle-taken"


class TooManyWebhooks(Conflict):
    """The province has as many webhooks as it may have: remove one that is no longer needed."""

    code = "too-many-webhooks"


class WebhookNotPaused(Conflict):
    """Only a webhook that is paused or stalled is resumed from a position."""

    code = "webhook-not-paused"


class WebhookWithoutSecret(Conflict):
    """What is sent is signed by the province's key: there is no secret to rotate."""

    code = "webhook-without-secret"


class EventOver(Conflict):
    """The event was delivered, or is not sent to this receiver anyhow: there is nothing to skip."""

    code = "event-over"


class SpanBackwards(Invalid):
    """A span goes from the earlier position to the later one."""

    code = "span-backwards"


class SpanTooWide(Invalid):
    """More positions than one redelivery spans."""

    code = "span-too-wide"
