"""The issuer of the embedded mode: one Ed25519 key in the data directory, so that one command gives tokens that work.

The private key is `local-issuer.jwk` (0600, made once); its public half is `local-issuer.jwks`, which the service reads
like any other issuer's.
"""

import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec
from joserfc import jwt
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry

from emulation_saas.log.key_files import demand_private, write_once

ISSUER: Final = "urn:emulation:issuer:local"
AUDIENCE: Final = "urn:emulation:service:local"
_ALGORITHM: Final = "Ed25519"


class LocalIssuer:
    """Issues tokens by a key of this machine."""

    def __init__(self, data: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Read the key from the data directory, or make it there if there is none.

        Raises:
            KeyExposedError: its file may be read by others.
            OSError: the directory cannot be used.
        """
        self._clock = clock
        self._path = data / "local-issuer.jwk"
        self.jwks = data / "local-issuer.jwks"
        """Where its public keys lie."""
        if not self._path.exists():
            self._make()
        demand_private(self._path)
        self._key = OKPKey.import_key(msgspec.json.decode(self._path.read_bytes(), type=dict[str, str | list[str]]))
        if not self.jwks.exists():
            write_once(self.jwks, msgspec.json.encode({"keys": [self._key.as_dict(private=False)]}), mode=0o644)

    def issue(self, sub: str, *, lifetime: timedelta = timedelta(hours=12)) -> str:
        """Return a token for a subject, good from now for a while."""
        now = int(self._clock())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": sub,
            "iat": now,
            "nbf": now,
            "exp": now + int(lifetime.total_seconds()),
            "jti": secrets.token_urlsafe(12),
        }
        header = {"alg": _ALGORITHM, "kid": self._key.kid, "typ": "at+jwt"}
        return jwt.encode(header, claims, self._key, registry=JWSRegistry(algorithms=[_ALGORITHM]))

    def _make(self) -> None:
        key = OKPKey.generate_key("Ed25519", parameters={"use": "sig", "alg": _ALGORITHM}, auto_kid=True)
        write_once(self._path, msgspec.json.encode(key.as_dict(private=True)))
