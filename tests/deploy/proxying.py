"""`python -m tests.deploy.proxying`: the real service behind the nginx that `deploy/nginx.conf` configures.

Opens streams through it, appends, and has slow clients and one that asks too fast try to be in the way. Needs nginx
(Debian: nginx-light); prints what it saw as JSON and ends with 1 if a stream missed an event, a slow client was not let
go, or the fast one was not told so.
"""

import argparse
import asyncio
import json
import re
import shutil
import ssl
import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import monotonic
from typing import Any, Final

import httpx

from emulation_saas.http.limits import BODY_BYTES_MAX, STREAMS_PER_PERSON_MAX
from tests.deploy.load import auditor
from tests.deploy.nginx import find_nginx, proxied
from tests.serving import Served, served

PROVINCE: Final = "bac-song"
PATH: Final = f"/v1/provinces/{PROVINCE}"
EVENTS: Final = 50
SLOW: Final = 20
PATIENCE_S: Final = 30.0
EXIT_MISSING: Final = 2
FAST: Final = 8
"""Connections of who asks too fast, with so many requests at a time:"""
AT_ONCE: Final = 900
REFUSED: Final = "403"
TOO_FAST: Final = "429"


def main() -> int:
    """Try it."""
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.proxying", description=__doc__)
    parser.add_argument("--streams", type=int, default=200)
    options = parser.parse_args()
    nginx = find_nginx()
    if nginx is None:
        sys.stderr.write("nginx is not installed (Debian: apt install nginx-light)\n")
        return EXIT_MISSING
    folder = Path(tempfile.mkdtemp(prefix="emulation-proxy-"))
    folder.chmod(0o755)  # for root, whose database runs as another user
    try:
        with served(folder) as service, proxied(nginx, folder, [service.port]) as port:
            service.open_province(PROVINCE)
            seen = asyncio.run(_tried(service, port, streams=options.streams, trusted=folder / "cert.pem"))
    finally:
        shutil.rmtree(folder)
    sys.stdout.write(json.dumps(seen, indent=1) + "\n")
    is_served = seen["streams_complete"] == seen["streams"]
    is_guarded = seen["slow_let_go"] == 2 * SLOW and set(seen["fast_told"]) == {REFUSED, TOO_FAST}
    return 0 if is_served and is_guarded else 1


async def _tried(service: Served, port: int, *, streams: int, trusted: Path) -> dict[str, Any]:
    trust = ssl.create_default_context(cafile=str(trusted))
    admin = service.token(f"admin@{PROVINCE}")
    async with httpx.AsyncClient(
        base_url=f"https://127.0.0.1:{port}", headers=admin, verify=trust, timeout=PATIENCE_S, trust_env=False
    ) as client:
        tokens = [
            await auditor(service, client, PATH, f"cong-{number}")
            for number in range(-(-streams // STREAMS_PER_PERSON_MAX))
        ]
        body = {"agency": "so-nhat", "name": "Sở Nhất", "effective_on": "2020-01-01"}
        head = int((await client.post(f"{PATH}/agencies", json=body)).json()["events"][-1]["id"])
        wanted = [*range(head + 1, head + EVENTS + 1)]
        listening = [
            asyncio.create_task(_stream(port, trust, tokens[number % len(tokens)], after=head, until=wanted[-1]))
            for number in range(streams)
        ]
        slow = [asyncio.create_task(_slow_head(port, trust)) for _ in range(SLOW)]
        slow += [asyncio.create_task(_slow_body(port, trust, admin)) for _ in range(SLOW)]
        await asyncio.sleep(1)
        took: list[float] = []
        for number in range(EVENTS):
            began = monotonic()
            body = {"agency": f"so-{number}", "name": f"Sở {number}", "effective_on": "2020-01-01"}
            answer = await client.post(f"{PATH}/agencies", json=body)
            assert answer.status_code == 201, answer.text
            took.append(monotonic() - began)
        heard = await asyncio.gather(*listening)
        let_go = await asyncio.gather(*slow)
        typed = {"content-type": "application/json"}
        large = await client.post(f"{PATH}/agencies", content=b" " * (BODY_BYTES_MAX + 1), headers=typed)
        assert (large.status_code, large.json()["code"]) == (413, "body-too-large"), large.text
    fast = sum(await asyncio.gather(*[_fast(port, trust) for _ in range(FAST)]), Counter[str]())
    return {
        "streams": streams,
        "streams_complete": sum(positions == wanted for positions in heard),
        "events": EVENTS,
        "command_p50_ms": round(sorted(took)[len(took) // 2] * 1_000, 1),
        "command_max_ms": round(max(took) * 1_000, 1),
        "slow_let_go": sum(seconds < PATIENCE_S for seconds in let_go),
        "slow_longest_s": round(max(let_go), 1),
        "fast_told": dict(fast),
    }


async def _stream(port: int, trust: ssl.SSLContext, token: str, *, after: int, until: int) -> list[int]:
    """Return the positions that a stream told, as they came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
    head = f"GET {PATH}/events?after={after} HTTP/1.1\r\nHost: emulation.example\r\nAuthorization: {token}\r\n"
    writer.write(f"{head}Accept: text/event-stream\r\n\r\n".encode())
    positions: list[int] = []
    async with asyncio.timeout(4 * PATIENCE_S):
        while not positions or positions[-1] < until:
            line = await reader.readline()
            assert line, "the stream ended"
            if line.startswith(b"id: "):
                positions.append(int(line[4:]))
    writer.close()
    return positions


async def _fast(port: int, trust: ssl.SSLContext) -> Counter[str]:
    """Ask for what is nobody's many times at once; return how often which status was the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
    asking = b"GET /metrics HTTP/1.1\r\nHost: emulation.example\r\n"
    writer.write((asking + b"\r\n") * (AT_ONCE - 1) + asking + b"Connection: close\r\n\r\n")
    async with asyncio.timeout(PATIENCE_S):
        told = await reader.read(-1)
    writer.close()
    return Counter(re.findall(r"^HTTP/1.1 (\d+) ", told.decode(), re.MULTILINE))


async def _slow_head(port: int, trust: ssl.SSLContext) -> float:
    return await _until_let_go(port, trust, b"GET / HTTP/1.1\r\nHost: emulation.example\r\nX-Slow: ")


async def _slow_body(port: int, trust: ssl.SSLContext, admin: dict[str, str]) -> float:
    head = f"POST {PATH}/agencies HTTP/1.1\r\nHost: emulation.example\r\nAuthorization: {admin['authorization']}\r\n"
    return await _until_let_go(
        port, trust, f"{head}Content-Type: application/json\r\nContent-Length: 900\r\n\r\n{{".encode()
    )


async def _until_let_go(port: int, trust: ssl.SSLContext, beginning: bytes) -> float:
    """Send the beginning of a request and nothing more; return how long it took until the proxy had enough."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
    writer.write(beginning)
    began = monotonic()
    try:
        async with asyncio.timeout(PATIENCE_S):
            await reader.read()
    except (TimeoutError, ConnectionError):
        return PATIENCE_S
    finally:
        writer.close()
    return monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
