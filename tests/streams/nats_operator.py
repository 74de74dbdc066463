"""An operator of a NATS server who signs accounts and users, as NATS's own tools do: keys, JWTs, a credentials file."""

import binascii
import json
from base64 import b32encode, urlsafe_b64encode
from typing import Any, Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Kind = Literal["operator", "account", "user"]
_PREFIXES: Final[dict[Kind, int]] = {"operator": 14 << 3, "account": 0, "user": 20 << 3}
_SEED: Final = 18 << 3
_UNLIMITED: Final = {
    **dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1),
    **dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1),
}


class Nkey:
    """A key pair in the spelling of NATS."""

    def __init__(self, kind: Kind) -> None:
        self._kind: Kind = kind
        self._key = Ed25519PrivateKey.generate()

    @property
    def public(self) -> str:
        """The public key."""
        return _spelled(bytes([_PREFIXES[self._kind]]) + self._key.public_key().public_bytes_raw())

    @property
    def seed(self) -> str:
        """The private key."""
        prefix = _PREFIXES[self._kind]
        return _spelled(bytes([_SEED | prefix >> 5, (prefix & 31) << 3]) + self._key.private_bytes_raw())

    def jwt(self, subject: str, kind: Kind, **claims: Any) -> str:  # noqa: ANN401 - any JSON
        """Sign that a subject is what it is said to be."""
        said = {"jti": "x", "iat": 0, "iss": self.public, "name": kind, "sub": subject}
        said |= {"nats": {**claims, "type": kind, "version": 2}}
        text = ".".join(_base64(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ed25519-nkey"}, said))
        return f"{text}.{_base64(self._key.sign(text.encode()))}"


def operated() -> tuple[str, str]:
    """Return the configuration of a server that an operator runs, and the credentials file of a user there."""
    operator, system, account, user = Nkey("operator"), Nkey("account"), Nkey("account"), Nkey("user")
    preloaded = {
        system.public: operator.jwt(system.public, "account"),
        account.public: operator.jwt(account.public, "account", limits=_UNLIMITED),
    }
    configuration = "\n".join(
        [
            f"operator: {operator.jwt(operator.public, 'operator')}",
            f"system_account: {system.public}",
            "resolver: MEMORY",
            "resolver_preload: {",
            *(f"{key}: {jwt}" for key, jwt in preloaded.items()),
            "}",
        ]
    )
    limits = {"subs": -1, "data": -1, "payload": -1}
    return configuration, credentials(account.jwt(user.public, "user", pub={}, sub={}, **limits), user)


def credentials(jwt: str, user: Nkey) -> str:
    """Return a credentials file."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        "************************* IMPORTANT *************************\n"
        "NKEY Seed printed below can be used to sign and prove identity.\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
    )


def _spelled(raw: bytes) -> str:
    return b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).rstrip(b"=").decode()


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
