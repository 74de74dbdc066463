"""Receivers of webhooks as they are out there: TLS servers that answer as they please."""

import asyncio
import ssl
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

OK: Final = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"


def status(code: int, *headers: str) -> bytes:
    """Return an answer without a body."""
    lines = [f"HTTP/1.1 {code} X", "content-length: 0", *headers, "", ""]
    return "\r\n".join(lines).encode()


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def position(self) -> int:
        """The position that its message id names; 0 for a handshake."""
        last = self.headers.get("webhook-id", "").rpartition("_")[2]
        return int(last) if last.isdecimal() else 0


Answering = Callable[[Received], bytes | None]
"""Says what is answered; None: the connection is cut without an answer."""


def willing(request: Received) -> bytes:
    """Answer as a receiver does that wants everything."""
    return status(200, "webhook-allowed-origin: *") if request.method == "OPTIONS" else OK


@dataclass
class Receiver:
    """One server."""

    port: int = 0
    answering: Answering = willing
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    pause_s: float = 0
    """How long it takes to answer."""
    is_dripping: bool = False
    """Whether it answers a byte at a time, for ever."""

    @property
    def url(self) -> str:
        """Where it is sent to."""
        return f"https://127.0.0.1:{self.port}/hook"

    @property
    def positions(self) -> list[int]:
        """What was posted, by position, in the order it came; handshakes left out."""
        return [each.position for each in self.received if each.method == "POST" and each.position]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            while True:
                request = await _read(reader)
                self.received.append(request)
                if self.pause_s:
                    await asyncio.sleep(self.pause_s)
                while self.is_dripping:
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.05)
                answer = self.answering(request)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        writer.close()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, path, headers, body)


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the tests, and a certificate of it for this machine."""

    ca: Path
    chain: Path

    def context(self) -> ssl.SSLContext:
        """Return what a server needs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain)
        return context


def make_authority(folder: Path) -> Authority:
    """Make an authority and a certificate for `localhost` and 127.0.0.1, in files of a folder."""
    now = datetime.now(UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def signed(name: str, issuer: str, public: ec.EllipticCurvePublicKey, *, is_ca: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        )
        if is_ca:
            usage = x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            )
            builder = builder.add_extension(usage, critical=True)
        else:
            names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(ca_key, hashes.SHA256())

    ca = signed("Tests CA", "Tests CA", ca_key.public_key(), is_ca=True)
    certificate = signed("localhost", "Tests CA", key.public_key(), is_ca=False)
    made = Authority(folder / "ca.pem", folder / "chain.pem")
    made.ca.write_bytes(ca.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    made.chain.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return made


@asynccontextmanager
async def receiver(authority: Authority, answering: Answering = willing, *, port: int = 0) -> AsyncGenerator[Receiver]:
    """Lend a running receiver; at the end its connections are cut."""
    one = Receiver(answering=answering)
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await one.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=authority.context())
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


@asynccontextmanager
async def authorities() -> AsyncGenerator[Authority]:
    """Lend an authority whose files are removed at the end."""
    with tempfile.TemporaryDirectory(prefix="emulation-tests-") as folder:
        yield make_authority(Path(folder))
