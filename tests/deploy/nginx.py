"""Debian's nginx with the site that `deploy/nginx.conf` configures: its ports, certificate and replicas being ours."""

import re
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Final

import httpx

from tests.deploy.certificates import make_certificate
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
    make_certificate(folder / "cert.pem", folder / "key.pem")
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
