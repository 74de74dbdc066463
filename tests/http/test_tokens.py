"""Only tokens of a trusted issuer, for this service, now, by an allowed algorithm, tell who calls."""

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from emulation_saas.http.keys import KeySource
from emulation_saas.http.limits import TOKEN_BYTES_MAX
from emulation_saas.http.refusals import UnknownCaller
from emulation_saas.http.tokens import Caller, TrustedIssuer, Verifier
from tests.http.notebook import AUDIENCE, ISSUER, KEY, PRIVATE_KEY, jwks, token

EC = ECKey.generate_key("P-256", parameters={"kid": "e1"})
EC_384 = ECKey.generate_key("P-384", parameters={"kid": "e3"})
RSA = RSAKey.generate_key(2048, parameters={"kid": "r1"})
ENC = OKPKey.generate_key("Ed25519", parameters={"kid": "x1", "use": "enc"})
OTHER = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})


AnyKey = OKPKey | ECKey | RSAKey


class Clock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def verifier(folder: Path, clock: Clock | None = None) -> Verifier:
    path = jwks(folder, KEY, EC, RSA, EC_384, ENC)
    trusted = TrustedIssuer(issuer=ISSUER, audience=AUDIENCE, keys=KeySource(path))
    return Verifier([trusted], clock=clock or time.time)


def segment(value: object) -> str:
    data = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    signing = f"{segment(header)}.{segment(claims)}"
    return f"{signing}.{segment(sign(signing.encode()))}"


async def refused(verifier: Verifier, text: str | bytes) -> None:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(UnknownCaller):
        await verifier.verify(data)
    assert verifier.remembered(data) is None


@pytest.mark.parametrize(
    ("key", "header"),
    [
        (KEY, {}),
        (KEY, {"alg": "EdDSA"}),
        (KEY, {"typ": "at+jwt"}),
        (KEY, {"typ": "application/at+JWT"}),
        (EC, {"alg": "ES256", "kid": "e1"}),
        (RSA, {"alg": "RS256", "kid": "r1"}),
    ],
)
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
async def test_allowed_algorithms_tell_who_calls(tmp_path: Path, key: AnyKey, header: dict[str, Any]) -> None:
    named = {"alg": "Ed25519", "kid": "k1"} | header
    claims = {"iss": ISSUER, "aud": [AUDIENCE, "other"], "sub": "ada", "exp": int(time.time()) + 60}
    text = jwt.encode(named, claims, key, registry=JWSRegistry(algorithms=[named["alg"]]))
    assert await verifier(tmp_path).verify(text.encode()) == Caller(ISSUER, "ada")


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": "now"},
        {"iss": "https://other.example"},
        {"iss": None},
        {"iss": [ISSUER]},
        {"aud": "other"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a\nb"},
        {"sub": "x" * 256},
        {"nonce": "n"},
        {"at_hash": "h"},
    ],
)
async def test_claims_that_are_not_for_us_now_are_refused(tmp_path: Path, claims: dict[str, Any]) -> None:
    await refused(verifier(tmp_path), token(**claims))


def off(claim: str, off_s: int) -> str:
    claims: dict[str, Any] = {claim: int(time.time()) + off_s}
    return token(**claims)


@pytest.mark.parametrize(("claim", "off_s"), [("exp", -10), ("nbf", 10), ("iat", 10)])
async def test_clocks_may_differ_by_seconds(tmp_path: Path, claim: str, off_s: int) -> None:
    assert await verifier(tmp_path).verify(off(claim, off_s).encode()) == Caller(ISSUER, "ada")


@pytest.mark.parametrize(("claim", "off_s"), [("exp", -35), ("nbf", 60), ("iat", 60)])
async def test_clocks_may_not_differ_by_more(tmp_path: Path, claim: str, off_s: int) -> None:
    await refused(verifier(tmp_path), off(claim, off_s))


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "nobody"},
        {"kid": 7},
        {"kid": "e1"},
        {"kid": "x1"},
        {"typ": "ID"},
        {"typ": "logout+jwt"},
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/cert"},
        {"jwk": KEY.as_dict(private=False)},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
        {"zip": "DEF"},
    ],
)
async def test_headers_that_lead_elsewhere_are_refused(tmp_path: Path, header: dict[str, Any]) -> None:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": int(time.time()) + 60}
    named = {"alg": "Ed25519", "kid": "k1", "typ": "JWT"} | header
    await refused(verifier(tmp_path), signed(named, claims, PRIVATE_KEY.sign))


