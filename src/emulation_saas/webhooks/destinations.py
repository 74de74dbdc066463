"""Where events may be sent: over https to addresses on the public internet, and to those that the operator allows.

A URL is judged when a webhook is registered, and again at each connection: its host is resolved once, every address
that comes of it is judged, and the connection goes to one of these. Redirects are not followed and proxies not used, as
both would go somewhere that nobody judged.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address, ip_network
from pathlib import Path
from ssl import SSLContext
from threading import Thread
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from ssrfguard import Policy, resolve
from ssrfguard.errors import BlockedAddressError, SSRFGuardError
from ssrfguard.httpx import AsyncClient

from emulation_saas.webhooks.refusals import (
    PortNotAllowed,
    UrlHasCredentials,
    UrlNotHttps,
    UrlResolvesPrivate,
    UrlUnresolvable,
)

HTTPS_PORT: Final = 443
RESOLVE_TIMEOUT_S: Final = 3.0
"""For a name to be resolved. Who stops the service waits for it, too."""
TRY_TIMEOUT_S: Final = 20.0
"""For one try as a whole, from resolving the name to the end of the answer, however busily the receiver drips."""


Resolver = Callable[..., Any]
"""Resolves as `socket.getaddrinfo` does, whose answers nobody has put a type to."""


@dataclass(frozen=True)
class Destinations:
    """Judges URLs, and makes clients that connect to nothing else."""

    policy: Policy
    trusted: SSLContext
    resolver: Resolver = field(default=socket.getaddrinfo)

    async def demand(self, url: str) -> None:
        """Return if events may be sent to a URL, as its host resolves now.

        Raises:
            UrlNotHttps, UrlHasCredentials, PortNotAllowed, UrlUnresolvable, UrlResolvesPrivate: they may not.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or HTTPS_PORT
        except ValueError as error:
            raise UrlUnresolvable from error
        if parts.scheme != "https":
            raise UrlNotHttps
        if "@" in parts.netloc:
            raise UrlHasCredentials
        if port not in self.policy.allowed_ports:
            raise PortNotAllowed(f"allowed are {', '.join(map(str, sorted(self.policy.allowed_ports)))}")
        try:
            target = self.policy.check_url(url)
            await asyncio.to_thread(resolve, target, policy=self.policy, resolver=self._resolved)
            httpx.URL(url).host  # noqa: B018 - raises where the client could read no answer of this host
        except BlockedAddressError as error:
            raise UrlResolvesPrivate from error
        except (SSRFGuardError, OSError, UnicodeError, httpx.InvalidURL) as error:
            raise (UrlResolvesPrivate if _is_address(parts.hostname or "") else UrlUnresolvable) from error

    def client(self) -> httpx.AsyncClient:
        """Return a client for one receiver, so that none takes another's connections."""
        return AsyncClient(
            policy=self.policy,
            resolver=self._resolved,
            verify=self.trusted,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            timeout=TRY_TIMEOUT_S,
        )

    def _resolved(self, *asked: Any, **how: Any) -> Any:  # noqa: ANN401 - the arguments of `getaddrinfo`
        """Resolve within a time: nothing stops a thread that waits for somebody's name server, so it is left alone.

        Raises:
            OSError: the name does not resolve, or not in time.
        """
        answer: Future[Any] = Future()

        def look_up() -> None:
            try:
                answer.set_result(self.resolver(*asked, **how))
            except OSError as error:
                answer.set_exception(error)

        Thread(target=look_up, name="webhook-resolver", daemon=True).start()
        try:
            return answer.result(RESOLVE_TIMEOUT_S)
        except TimeoutError as error:
            raise socket.gaierror(socket.EAI_AGAIN, "not resolved in time") from error


def destinations(*, networks: Sequence[str] = (), ports: Sequence[int], ca: Path | None = None) -> Destinations:
    """Return what an operator allows.

    Args:
        networks: that may be sent to although they are not public.
        ports: that may be sent to.
        ca: certificates in PEM, trusted beside the public authorities.

    Raises:
        ValueError: a network is none, or would allow addresses that stand for others.
        OSError: the certificates cannot be read.
    """
    policy = Policy(
        allowed_schemes=frozenset({"https"}),
        allowed_networks=tuple(ip_network(network) for network in networks),
        allowed_ports=frozenset(ports),
    )
    trusted = httpx.create_ssl_context(trust_env=False)
    if ca is not None:
        trusted.load_verify_locations(ca)
    return Destinations(policy, trusted)


def _is_address(host: str) -> bool:
    """Tell whether a host is an address in any of the spellings that resolvers take."""
    try:
        ip_address(host) if ":" in host else socket.inet_aton(host.removesuffix("."))
    except (OSError, ValueError):
        return False
    return True
