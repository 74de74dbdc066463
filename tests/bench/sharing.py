"""`python -m tests.bench.sharing`: one province asks ten times what it does usually; what do the others notice?

Six provinces vote at the same pace, at one worker. Then one of them votes at ten times its pace, and then as fast as 64
connections are answered, first with its share (twice the usual pace), then without any. Printed is how long the votes
of the other five took. Nothing is asserted; the rows without a share show what the share is good for.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from emulation_saas.http.local_issuer import LocalIssuer
from emulation_saas.serving import worker_environment
from emulation_saas.settings import Settings
from tests.bench.load import Sender
from tests.bench.paced import Job, Outcome
from tests.bench.serving import Partner, partner, serving, with_tests
from tests.bench.world import BLOC, YEAR, World, build
from tests.database import fresh_database, start_database
from tests.logs import keep_master_key, running_logs

PROVINCES: Final = 6
VOTERS: Final = 16
CONNECTIONS: Final = 64
USUAL_PER_S: Final = 40.0
SHARE_PER_S: Final = 80
"""Of a province, where it has one: twice the usual."""
NO_SHARE: Final = 1_000_000
ROUNDS: Final = 3
SECONDS: Final = 8.0
PHASES: Final = {"usual": USUAL_PER_S, "ten times": 10 * USUAL_PER_S, "as fast as it can": 0.0}
OUTPUT: Final = Path(__file__).parents[2] / "build" / "sharing.json"


class Noticed(msgspec.Struct, frozen=True):
    """What came of one phase: the median round, by the others' p99."""

    phase: str
    has_share: bool
    others_p50_ms: float
    others_p99_ms: float
    ratio: float
    """Of the others' p99 to that of the usual, with the same share."""
    hot_per_s: float
    hot_refused_per_s: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table and write `build/sharing.json`."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sharing", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it runs; proves nothing")
    parser.add_argument("--json", action="store_true", help="print for a machine")
    options = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="emulation-bench-"))
    folder.chmod(0o755)  # for root, whose server runs as another user
    try:
        server = start_database(folder)
        try:
            noticed = measure(asyncio.run(fresh_database(server)), folder, quick=options.quick)
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_bytes(msgspec.json.format(msgspec.json.encode(noticed)))
    sys.stdout.write(OUTPUT.read_text() + "\n" if options.json else table(noticed))
    return 0


def measure(url: str, folder: Path, *, quick: bool) -> list[Noticed]:
    """Measure all phases, with a share and without."""
    worlds = asyncio.run(_built(url))
    issuer = LocalIssuer(folder)
    keep_master_key(folder)
    noticed: list[Noticed] = []
    for share in (SHARE_PER_S, NO_SHARE):
        settings = Settings(data=folder, requests_per_province=share)
        env = with_tests(worker_environment(settings, url=url, local=True))
        program = [sys.executable, "-m", "emulation_saas", "worker"]
        with ExitStack() as stack:
            log = folder / f"{share}.log"
            port = stack.enter_context(serving(program, env=env, log=log, health="/health/ready")).port
            hot, others = (stack.enter_context(partner("tests.bench.paced", env)) for _ in range(2))
            callers = _Callers(port, worlds, issuer, 1.0 if quick else SECONDS)
            callers.vote(hot, others, USUAL_PER_S)  # the first votes read their facts
            for phase, per_s in PHASES.items():
                _say(f"{phase}, share {share}/s")
                rounds = [callers.vote(hot, others, per_s) for _ in range(1 if quick else ROUNDS)]
                noticed.append(_noticed(phase, rounds, noticed, has_share=share != NO_SHARE))
                _say(f"  the others' p99: {noticed[-1].others_p99_ms} ms")
    return noticed


class _Callers:
    """The votes of all provinces: of the hot one by one process, of the others by another."""

    def __init__(self, port: int, worlds: list[World], issuer: LocalIssuer, seconds: float) -> None:
        self._port = port
        self._worlds = [
            (world, [Sender(issuer.issue(voter.sub), voter.agency) for voter in world.voters]) for world in worlds
        ]
        self._seconds = seconds

    def vote(self, hot: Partner, others: Partner, hot_per_s: float) -> tuple[Outcome, Outcome]:
        """Vote everywhere at once; return what came of it in the hot province, and in the others."""
        (first, voters), *usual = self._worlds
        many = voters * (CONNECTIONS // VOTERS) if hot_per_s == 0 else voters
        hot.tell([self._job(first, many, hot_per_s, delay=0)])
        others.tell(
            [
                self._job(world, senders, USUAL_PER_S, delay=number / PROVINCES)
                for number, (world, senders) in enumerate(usual, 1)
            ]
        )
        return hot.hear(Outcome), others.hear(Outcome)

    def _job(self, world: World, senders: list[Sender], per_s: float, *, delay: float) -> Job:
        path = f"/v1/provinces/{world.province}/blocs/{BLOC}/years/{YEAR}/ballots/{world.ballots[0]}/votes"
        return Job(self._port, path, senders, per_s, self._seconds, delay)


def _noticed(phase: str, rounds: list[tuple[Outcome, Outcome]], before: list[Noticed], *, has_share: bool) -> Noticed:
    hot, others = sorted(rounds, key=lambda each: each[1].p99_ms)[len(rounds) // 2]
    if others.others or others.refused:
        raise RuntimeError(f"the others were answered {others.others}, {others.refused} refused")
    usual = next((each.others_p99_ms for each in before if each.has_share == has_share), others.p99_ms)
    return Noticed(
        phase=phase,
        has_share=has_share,
        others_p50_ms=round(others.p50_ms, 2),
        others_p99_ms=round(others.p99_ms, 2),
        ratio=round(others.p99_ms / usual, 2),
        hot_per_s=round(hot.accepted / hot.took_s, 1),
        hot_refused_per_s=round(hot.refused / hot.took_s, 1),
    )


def table(noticed: list[Noticed]) -> str:
    """Return it for people."""
    lines = [f"{PROVINCES - 1} provinces vote {USUAL_PER_S:.0f} times a second each, at one worker; the sixth votes"]
    lines += [f"{'':<20}{'share':>8}{'others p50':>12}{'p99':>10}{'ratio':>8}{'its votes':>12}{'refused':>10}"]
    lines += [
        f"{each.phase:<20}{f'{SHARE_PER_S}/s' if each.has_share else 'none':>8}{each.others_p50_ms:>9.1f} ms"
        f"{each.others_p99_ms:>7.1f} ms{each.ratio:>8.2f}{each.hot_per_s:>10.0f}/s{each.hot_refused_per_s:>8.0f}/s"
        for each in noticed
    ]
    return "\n".join(lines) + "\n"


async def _built(url: str) -> list[World]:
    async with running_logs(url) as logs:
        return [await build(logs, f"tinh-{number}", voters=VOTERS, ballots=1) for number in range(PROVINCES)]


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
