"""The embedded mode's issuer: a key that only its owner reads, and tokens that the service accepts."""

import stat
import time
from datetime import timedelta
from pathlib import Path

import pytest

from emulation_saas.http.keys import KeySource
from emulation_saas.http.local_issuer import AUDIENCE, ISSUER, LocalIssuer
from emulation_saas.http.refusals import UnknownCaller
from emulation_saas.http.tokens import Caller, TrustedIssuer, Verifier
from emulation_saas.log.key_files import KeyExposedError


def verifier(issuer: LocalIssuer) -> Verifier:
    return Verifier([TrustedIssuer(issuer=ISSUER, audience=AUDIENCE, keys=KeySource(str(issuer.jwks)))])


async def test_its_tokens_are_accepted(tmp_path: Path) -> None:
    issuer = LocalIssuer(tmp_path)
    assert await verifier(issuer).verify(issuer.issue("ada").encode()) == Caller(ISSUER, "ada")


async def test_its_tokens_end(tmp_path: Path) -> None:
    issuer = LocalIssuer(tmp_path, clock=lambda: time.time() - 7200)
    with pytest.raises(UnknownCaller):
        await verifier(issuer).verify(issuer.issue("ada", lifetime=timedelta(hours=1)).encode())


async def test_the_key_outlives_the_process(tmp_path: Path) -> None:
    first = LocalIssuer(tmp_path)
    second = LocalIssuer(tmp_path)
    assert await verifier(first).verify(second.issue("ada").encode()) == Caller(ISSUER, "ada")


def test_nothing_else_is_left_beside_the_key(tmp_path: Path) -> None:
    LocalIssuer(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["local-issuer.jwk", "local-issuer.jwks"]


def test_the_key_is_its_owner_s_alone(tmp_path: Path) -> None:
    issuer = LocalIssuer(tmp_path)
    key = tmp_path / "local-issuer.jwk"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert b'"d"' in key.read_bytes()
    assert b'"d"' not in issuer.jwks.read_bytes()


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    LocalIssuer(tmp_path)
    (tmp_path / "local-issuer.jwk").chmod(0o640)
    with pytest.raises(KeyExposedError):
        LocalIssuer(tmp_path)
