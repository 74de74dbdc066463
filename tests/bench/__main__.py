"""`python -m tests.bench`: what the service does, side by side with what it could do at best, on this machine.

Prints a table and writes `build/bench.json`. Nothing is asserted: ratios hold on any machine, figures on this one.
"""

import argparse
import asyncio
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Final

from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.bench import catching_up, commands, indexes, proofs, rebuilding, slow_flush, streaming, travelling, votes
from tests.bench.figures import Figures, Row
from tests.database import fresh_database, start_database

ROUNDS: Final = 3
OUTPUT: Final = Path(__file__).parents[2] / "build" / "bench.json"
PARTS: Final = "abcdefghs"
Part = Callable[[EmbeddedPostgres, Path], tuple[dict[str, float], list[Row]]]


def main() -> int:
    """Measure the parts that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it runs; proves nothing")
    parser.add_argument("--only", default=",".join(PARTS), help="parts to measure, such as a,c")
    options = parser.parse_args()
    chosen = options.only.split(",")
    if not set(chosen) <= set(PARTS):
        parser.error(f"the parts are {', '.join(PARTS)}")
    figures = _measured(chosen, quick=options.quick)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    taken = "one short round" if options.quick else f"medians of {ROUNDS} rounds"
    sys.stdout.write(f"{machine}, embedded PostgreSQL, fsync on; {taken}\n{figures.table()}\n\n{OUTPUT}\n")
    return 0


def _measured(chosen: list[str], *, quick: bool) -> Figures:
    rounds = 1 if quick else ROUNDS
    parts: dict[str, tuple[str, Part]] = {
        "a": (
            votes.TITLE,
            lambda server, folder: votes.measure(
                asyncio.run(fresh_database(server)), folder, rounds=rounds, quick=quick, say=_say
            ),
        ),
        "b": (commands.TITLE, lambda server, _: commands.measure(server, rounds=rounds, quick=quick, say=_say)),
        "c": (rebuilding.TITLE, lambda server, _: rebuilding.measure(server, rounds=rounds, quick=quick, say=_say)),
        "d": (indexes.TITLE, lambda server, _: indexes.measure(server, quick=quick, say=_say)),
        "e": (proofs.TITLE, lambda server, _: proofs.measure(server, rounds=rounds, quick=quick, say=_say)),
        "f": (travelling.TITLE, lambda server, _: travelling.measure(server, rounds=rounds, quick=quick, say=_say)),
        "g": (
            streaming.TITLE,
            lambda server, folder: streaming.measure(server, folder, rounds=rounds, quick=quick, say=_say),
        ),
        "h": (
            catching_up.TITLE,
            lambda server, folder: catching_up.measure(server, folder, rounds=rounds, quick=quick, say=_say),
        ),
        "s": (slow_flush.TITLE, lambda server, _: slow_flush.measure(server, rounds=rounds, say=_say)),
    }
    figures = Figures()
    for name, (title, part) in parts.items():
        if name in chosen:
            began = perf_counter()
            figures.add(title, *_on_fresh_server(part))
            OUTPUT.parent.mkdir(exist_ok=True)
            OUTPUT.write_bytes(figures.encoded())
            _say(f"({name}) took {perf_counter() - began:.0f} s")
    return figures


def _on_fresh_server(part: Part) -> tuple[dict[str, float], list[Row]]:
    """Run a part on a server of its own, so that no part pays for what another left to vacuum or to checkpoint."""
    folder = Path(tempfile.mkdtemp(prefix="emulation-bench-"))
    folder.chmod(0o755)  # for root, whose server runs as another user
    try:
        server = start_database(folder)
        try:
            return part(server, folder)
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
