"""`python -m tests.deploy.failing_over`: the database's primary is lost again and again, under load.

Three machines with etcd, Patroni (`deploy/patroni.yml`: strict synchronous) and PostgreSQL, all on this one, with a lag
between them, guarded as `deploy/*.environment.example` say; the service with the addresses of all three. What is killed
is all that runs on a machine. Nothing that was acknowledged may be lost; the longest time without an acknowledgement is
printed for each loss. Then the mutant: the same without synchronous replication, which must be seen to lose something.
Needs etcd (Debian: etcd-server). Progress goes to stderr, a JSON object to stdout; exit status 1: something was lost or
is not guarded, or the mutant was not caught.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from pathlib import Path
from time import monotonic
from typing import Any, Final

import httpx

from tests.deploy.load import Writers, auditor
from tests.deploy.nodes import Cluster, find_etcd
from tests.serving import Served

PROVINCE: Final = "bac-song"
PATH: Final = f"/v1/provinces/{PROVINCE}"
LOAD_S: Final = 4.0
PATIENCE_S: Final = 90.0
ON_THEIR_WAY: Final = 64
"""More answers than can have been on their way when the primary was lost."""
FAULTS: Final = ("lost", "doubled", "gaps", "guarded_wrong")


def main() -> int:
    """Try it."""
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.failing_over", description=__doc__)
    parser.add_argument("--losses", type=int, default=3, help="of the primary, one after the other")
    parser.add_argument("--writers", type=int, default=16)
    parser.add_argument("--delay-ms", type=float, default=75.0, help="one way, between the machines")
    parser.add_argument("--only", choices=("strict", "mutant"))
    options = parser.parse_args()
    etcd = find_etcd()
    if etcd is None:
        sys.stderr.write("etcd is not installed (Debian: apt install etcd-server)\n")
        return 2
    seen: dict[str, dict[str, Any]] = {}
    for name in ("strict", "mutant"):
        if options.only in {None, name}:
            folder = Path(tempfile.mkdtemp(prefix="emulation-ha-"))
            folder.chmod(0o755)  # for root, whose databases run as another user
            try:
                seen[name] = asyncio.run(_tried(folder, etcd, options, is_synchronous=name == "strict"))
            finally:
                shutil.rmtree(folder)
            _say(f"{name}: {json.dumps(seen[name])}")
    sys.stdout.write(json.dumps(seen, indent=1) + "\n")
    wrong = "strict" in seen and any(seen["strict"][fault] for fault in FAULTS)
    missed = "mutant" in seen and not seen["mutant"]["lost"]
    return 1 if wrong or missed else 0


async def _tried(folder: Path, etcd: str, options: argparse.Namespace, *, is_synchronous: bool) -> dict[str, Any]:
    cluster = Cluster(folder, etcd=etcd, is_synchronous=is_synchronous, delay_s=options.delay_ms / 1_000)
    service: Served | None = None
    try:
        await cluster.start()
        _say("three machines found together")
        wrong = await cluster.faults()
        service = Served(folder, workers=2, database_url=cluster.url)
        service.start()
        await asyncio.to_thread(service.wait_until_ready)
        seen = await _lost(cluster, service, options, losses=options.losses if is_synchronous else 1)
        return {**seen, "guarded_wrong": wrong}
    finally:
        if service is not None:
            await asyncio.to_thread(service.end)
        await cluster.close()


async def _lost(cluster: Cluster, service: Served, options: argparse.Namespace, *, losses: int) -> dict[str, Any]:
    await asyncio.to_thread(service.open_province, PROVINCE)
    headers = service.token(f"admin@{PROVINCE}")
    async with httpx.AsyncClient(base_url=service.url, headers=headers, timeout=60, trust_env=False) as client:
        token = await auditor(service, client, PATH, "kiem-toan")
        writers = Writers(client, PATH)
        writing = asyncio.create_task(writers.run(options.writers))
        gaps: list[float] = []
        for number in range(losses):
            await asyncio.sleep(LOAD_S)
            primary = await cluster.settled(len(cluster.nodes))
            writers.worst_gap_s, before = 0.0, len(writers.acknowledged)
            cluster.lose(primary)
            _say(f"{primary.name}, the primary, is lost after {before} acknowledged commands")
            await _goes_on(writers, len(writers.acknowledged))
            gaps.append(round(writers.worst_gap_s, 1))
            _say(f"writes go on after {gaps[-1]} s")
            if number + 1 < losses:
                cluster.revive(primary)
                await cluster.settled(len(cluster.nodes))
                _say(f"{primary.name} is back")
        await asyncio.sleep(LOAD_S)
        writers.is_over = True
        await writing
        seen = await writers.compared(token)
    del seen["worst_gap_s"]
    statuses = {str(status): count for status, count in writers.statuses.items()}
    return {**seen, "losses": losses, "write_gaps_s": gaps, "not_acknowledged": statuses}


async def _goes_on(writers: Writers, acknowledged: int) -> None:
    """Wait until more is acknowledged."""
    until = monotonic() + PATIENCE_S
    while len(writers.acknowledged) <= acknowledged + ON_THEIR_WAY:
        if monotonic() > until:
            raise RuntimeError("nothing is acknowledged any more")
        await asyncio.sleep(0.1)


def _say(text: str) -> None:
    sys.stderr.write(f"failing over: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
