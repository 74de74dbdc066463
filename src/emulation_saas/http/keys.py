"""The keys of an issuer: a JWKS from a file or a URL, kept in memory, fetched again when old or when a key is unknown.

    (none) --fetched--> fresh --10 min, or an unknown kid--> due --fetched--> fresh
                                                              due --fetch failed--> due, and the old keys still serve

A fetch is tried at most once a minute. With keys that were had once, a failure changes nothing; with none, nobody of
that issuer is let in.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from emulation_saas.http.refusals import IssuerUnavailable

_FRESH_S: Final = 600
_RETRY_S: Final = 60
_TIMEOUT_S: Final = 5.0
_BYTES_MAX: Final = 262_144
_KEYS_MAX: Final = 100
_RSA_MODULUS_CHARS_MIN: Final = 342
"""Base64url characters of 2048 bits."""
_KEY_TYPES: Final = frozenset({"OKP", "EC", "RSA"})
"""No `oct`: a shared secret in a public key set would let anybody sign."""
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

_FAILURES: Final = (
    OSError,
    httpx.HTTPError,
    httpx.InvalidURL,
    msgspec.MsgspecError,
    JoseError,
    TypeError,
    ValueError,
)
_log: Final = structlog.get_logger()


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


class KeySource:
    """Where an issuer's keys come from."""

    def __init__(self, location: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a URL or the path of a file, and a clock for how old keys are. Nothing is read yet."""
        self._location = location
        self._clock = clock
        self._keys: list[Key] = []
        self._fresh_until = float("-inf")
        self._retry_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def find(self, kid: str | None) -> list[Key]:
        """Return the keys a token may have been signed by: those of its `kid`, or the only one there is.

        Raises:
            IssuerUnavailable: no keys have ever been had.
        """
        now = self._clock()
        if now >= self._fresh_until or not self._select(kid):
            await self._fetch_if_due()
        if not self._keys:
            raise IssuerUnavailable
        return self._select(kid)

    def _select(self, kid: str | None) -> list[Key]:
        if kid is None:
            return self._keys if len(self._keys) == 1 else []
        return [key for key in self._keys if key.kid == kid]

    async def _fetch_if_due(self) -> None:
        if self._fetching.locked() and self._keys:
            return  # somebody is at it, and the keys at hand serve meanwhile
        async with self._fetching:
            now = self._clock()
            if now < self._retry_at:
                return
            self._retry_at = now + _RETRY_S
            try:
                self._keys = _imported(await self._read())
            except _FAILURES as error:
                _log.warning("issuer-keys-unavailable", location=self._location, had=len(self._keys), exc_info=error)
            else:
                self._fresh_until = now + _FRESH_S

    async def _read(self) -> bytes:
        if not self._location.startswith(("https://", "http://")):
            return Path(self._location).read_bytes()  # noqa: ASYNC240 - a small local file, once in ten minutes
        received = b""
        async with (
            httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False) as client,
            asyncio.timeout(2 * _TIMEOUT_S),
            client.stream("GET", self._location, headers={"accept": "application/json"}) as response,
        ):
            response.raise_for_status()
            async for chunk in response.aiter_bytes():
                received += chunk
                if len(received) > _BYTES_MAX:
                    detail = "the key set is too large"
                    raise ValueError(detail)
        return received


def _imported(data: bytes) -> list[Key]:
    """Return the usable public keys of a JWKS.

    Raises:
        ValueError: there is none.
    """
    keys: list[Key] = []
    for raw in msgspec.json.decode(data, type=_KeySet).keys[:_KEYS_MAX]:
        if raw.get("kty") not in _KEY_TYPES or _PRIVATE & raw.keys():
            continue
        if raw["kty"] == "RSA" and len(str(raw.get("n", ""))) < _RSA_MODULUS_CHARS_MIN:
            continue
        try:
            key = JWKRegistry.import_key(raw)
            key.ensure_kid()
        except (JoseError, ValueError, TypeError, KeyError):
            continue  # one key we cannot read must not cost the others
        keys.append(key)
    if not keys:
        detail = "no usable key in the set"
        raise ValueError(detail)
    return keys
