"""The service on trial: whatever breaks, nothing acknowledged is lost, nothing happens twice, nothing is missing.

    python -m tests.faults [--only worker,power,…] [--quick] [--json]

Each experiment breaks one thing again and again while clients write, then holds what the clients were told against what
the database holds: every acknowledged event is there, at its position and byte for byte; every event there was told to
exactly one command; positions are gapless; each key is stored once with its answer; the Merkle root is that of the
bytes, and every signed checkpoint that was handed out is of the same log; every document is what a fold of its events
says at its checkpoint. Then the same is done with something broken on purpose, and that must be found.

Progress goes to stderr; a table (with --json: a JSON object) to stdout; the same object to build/faults.json.
Exit status: 0 nothing is wrong and every mutant was caught; 1 something is wrong; 2 it could not be tried.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from time import monotonic
from typing import Any, Final

import structlog

from tests.faults import clocks, disks, holes, kills, networks, poisons, power, subscribers
from tests.faults.load import WrongAnswerError
from tests.faults.trials import Experiment, Outcome, Say, a_place

EXPERIMENTS: Final[dict[str, Experiment]] = {
    name: experiment
    for module in (kills, power, networks, holes, disks, clocks, poisons, subscribers)
    for name, experiment in module.EXPERIMENTS.items()
}
FIGURES: Final = Path("build/faults.json")

Figures = dict[str, Any]


def main() -> int:
    """Run the experiments that are asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(EXPERIMENTS), help=f"some of {', '.join(EXPERIMENTS)}")
    parser.add_argument("--quick", action="store_true", help="a few tries of each, to see that it runs")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON instead of a table")
    options = parser.parse_args()
    chosen = options.only.split(",")
    if not set(chosen) <= EXPERIMENTS.keys():
        parser.error(f"the experiments are {', '.join(EXPERIMENTS)}")
    if os.geteuid() != 0 and (rooted := [name for name in chosen if EXPERIMENTS[name].needs_root]):
        sys.stderr.write(f"only root may mount file systems, as {', '.join(rooted)} must; leave out with --only\n")
        return 2
    logging.disable()  # each fault is a warning of the service's parts that run in this process
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # as much
    figures: dict[str, Figures] = {}
    for name in chosen:
        figures[name] = asyncio.run(tried(name, EXPERIMENTS[name], is_quick=options.quick))
        FIGURES.parent.mkdir(exist_ok=True)
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write((json.dumps(figures) if options.json else table(figures)) + "\n")
    return 1 if any(each["wrong"] for each in figures.values()) else 0


async def tried(name: str, experiment: Experiment, *, is_quick: bool) -> Figures:
    """Run an experiment, then its mutant; return the figures."""

    def say(what: str) -> None:
        sys.stderr.write(f"{name}: {what}\n")
        sys.stderr.flush()

    began_s = monotonic()
    say(f"{experiment.quick if is_quick else experiment.tries} tries")
    outcome = await run(experiment, experiment.quick if is_quick else experiment.tries, say, is_mutant=False)
    took_s = monotonic() - began_s
    say(f"mutant: {experiment.mutant}")
    mutant = await run(experiment, experiment.mutant_tries, lambda _: None, is_mutant=True)
    found = outcome.found
    wrong = [*found.wrong[:20]]
    wrong += [f"{what}: {many}" for what in ("lost", "doubled", "gaps") if (many := getattr(found, what))]
    if mutant.found.is_clean:
        wrong.append("the mutant was not caught")
    figures: Figures = {
        "tries": outcome.tries,
        "acknowledged": outcome.acknowledged,
        "lost": found.lost,
        "doubled": found.doubled,
        "gaps": found.gaps,
        "worst_gap_s": round(outcome.worst_gap_s, 2),
        **{what: round(figure, 3) for what, figure in outcome.told.items()},
        "seconds": round(took_s, 1),
        "mutant": experiment.mutant,
        "mutant_caught": not mutant.found.is_clean,
        "mutant_found": {
            "lost": mutant.found.lost,
            "doubled": mutant.found.doubled,
            "gaps": mutant.found.gaps,
            "wrong": mutant.found.wrong[:3],
        },
        "wrong": wrong,
    }
    say(json.dumps(figures))
    return figures


async def run(experiment: Experiment, tries: int, say: Say, *, is_mutant: bool) -> Outcome:
    """Run an experiment once; a wrong answer ends it, and is what is wrong."""
    outcome = Outcome()
    with a_place() as place:
        try:
            outcome = await experiment.run(tries, place, say, is_mutant=is_mutant)
        except* WrongAnswerError as errors:
            outcome.found.wrong += [str(error) for error in errors.exceptions]
    return outcome


def table(figures: dict[str, Figures]) -> str:
    """Return the figures as text."""
    heads = ("tries", "acknowledged", "lost", "doubled", "gaps", "worst_gap_s", "mutant_caught")
    lines = [f"{'experiment':<12}" + "".join(f"{head:>14}" for head in heads)]
    for name, each in figures.items():
        lines.append(f"{name:<12}" + "".join(f"{_spelled(each[head]):>14}" for head in heads))
        lines += [f"  WRONG {what}" for what in each["wrong"]]
    return "\n".join(lines)


def _spelled(figure: object) -> str:
    return ("yes" if figure else "NO") if isinstance(figure, bool) else str(figure)


if __name__ == "__main__":
    sys.exit(main())
