"""Webhooks: whether a delivery is the service's, and of now (Standard Webhooks 1.0, `v1` and `v1a`)."""

import base64
import hmac
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from emulation_saas.client.faults import SignatureError

TOLERANCE_S: Final = 300
"""How old a delivery may be, and how far ahead its sender's clock."""
_SECRET: Final = "whsec_"  # noqa: S105 - what every one begins with
_PUBLIC: Final = "whpk_"
_TIMESTAMP_CHARS_MAX: Final = 12


def verify_webhook(headers: Mapping[str, str], body: bytes, keys: Iterable[str], *, now_s: float | None = None) -> str:
    """Return the id of a delivery that one of the keys signed within the last five minutes.

    The id is the same each time the event is sent: who has dealt with it answers 2xx and does nothing more.

    Args:
        headers: of the request; names in any case.
        body: exactly as it came. Parse it afterwards, never before.
        keys: all that are valid now: secrets (`whsec_…`, for `v1`) and public keys (`whpk_…`, for `v1a`).
        now_s: seconds since the epoch; None: this machine's clock.

    Raises:
        SignatureError: do not trust it, and answer 401.
        ValueError: one of the keys is no key, or there is none.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        identity, timestamp = given["webhook-id"], given["webhook-timestamp"]
        signatures = given["webhook-signature"].split(" ")
    except KeyError as error:
        raise SignatureError(f"the header {error} is missing") from None
    sent_at_s = _seconds(timestamp)
    if abs((time.time() if now_s is None else now_s) - sent_at_s) > TOLERANCE_S:
        raise SignatureError(f"sent at {sent_at_s}, which is not now")
    signed = b"%b.%b.%b" % (identity.encode(errors="surrogatepass"), timestamp.encode(), body)
    keys = list(keys)
    if not keys:
        raise ValueError("there is no key to verify by")
    if not any(_fits(key, signed, _of_version(signatures, key)) for key in keys):
        raise SignatureError("none of the keys signed this")
    return identity


def _seconds(timestamp: str) -> int:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _TIMESTAMP_CHARS_MAX):
        raise SignatureError("the timestamp is no number of seconds")
    return int(timestamp)


def _of_version(signatures: Iterable[str], key: str) -> Iterator[bytes]:
    """Give the signatures of the scheme that a key is for; what cannot be read is none."""
    version = "v1a" if key.startswith(_PUBLIC) else "v1"
    for signature in signatures:
        named, _, value = signature.partition(",")
        if named == version:
            try:
                yield base64.b64decode(value, validate=True)
            except ValueError:
                continue


def _fits(key: str, signed: bytes, signatures: Iterator[bytes]) -> bool:
    if key.startswith(_PUBLIC):
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.removeprefix(_PUBLIC), validate=True))
        return any(_is_of(public, signed, signature) for signature in signatures)
    if not key.startswith(_SECRET):
        raise ValueError(f"a key begins with {_SECRET} or {_PUBLIC}")
    expected = hmac.digest(base64.b64decode(key.removeprefix(_SECRET), validate=True), signed, "sha256")
    return any(hmac.compare_digest(expected, signature) for signature in signatures)


def _is_of(public: Ed25519PublicKey, signed: bytes, signature: bytes) -> bool:
    try:
        public.verify(signature, signed)
    except InvalidSignature:
        return False
    return True
