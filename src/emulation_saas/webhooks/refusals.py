"""What is refused of a webhook before it is decided upon."""

from emulation_saas.kernel.rejections import Conflict, Invalid


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