async def test_an_embedded_key_signs_for_nobody(tmp_path: Path) -> None:
    await refused(verifier(tmp_path), token(key=OTHER, header={"jwk": OTHER.as_dict(private=False)}))


async def test_a_foreign_key_under_a_known_name_is_refused(tmp_path: Path) -> None:
    await refused(verifier(tmp_path), token(key=OTHER))


async def test_no_signature_is_refused(tmp_path: Path) -> None:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": int(time.time()) + 60}
    for algorithm in ("none", "None", "NONE", ""):
        await refused(verifier(tmp_path), f"{segment({'alg': algorithm, 'kid': 'k1'})}.{segment(claims)}.")


async def test_a_public_key_is_no_shared_secret(tmp_path: Path) -> None:
    secret = RSA.as_pem(private=False)
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": int(time.time()) + 60}
    text = signed({"alg": "HS256", "kid": "r1"}, claims, lambda signing: hmac.digest(secret, signing, "sha256"))
    await refused(verifier(tmp_path), text)


async def test_a_curve_goes_with_its_algorithm_only(tmp_path: Path) -> None:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": int(time.time()) + 60}
    for algorithm, key in (("ES384", EC_384), ("ES256", EC_384), ("RS512", RSA), ("PS256", RSA)):
        header = {"alg": algorithm, "kid": key.kid}
        await refused(verifier(tmp_path), f"{segment(header)}.{segment(claims)}.{segment('signature')}")


@pytest.mark.parametrize(
    "text",
    [b"", b".", b"..", b"a.b.c", b"e30.e30.", b"\xff.\xff.\xff", b"W10.W10.W10", b"x" * (TOKEN_BYTES_MAX + 1)],
)
async def test_what_is_no_token_is_refused(tmp_path: Path, text: bytes) -> None:
    await refused(verifier(tmp_path), text)


async def test_a_changed_token_is_refused(tmp_path: Path) -> None:
    header, claims, signature = token().split(".")
    await refused(verifier(tmp_path), f"{header}.{claims[:-2]}AA.{signature}")
    await refused(verifier(tmp_path), f"{header}.{claims}.{signature[:-4]}AAAA")


async def test_the_same_subject_of_two_issuers_is_two_callers(tmp_path: Path) -> None:
    path = jwks(tmp_path)
    names = [ISSUER, "https://second.example"]
    both = Verifier([TrustedIssuer(issuer=name, audience=AUDIENCE, keys=KeySource(path)) for name in names])
    callers = {await both.verify(token(iss=name).encode()) for name in names}
    assert callers == {Caller(name, "ada") for name in names}


async def test_a_token_is_remembered_for_a_minute(tmp_path: Path) -> None:
    clock = Clock()
    known = verifier(tmp_path, clock)
    text = token(exp=int(clock.now) + 3600).encode()
    assert known.remembered(text) is None
    await known.verify(text)
    clock.now += 59
    assert known.remembered(text) == Caller(ISSUER, "ada")
    clock.now += 2
    assert known.remembered(text) is None


async def test_a_token_is_never_remembered_past_its_end(tmp_path: Path) -> None:
    clock = Clock()
    known = verifier(tmp_path, clock)
    text = token(exp=int(clock.now) + 5).encode()
    await known.verify(text)
    clock.now += 36
    assert known.remembered(text) is None
    await refused(known, text)


async def test_memory_of_tokens_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulation_saas.http.tokens._REMEMBERED_MAX", 2)
    known = verifier(tmp_path)
    texts = [token(jti=str(number)).encode() for number in range(3)]
    for text in texts:
        await known.verify(text)
    assert [known.remembered(text) is not None for text in texts] == [False, True, True]


def test_private_halves_never_leave_the_tests() -> None:
    assert "d" not in KeySet([KEY]).as_dict(private=False)["keys"][0]
