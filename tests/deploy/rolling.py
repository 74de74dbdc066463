"""`python -m tests.deploy.rolling`: two replicas on one database are restarted in turn, under load, behind a proxy.

Writers post through the proxy without a pause, and subscribers follow the log. Nobody may be answered with a 5xx, no
acknowledged command may be lost or doubled, and every subscriber must come to see every position once, in order. With
nginx installed the proxy is nginx with `deploy/nginx.conf`, else the small one of `balancing.py`. Progress goes to
stderr, a JSON object to stdout; exit status 1: something was seen that may not be.
"""

import argparse
import asyncio
import json
import logging
import shutil
import ssl
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from emulation_saas.client import Feed
from tests.database import fresh_database, start_database
from tests.deploy.balancing import balanced
from tests.deploy.load import Writers, auditor
from tests.deploy.nginx import find_nginx, proxied
from tests.serving import Served

PROVINCE: Final = "bac-song"
PATH: Final = f"/v1/provinces/{PROVINCE}"
TIMEOUT_S: Final = 60.0
SETTLES_S: Final = 3.0
"""Longer than the proxy leaves alone a replica that was away (`fail_timeout`)."""
FAULTS: Final = ("lost", "doubled", "gaps", "refused", "subscribers_incomplete", "stops_too_long")
STOP_MAX_S: Final = 10.0


def main() -> int:
    """Try it."""
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.rolling", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="restarts of each replica")
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--subscribers", type=int, default=40)
    parser.add_argument("--proxy", choices=("nginx", "small"), help="nginx, where it is installed, if not given")
    options = parser.parse_args()
    nginx = None if options.proxy == "small" else find_nginx()
    if nginx is None and options.proxy == "nginx":
        sys.stderr.write("nginx is not installed (Debian: apt install nginx-light)\n")
        return 2
    logging.getLogger("emulation_saas.client").setLevel(logging.ERROR)  # each end of a stream is a warning
    folder = Path(tempfile.mkdtemp(prefix="emulation-rolling-"))
    folder.chmod(0o755)  # for root, whose database runs as another user
    database = start_database(folder)
    try:
        seen = asyncio.run(_tried(folder, asyncio.run(fresh_database(database)), nginx, options))
    finally:
        database.stop()
        shutil.rmtree(folder)
    sys.stdout.write(json.dumps(seen, indent=1) + "\n")
    return 1 if any(seen[fault] for fault in FAULTS) else 0


async def _tried(folder: Path, url: str, nginx: str | None, options: argparse.Namespace) -> dict[str, Any]:
    replicas = [Served(folder, workers=1, database_url=url, name=f"replica-{number}") for number in (1, 2)]
    async with running(replicas):
        if nginx is None:
            async with balanced([each.port for each in replicas]) as port:
                return await rolled(replicas, f"http://127.0.0.1:{port}", trust=True, options=options, say=_say)
        with proxied(nginx, folder, [each.port for each in replicas]) as port:
            trust = ssl.create_default_context(cafile=str(folder / "cert.pem"))
            return await rolled(replicas, f"https://127.0.0.1:{port}", trust=trust, options=options, say=_say)


@asynccontextmanager
async def running(replicas: Sequence[Served]) -> AsyncGenerator[None]:
    """Have replicas serve while inside."""
    try:
        for each in replicas:
            each.start()
        for each in replicas:
            await asyncio.to_thread(each.wait_until_ready)
        yield
    finally:
        for each in replicas:
            await asyncio.to_thread(each.end)


async def rolled(
    replicas: Sequence[Served],
    url: str,
    *,
    trust: ssl.SSLContext | bool,
    options: argparse.Namespace,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Restart the replicas in turn while they are asked through the proxy at a URL; return what was seen."""
    await asyncio.to_thread(replicas[0].open_province, PROVINCE)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(
        base_url=url,
        headers=replicas[0].token(f"admin@{PROVINCE}"),
        verify=trust,
        timeout=TIMEOUT_S,
        trust_env=False,
        limits=limits,
    ) as client:
        token = await auditor(replicas[0], client, PATH, "kiem-toan")
        writers = Writers(client, PATH)
        writing = asyncio.create_task(writers.run(options.writers))
        heard: list[list[int]] = [[] for _ in range(options.subscribers)]
        reading = httpx.AsyncClient(verify=trust, timeout=TIMEOUT_S, trust_env=False, limits=limits)
        listening = [asyncio.create_task(_follow(url, token, reading, into)) for into in heard]
        stops: list[float] = []
        for number in range(options.rounds):
            for replica in replicas:
                await asyncio.sleep(SETTLES_S)
                code, took_s = await asyncio.to_thread(replica.stop)
                assert code == 0, replica.output()[-2000:]
                stops.append(took_s)
                replica.start()
                await asyncio.to_thread(replica.wait_until_ready)
                say(f"round {number + 1}: one stopped in {took_s:.1f} s, and serves again")
        writers.is_over = True
        await writing
        seen = await writers.compared(token)
        head = int(seen["events"])
        await _come(heard, head)
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        await reading.aclose()
    complete = [positions == [*range(1, head + 1)] for positions in heard]
    return {
        **seen,
        "refused": {str(status): count for status, count in writers.statuses.items()},
        "restarts": len(stops),
        "stop_worst_s": round(max(stops), 2),
        "stops_too_long": sum(took_s > STOP_MAX_S for took_s in stops),
        "subscribers": len(heard),
        "subscribers_incomplete": len(heard) - sum(complete),
    }


async def _follow(url: str, token: str, http: httpx.AsyncClient, into: list[int]) -> None:
    """Follow the log as an integrator does, for ever."""
    async with (
        Feed(url, PROVINCE, token=token.removeprefix("Bearer "), http=http) as feed,
        aclosing(feed.events(gapless=True)) as events,
    ):
        async for event in events:
            into.append(event.position)  # noqa: PERF401 - it never ends


async def _come(heard: Sequence[Sequence[int]], head: int) -> None:
    """Wait until every subscriber has come to the head; who has not in time is incomplete."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            while any(not positions or positions[-1] < head for positions in heard):  # noqa: ASYNC110 - others' lists
                await asyncio.sleep(0.05)
    except TimeoutError:
        return


def _say(text: str) -> None:
    sys.stderr.write(f"rolling: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
