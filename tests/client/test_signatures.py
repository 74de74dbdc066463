"""Webhooks are verified as Standard Webhooks says, by our own vectors, its own, and its own package's signatures."""

import base64
from datetime import UTC, datetime
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

from emulation_saas.client import SignatureError, verify_webhook
from emulation_saas.client.signatures import TOLERANCE_S

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the standard's own example
OTHER: Final = "whsec_" + base64.b64encode(b"another secret of 24 byte").decode()
PUBLIC: Final = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
IDENTITY: Final = "msg_p5jXN8AQM9LWM0D4loKWxJek"
NOW: Final = 1614265330
BODY: Final = b'{"test": 2432232314}'
V1: Final = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
V1A: Final = "v1a,yoUrgEkc12aGqm0n4Sydmdz55xJfTz4AsAgieHFjmkR7LJtqVCZOQYzvvHjI5kAey+r4iaBGxTFRrl2iBQxtDQ=="


def headers(*signatures: str, at: str = str(NOW), identity: str = IDENTITY) -> dict[str, str]:
    return {"Webhook-Id": identity, "webhook-timestamp": at, "WEBHOOK-SIGNATURE": " ".join(signatures)}


@pytest.mark.parametrize(
    ("signatures", "keys"),
    [
        ([V1], [SECRET]),
        ([V1A], [PUBLIC]),
        ([V1, V1A], [PUBLIC]),
        (["v1,AAAA", "v2,x", "v1,%", "nothing", V1], [OTHER, SECRET]),
        ([V1A], [SECRET, PUBLIC]),
    ],
)
def test_delivery_that_one_of_the_keys_signed_is_trusted(signatures: list[str], keys: list[str]) -> None:
    assert verify_webhook(headers(*signatures), BODY, keys, now_s=NOW) == IDENTITY


@pytest.mark.parametrize(
    ("signatures", "keys"),
    [
        ([V1], [OTHER]),
        ([V1A], [SECRET]),
        ([V1.replace("v1,", "v1a,")], [SECRET]),
        ([V1A.replace("v1a,", "v1,")], [PUBLIC]),
        (["v1a," + V1A[4:].swapcase()], [PUBLIC]),
        (["v1a,AAAA"], [PUBLIC]),
        ([V1[:-4]], [SECRET]),
        ([""], [SECRET]),
        (["v1,"], [SECRET, PUBLIC]),
    ],
)
def test_delivery_that_none_of_the_keys_signed_is_not(signatures: list[str], keys: list[str]) -> None:
    with pytest.raises(SignatureError):
        verify_webhook(headers(*signatures), BODY, keys, now_s=NOW)


@pytest.mark.parametrize("wrong", [{"identity": "msg_other"}, {"at": str(NOW + 1)}])
@pytest.mark.parametrize(("signature", "key"), [(V1, SECRET), (V1A, PUBLIC)])
def test_all_of_a_delivery_is_signed(signature: str, key: str, wrong: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        verify_webhook(headers(signature, **wrong), BODY, [key], now_s=NOW)
    with pytest.raises(SignatureError):
        verify_webhook(headers(signature), BODY + b" ", [key], now_s=NOW)


@pytest.mark.parametrize("off_s", [TOLERANCE_S, -TOLERANCE_S])
def test_delivery_may_be_five_minutes_off_and_no_more(off_s: int) -> None:
    assert verify_webhook(headers(V1), BODY, [SECRET], now_s=NOW + off_s)
    with pytest.raises(SignatureError, match="not now"):
        verify_webhook(headers(V1), BODY, [SECRET], now_s=NOW + off_s + (1 if off_s > 0 else -1))
    with pytest.raises(SignatureError, match="not now"):
        verify_webhook(headers(V1), BODY, [SECRET])


@pytest.mark.parametrize("at", ["", "now", "1e9", "-1", "9" * 400, "\uff11\uff16"])
def test_timestamp_is_a_number_of_seconds(at: str) -> None:
    with pytest.raises(SignatureError):
        verify_webhook(headers(V1, at=at), BODY, [SECRET], now_s=NOW)


def test_id_that_no_text_can_have_is_not_trusted() -> None:
    with pytest.raises(SignatureError):
        verify_webhook(headers(V1, identity="\udcff"), BODY, [SECRET], now_s=NOW)


@pytest.mark.parametrize("missing", ["Webhook-Id", "webhook-timestamp", "WEBHOOK-SIGNATURE"])
def test_header_that_is_missing_is_named(missing: str) -> None:
    given = headers(V1)
    del given[missing]
    with pytest.raises(SignatureError, match=missing.lower()):
        verify_webhook(given, BODY, [SECRET], now_s=NOW)


@pytest.mark.parametrize("keys", [[], ["secret"], ["whsec_%"], ["whpk_AAAA"]])
def test_key_that_is_none_is_the_receiver_s_own_fault(keys: list[str]) -> None:
    with pytest.raises(ValueError, match=r"key|whsec|base64"):
        verify_webhook(headers(V1, V1A), BODY, keys, now_s=NOW)


def test_what_the_standard_s_own_package_signs_is_trusted() -> None:
    now = datetime.now(UTC)
    signature = Webhook(SECRET).sign(IDENTITY, now, BODY.decode())
    given = headers(signature, at=str(int(now.timestamp())))
    assert verify_webhook(given, BODY, [SECRET]) == IDENTITY


def test_own_vector_of_the_public_key_is_that_of_the_seed() -> None:
    signed = f"{IDENTITY}.{NOW}.".encode() + BODY
    assert "v1a," + base64.b64encode(PRIVATE.sign(signed)).decode() == V1A
    assert "whpk_" + base64.b64encode(PRIVATE.public_key().public_bytes_raw()).decode() == PUBLIC
