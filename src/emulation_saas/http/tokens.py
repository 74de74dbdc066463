"""Who asks: bearer tokens, JWTs of named issuers. A token says who somebody is; what they may do, the log says.

Accepted are EdDSA (Ed25519), ES256 and RS256, by keys of the issuer that the token names and the settings know. Headers
that would lead elsewhere for keys (`jku`, `x5u`, `jwk`, `x5c`) or that claim to be critical make a token unacceptable.
A verified token is remembered for a minute at most, because a signature costs as much as recording a vote.
"""

import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey
from joserfc.jws import JWSRegistry

from emulation_saas.http.keys import KeySource
from emulation_saas.http.limits import TOKEN_BYTES_MAX
from emulation_saas.http.refusals import UnknownCaller

LEEWAY_S: Final = 30
"""How far an issuer's clock may be from ours."""
_REMEMBERED_S: Final = 60
_REMEMBERED_MAX: Final = 10_000
SUBJECT_CHARS_MAX: Final = 255
_CURVES: Final = {"EdDSA": "Ed25519", "Ed25519": "Ed25519", "ES256": "P-256"}
_KEY_TYPES: Final = {"EdDSA": "OKP", "Ed25519": "OKP", "ES256": "EC", "RS256": "RSA"}
"""The algorithms there are, and the keys they go with. `Ed25519` is RFC 9864's name for EdDSA on that curve."""
_HEADERS: Final = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_OF_ID_TOKENS: Final = frozenset({"nonce", "at_hash", "c_hash"})
"""Claims that only ID tokens bear: proofs for a client that somebody logged in, not for us that they may call."""


class Caller(msgspec.Struct, frozen=True):
    """Whom a token names: an issuer's subject. The same subject of another issuer is somebody else."""

    issuer: str
    sub: str


class TrustedIssuer(msgspec.Struct, frozen=True, kw_only=True):
    """An issuer whose tokens are accepted, for which audience, and its keys."""

    issuer: str
    audience: str
    keys: KeySource


class _Algorithms(JWSRegistry):
    """The library's registry, kept to our algorithms, with no opinion of its own on their names."""

    def get_alg(self, name: str) -> Any:  # noqa: ANN401 - the library exports no name for it
        if name not in _KEY_TYPES:
            raise UnknownCaller
        return self.algorithms[name]


_algorithms: Final = _Algorithms(algorithms=list(_KEY_TYPES))
_Json = dict[str, Any]


class Verifier:
    """Tells callers by their tokens."""

    def __init__(self, issuers: Sequence[TrustedIssuer], *, clock: Callable[[], float] = time.time) -> None:
        """Take the issuers that are trusted, and a clock (seconds since the epoch)."""
        self._issuers = {trusted.issuer: trusted for trusted in issuers}
        self._clock = clock
        self._remembered: dict[bytes, tuple[Caller, float]] = {}

    def accepts(self, issuer: str) -> bool:
        """Tell whether an issuer's tokens are accepted."""
        return issuer in self._issuers

    def remembered(self, token: bytes) -> Caller | None:
        """Return the caller of a token that was verified within the last minute and has not expired since."""
        held = self._remembered.get(sha256(token).digest())
        return held[0] if held is not None and self._clock() < held[1] else None

    async def verify(self, token: bytes) -> Caller:
        """Return whom the token names.

        Raises:
            UnknownCaller: it is not acceptable; why is not told.
            IssuerUnavailable: its issuer's keys have never been had.
        """
        if len(token) > TOKEN_BYTES_MAX:
            raise UnknownCaller
        header, claims = _peek(token)
        algorithm = _demand_header(header)
        trusted = self._issuers.get(claims["iss"]) if isinstance(claims.get("iss"), str) else None
        if trusted is None:
            raise UnknownCaller
        for key in await trusted.keys.find(header.get("kid")):
            if _fits(key, algorithm):
                return self._verified(token, key, trusted)
        raise UnknownCaller

    def _verified(self, token: bytes, key: Key, trusted: TrustedIssuer) -> Caller:
        now = int(self._clock())
        registry = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_S,
            iss={"essential": True, "value": trusted.issuer},
            aud={"essential": True, "value": trusted.audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            claims = jwt.decode(token, key, registry=_algorithms).claims
            registry.validate(claims)
        except (JoseError, ValueError) as error:
            raise UnknownCaller from error
        sub = claims["sub"]
        if len(sub) > SUBJECT_CHARS_MAX or not sub.isprintable() or _OF_ID_TOKENS & claims.keys():
            raise UnknownCaller
        caller = Caller(trusted.issuer, sub)
        self._remember(token, caller, until=min(claims["exp"] + LEEWAY_S, now + _REMEMBERED_S))
        return caller

    def _remember(self, token: bytes, caller: Caller, *, until: float) -> None:
        if len(self._remembered) >= _REMEMBERED_MAX:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[sha256(token).digest()] = (caller, until)


def token_in(header: bytes | None) -> bytes:
    """Return the token that an Authorization header bears.

    Raises:
        UnknownCaller: it bears none.
    """
    if header is None or header[:7].lower() != b"bearer ":
        raise UnknownCaller
    return header[7:].strip()


def expires_at(token: bytes) -> float:
    """Return when a token that was verified expires, in seconds since the epoch."""
    return float(_peek(token)[1]["exp"])


def _peek(token: bytes) -> tuple[_Json, _Json]:
    """Return header and claims, unverified: enough to know whose keys to try."""
    try:
        header, claims, _ = token.split(b".")
        return _segment(header), _segment(claims)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise UnknownCaller from error


def _segment(segment: bytes) -> _Json:
    return msgspec.json.decode(urlsafe_b64decode(segment + b"=" * (-len(segment) % 4)), type=_Json)


def _demand_header(header: _Json) -> str:
    """Return the algorithm of a token whose header asks nothing of us but a signature check."""
    algorithm, kind, kid = header.get("alg"), header.get("typ", "JWT"), header.get("kid", "")
    if not header.keys() <= _HEADERS or not isinstance(kind, str) or not isinstance(kid, str):
        raise UnknownCaller
    if kind.lower() not in _TYPES or not isinstance(algorithm, str) or algorithm not in _KEY_TYPES:
        raise UnknownCaller
    return algorithm


def _fits(key: Key, algorithm: str) -> bool:
    """Tell whether a key may check this algorithm: by type, by curve, and by what the key says of itself."""
    if key.key_type != _KEY_TYPES[algorithm] or key.get("alg", algorithm) != algorithm:
        return False
    if key.get("use", "sig") != "sig":
        return False
    return not isinstance(key, ECKey | OKPKey) or key.curve_name == _CURVES[algorithm]
