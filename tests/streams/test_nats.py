"""How the bridge comes to its NATS server: by password, by credentials, by TLS; and what it does when it cannot."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from emulation_saas.kernel.clock import utc_now
from emulation_saas.log import Entry
from emulation_saas.streams.bridging import BrokerError
from emulation_saas.streams.nats import Nats
from tests.streams.broker import NatsServer, nats_server
from tests.streams.nats_operator import Nkey, credentials, operated

GUARDED = 'authorization { user: "cau", password: "mat-khau" }'
ENTRY = Entry(1, "agency.registered.v1", utc_now(), b'{"id":"1"}', b"")


async def reached(nats: Nats) -> None:
    """Send an event and read it back."""
    async with nats.joined("bac-song") as joined:
        await joined.extend([ENTRY])
    async with nats.joined("bac-song") as joined:
        assert joined.last is not None
        assert (joined.last.position, joined.last.body) == (1, ENTRY.body)


async def refused(nats: Nats) -> str:
    """Return why it cannot be reached."""
    with pytest.raises(BrokerError) as error:
        async with nats.joined("bac-song"):
            raise AssertionError("it was reached")
    return str(error.value)


async def test_password_stands_in_the_url(place: Path) -> None:
    with nats_server(place, GUARDED) as server:
        await reached(Nats([server.url.replace("nats://", "nats://cau:mat-khau@")]))
        for wrong in ("", "cau:sai@"):
            reason = await refused(Nats([server.url.replace("nats://", f"nats://{wrong}")]))
            assert "Authorization Violation" in reason
            assert "sai" not in reason


async def test_nobody_there_is_said_with_the_reason(place: Path) -> None:
    server = NatsServer(place)
    assert "Connect call failed" in await refused(Nats([server.url]))


async def test_first_server_that_answers_is_taken(place: Path) -> None:
    with nats_server(place) as server:
        await reached(Nats(["nats://127.0.0.1:1", server.url]))


async def test_credentials_file_proves_who_we_are(place: Path) -> None:
    configuration, text = operated()
    (place / "user.creds").write_text(text, encoding="ascii")
    with nats_server(place, configuration) as server:
        await reached(Nats([server.url], credentials=place / "user.creds"))
        assert "Authorization Violation" in await refused(Nats([server.url]))
        stolen = text.partition("-----BEGIN USER NKEY SEED")[0].partition("JWT-----\n")[2].partition("\n")[0]
        (place / "user.creds").write_text(credentials(stolen, Nkey("user")), encoding="ascii")
        assert "Authorization Violation" in await refused(Nats([server.url], credentials=place / "user.creds"))


@pytest.mark.parametrize("text", ["", "-----BEGIN NATS USER JWT-----\na\n------END NATS USER JWT------\n", "\u00e9"])
async def test_file_that_holds_no_credentials_is_said(place: Path, text: str) -> None:
    (place / "user.creds").write_text(text, encoding="utf-8")
    with nats_server(place) as server:
        assert "no NATS credentials file" in await refused(Nats([server.url], credentials=place / "user.creds"))


async def test_server_is_trusted_by_its_certificate_only(place: Path) -> None:
    certificate = certify(place)
    tls = f'tls {{ cert_file: "{certificate}", key_file: "{place / "key.pem"}" }}'
    with nats_server(place, tls) as server:
        url = server.url.replace("nats://", "tls://")
        await reached(Nats([url], ca=certificate))
        assert "certificate verify failed" in await refused(Nats([url]))
        assert "SSLError" in await refused(Nats([url], ca=place / "nats.conf"))


def test_service_needs_no_nats_where_none_is_set() -> None:
    """The modules that need it are left alone; `None` is what the importer finds where a package is missing."""
    source = "import sys; sys.modules['nats'] = None; import emulation_saas.wiring; import emulation_saas.__main__"
    subprocess.run([sys.executable, "-c", source], check=True)


async def test_server_that_hangs_holds_nobody_up(place: Path) -> None:
    with nats_server(place) as server:
        async with Nats([server.url]).joined("bac-song") as joined:
            os.kill(server.pid, signal.SIGSTOP)
            try:
                sending = asyncio.create_task(joined.extend([ENTRY]))
                await asyncio.sleep(0.2)
                sending.cancel()
                began_s = time.monotonic()
            finally:
                asyncio.get_running_loop().call_later(5, os.kill, server.pid, signal.SIGCONT)
        assert time.monotonic() - began_s < 4


def certify(place: Path) -> Path:
    """Write a key and a certificate for this machine; return where the certificate is."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    (place / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    path = place / "certificate.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path
