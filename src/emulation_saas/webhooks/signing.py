"""Signatures of Standard Webhooks: `v1` by a secret that the receiver shares, `v1a` by a key that it cannot sign with.

No secret is stored. Each is derived from the province's key, which lies wrapped by the master key among the personal
keys, and from an id that stands in the log: who has the database alone can derive none, and there is nothing to leak,
to clean up or to lose beside what is kept anyhow. The Ed25519 key is one a province.
"""

import base64
import hashlib
import hmac
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - how a secret begins
PUBLIC_PREFIX: Final = "whpk_"
_ED25519: Final = "webhooks/ed25519/1"


class Signing(Protocol):
    """Signs what is sent."""

    def signature(self, content: bytes) -> str:
        """Return one signature with its version."""
        ...


class Secret:
    """A secret shared with a receiver."""

    def __init__(self, key: bytes) -> None:
        """Take its bytes."""
        self._key = key

    def __str__(self) -> str:
        """Spell it as receivers are given it."""
        return SECRET_PREFIX + base64.b64encode(self._key).decode()

    def signature(self, content: bytes) -> str:
        """Return the HMAC-SHA256 of what is signed."""
        return f"v1,{base64.b64encode(hmac.digest(self._key, content, hashlib.sha256)).decode()}"


class KeyPair:
    """A province's own key."""

    def __init__(self, seed: bytes) -> None:
        """Take the 32 bytes of its private half."""
        self._private = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public(self) -> str:
        """The public half as receivers are given it."""
        return PUBLIC_PREFIX + base64.b64encode(self._private.public_key().public_bytes_raw()).decode()

    def signature(self, content: bytes) -> str:
        """Return the Ed25519 signature of what is signed."""
        return f"v1a,{base64.b64encode(self._private.sign(content)).decode()}"


class Derives(Protocol):
    """What is asked of a province's log here."""

    async def derived_key(self, purpose: str) -> bytes:
        """Return 32 bytes that only this province's key gives for a purpose."""
        ...


async def secret_of(log: Derives, secret: str) -> Secret:
    """Return the secret of an id."""
    return Secret(await log.derived_key(f"webhooks/hmac/{secret}"))


async def key_pair_of(log: Derives) -> KeyPair:
    """Return the province's key."""
    return KeyPair(await log.derived_key(_ED25519))


def signed_headers(message: str, at_s: int, body: bytes, by: list[Signing]) -> dict[str, str]:
    """Return the headers that prove who sent a message.

    Args:
        message: its id, the same for each try.
        at_s: seconds since 1970, of this try.
        body: as it is sent.
        by: whoever signs, the newest first.
    """
    content = f"{message}.{at_s}.".encode() + body
    return {
        "webhook-id": message,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(each.signature(content) for each in by),
    }
