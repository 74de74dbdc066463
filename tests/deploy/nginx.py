"""Debian's nginx with the site that `deploy/nginx.conf` configures: its ports, certificate and replicas being ours."""

import re
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from typing import Final

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.serving import free_port

CONFIGURATION: Final = Path(__file__).parents[2] / "deploy" / "nginx.conf"
REPLICA: Final = re.compile(r"server 127\.0\.0\.1:8080(.*);")
START_S: Final = 30.0


def find_nginx() -> str | None:
    """Return the program, if it is installed (Debian: nginx-light)."""
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@contextmanager
def proxied(nginx: str, folder: Path, replicas: Sequence[int]) -> Generator[int]:
    """Run nginx in front of services on these ports; give the port that it listens on, by TLS (`cert.pem`)."""
    port, plain = free_port(), free_port()
    _make_certificate(folder)
    site = CONFIGURATION.read_text(encoding="utf-8")
    (told,) = REPLICA.findall(site)
    site = REPLICA.sub("\n".join(f"server 127.0.0.1:{each}{told};" for each in replicas), site)
    for pattern, text in [
        (r"listen \[::\].*;", ""),
        (r"listen 443 ", f"listen 127.0.0.1:{port} "),
        (r"listen 80;", f"listen 127.0.0.1:{plain};"),
        (r"/etc/emulation/tls/fullchain.pem", str(folder / "cert.pem")),
        (r"/etc/emulation/tls/key.pem", str(folder / "key.pem")),
    ]:
        site, count = re.subn(pattern, text, site)
        assert count, pattern
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_rlimit_nofile 8192;"
        f"events {{ worker_connections 4096; }} http {{ access_log off; {paths}\n{site}\n}}",
        encoding="utf-8",
    )
    process = subprocess.Popen([nginx, "-c", str(configuration), "-e", str(folder / "error.log")])
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = monotonic() + START_S
    while process.poll() is None and monotonic() < until:
        try:
            httpx.get(f"https://127.0.0.1:{port}/", verify=False, trust_env=False)  # noqa: S501 - whether it listens
        except httpx.HTTPError:
            continue
        return
    raise RuntimeError("nginx did not start")


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "emulation.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
