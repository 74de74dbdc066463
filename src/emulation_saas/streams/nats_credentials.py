"""A NATS credentials file: who we are, as its operator has signed it, and the key by which we prove it."""

import re
from base64 import b32decode, urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_PART: Final = re.compile(r"-{3,}BEGIN (?P<name>[A-Z ]+)-{3,}\s+(?P<text>[\w.+/=-]+)\s+-{3,}END [A-Z ]+-{3,}", re.ASCII)
_PREFIX_BYTES: Final = 2
_CHECKSUM_BYTES: Final = 2


class BadCredentialsError(Exception):
    """The file is no NATS credentials file; the message names it."""


@dataclass(frozen=True)
class Credentials:
    """What the file holds."""

    jwt: str
    key: Ed25519PrivateKey

    def token(self) -> bytearray:
        """Return the user's JWT, as the client asks for it."""
        return bytearray(self.jwt, "ascii")

    def signature(self, nonce: str) -> bytes:
        """Return the signature of the server's nonce, as the client asks for it."""
        return urlsafe_b64encode(self.key.sign(nonce.encode())).rstrip(b"=")


def read_credentials(path: Path) -> Credentials:
    """Read a credentials file: a user JWT and the seed of the user's Ed25519 key, as NATS tools write them.

    Raises:
        BadCredentialsError: it cannot be read, or holds something else.
    """
    try:
        parts = {match["name"]: match["text"] for match in _PART.finditer(path.read_text(encoding="ascii"))}
        seed = parts["USER NKEY SEED"]
        raw = b32decode(seed + "=" * (-len(seed) % 8))[_PREFIX_BYTES:-_CHECKSUM_BYTES]
        return Credentials(parts["NATS USER JWT"], Ed25519PrivateKey.from_private_bytes(raw))
    except (OSError, ValueError, KeyError) as error:
        raise BadCredentialsError(f"{path} is no NATS credentials file") from error
