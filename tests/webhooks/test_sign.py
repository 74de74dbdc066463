"""Signatures are those of Standard Webhooks, shown on fixed vectors; the schedule is that of the standard, too."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from emulation_saas.webhooks.schedule import RETRY_AFTER_MAX_S, TRIES_AFTER_S, Schedule
from emulation_saas.webhooks.signing import KeyPair, Secret, signed_headers

MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT_S = 1614265330
BODY = b'{"test": 2432232314}'
SHARED = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_secret_signs_the_vector_of_the_standard() -> None:
    secret = Secret(base64.b64decode(SHARED))
    assert str(secret) == f"whsec_{SHARED}"
    headers = signed_headers(MESSAGE, AT_S, BODY, [secret])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (MESSAGE, "1614265330")


def test_key_signs_our_own_vector() -> None:
    pair = KeyPair(bytes(range(32)))
    assert pair.public == "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
    assert signed_headers(MESSAGE, AT_S, BODY, [pair])["webhook-signature"] == (
        "v1a,yoUrgEkc12aGqm0n4Sydmdz55xJfTz4AsAgieHFjmkR7LJtqVCZOQYzvvHjI5kAey+r4iaBGxTFRrl2iBQxtDQ=="
    )


def test_signatures_of_a_rotation_stand_side_by_side() -> None:
    both = signed_headers(MESSAGE, AT_S, BODY, [Secret(b"new"), Secret(b"old")])["webhook-signature"].split(" ")
    alone = [signed_headers(MESSAGE, AT_S, BODY, [Secret(key)])["webhook-signature"] for key in (b"new", b"old")]
    assert both == alone


def test_tries_are_those_of_the_standard_and_end() -> None:
    schedule = Schedule(chance=lambda: 0)
    waits = [schedule.next_try(tries) for tries in range(1, len(TRIES_AFTER_S) + 1)]
    assert [wait.total_seconds() for wait in waits if wait] == list(TRIES_AFTER_S[1:])
    assert waits[-1] is None
    assert 75 <= sum(TRIES_AFTER_S) / 3600 <= 76


@given(
    tries=st.integers(1, len(TRIES_AFTER_S) - 1),
    chance=st.floats(0, 1),
    asked_s=st.floats(0, 10**12, allow_nan=False),
)
def test_wait_is_never_shorter_than_scheduled_and_never_much_longer(tries: int, chance: float, asked_s: float) -> None:
    wait = Schedule(chance=lambda: chance).next_try(tries, retry_after_s=asked_s)
    assert wait is not None
    assert TRIES_AFTER_S[tries] <= wait.total_seconds() <= max(1.1 * TRIES_AFTER_S[tries] + 1, RETRY_AFTER_MAX_S)
