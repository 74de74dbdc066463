"""Verifying what was sent as a receiver does, with nothing of ours."""

import base64

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.webhooks.receiving import Received


def verified_by(public: str, request: Received) -> bool:
    """Tell whether a public key verifies one of a request's `v1a` signatures."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    content = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    for signature in request.headers["webhook-signature"].split(" "):
        version, _, encoded = signature.partition(",")
        if version == "v1a":
            try:
                key.verify(base64.b64decode(encoded), content)
            except InvalidSignature:
                continue
            return True
    return False
