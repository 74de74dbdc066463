"""Carries one webhook's messages to its receiver and says what came of it; nothing of an answer is ever passed on."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Final, Self

import httpx
from ssrfguard.errors import SSRFGuardError

from emulation_saas.kernel.cancelling import raise_if_cancelled
from emulation_saas.kernel.clock import spell_instant
from emulation_saas.log import Entry, ProvinceLog
from emulation_saas.webhooks.destinations import TRY_TIMEOUT_S, Destinations
from emulation_saas.webhooks.payloads import CONTENT_TYPE, handshake_payload, message_id, payload
from emulation_saas.webhooks.signing import Signing, key_pair_of, secret_of, signed_headers
from emulation_saas.webhooks.states import Told

ANSWER_BYTES_MAX: Final = 8_192
"""What is read of a receiver's answer. Whatever follows is cut off with the connection."""
_HEADERS: Final = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "emulation-saas"}
GONE: Final = "status-410"
"""The receiver says that it wants nothing any more."""
_REDIRECT: Final = range(300, 400)
_FAILURES: Final = (SSRFGuardError, httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError)
"""Of trying. A TimeoutError is an OSError; a UnicodeError comes of a redirect to a host that is no name."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one try."""

    is_delivered: bool
    reason: str
    """`delivered`; or why not: `status-500`, `redirect`, `timeout`, `unreachable`, `tls-refused`, `address-refused`."""
    retry_after_s: float = 0


class Courier:
    """Goes to one receiver."""

    def __init__(
        self, log: ProvinceLog, destinations: Destinations, *, origin: str, clock: Callable[[], datetime]
    ) -> None:
        """Prepare to go.

        Args:
            log: of the province.
            destinations: where events may be sent.
            origin: who asks in the handshake: the host name of the service.
            clock: for the time of a signature.
        """
        self._log = log
        self._client = destinations.client()
        self._origin = origin
        self._clock = clock
        self._signers: dict[str, Signing] = {}

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def deliver(self, told: Told, entry: Entry) -> Outcome:
        """Send the event of a position."""
        province = self._log.handle
        body = payload(entry, self._log.visibility_of(entry.type), province=province)
        return await self._post(told, message_id(province, entry.position), body)

    async def knock(self, told: Told) -> Outcome:
        """Ask whether the receiver wants the events.

        It says so as CloudEvents has it (`OPTIONS`, answered with `WebHook-Allowed-Origin`), or by accepting a signed
        event of the type `webhook.test.v1`.
        """
        registered = told.webhook.registered
        asked = await self._sent("OPTIONS", registered.url, {"webhook-request-origin": self._origin}, b"")
        if asked.is_delivered or not asked.reason.startswith("status-"):
            return asked
        time = spell_instant(self._clock())
        body = handshake_payload(province=self._log.handle, webhook=registered.webhook, time=time)
        return await self._post(told, message_id(self._log.handle, f"test-{registered.webhook}"), body)

    async def _post(self, told: Told, message: str, body: bytes) -> Outcome:
        now = self._clock()
        headers = signed_headers(message, int(now.timestamp()), body, await self._signing(told, now))
        return await self._sent("POST", told.webhook.registered.url, {"content-type": CONTENT_TYPE, **headers}, body)

    async def _signing(self, told: Told, now: datetime) -> list[Signing]:
        if told.webhook.registered.signing == "ed25519":
            if not self._signers:
                self._signers[""] = await key_pair_of(self._log)
            return [self._signers[""]]
        secrets = told.secrets_at(now)
        for secret in secrets:
            if secret not in self._signers:
                self._signers[secret] = await secret_of(self._log, secret)
        return [self._signers[secret] for secret in secrets]

    async def _sent(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        try:
            async with (
                asyncio.timeout(TRY_TIMEOUT_S),
                self._client.stream(method, url, headers=_HEADERS | headers, content=body) as answer,
            ):
                read = 0
                async for piece in answer.aiter_raw():
                    read += len(piece)
                    if read > ANSWER_BYTES_MAX:
                        break
                return self._judged(method, answer)
        except _FAILURES as error:
            raise_if_cancelled()
            return Outcome(is_delivered=False, reason=_why(error))

    def _judged(self, method: str, answer: httpx.Response) -> Outcome:
        status = answer.status_code
        if status in _REDIRECT:
            return Outcome(is_delivered=False, reason="redirect")
        allowed = answer.headers.get("webhook-allowed-origin", "").strip()
        if answer.is_success and (method == "POST" or allowed in {"*", self._origin}):
            return Outcome(is_delivered=True, reason="delivered")
        return Outcome(
            is_delivered=False,
            reason=f"status-{status}",
            retry_after_s=_seconds(answer.headers.get("retry-after", ""), self._clock()),
        )


def _seconds(retry_after: str, now: datetime) -> float:
    """Return how long a receiver asks to be left alone (RFC 9110, section 10.2.3); 0 when it says nothing of sense."""
    if retry_after.isascii() and retry_after.isdecimal():
        return int(retry_after[:6])  # as it is bounded anyhow
    try:
        return max((parsedate_to_datetime(retry_after) - now).total_seconds(), 0)
    except (ValueError, TypeError, OverflowError):
        return 0


def _why(error: Exception) -> str:
    if isinstance(error, SSRFGuardError):
        return "address-refused"
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "timeout"
    return "tls-refused" if _is_tls(error) else "unreachable"


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


Couriers = Callable[[ProvinceLog], Courier]
