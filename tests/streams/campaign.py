"""The streams on trial: nothing is lost, doubled or out of order, whatever breaks meanwhile.

    python -m tests.streams.campaign [--only feed,poll,webhooks,bridge] [--events N] [--cuts N]

Progress goes to stderr, a JSON object to stdout and to build/streams.json. Exit status 1: something went wrong.
"""

import argparse
import asyncio
import importlib
import json
import logging
import sys
from pathlib import Path
from typing import Final

PARTS: Final = {"feed": (20_000, 500), "poll": (20_000, 500), "webhooks": (2_000, 100), "bridge": (20_000, 100)}
"""Events and cuts of each. What webhooks are sent goes by TLS, and a broker takes a while to start."""
FAULTS: Final = ("lost", "doubled", "out_of_order", "altered", "cuts_missing", "internal_connections")
"""Figures that must be zero."""
FIGURES: Final = Path("build/streams.json")

Figures = dict[str, int | float]


def faults(figures: dict[str, Figures]) -> list[str]:
    """Return what went wrong."""
    return [f"{part}: {name} {told[name]}" for part, told in figures.items() for name in FAULTS if told.get(name)]


def main() -> int:
    """Run the campaign; 0 when nothing went wrong, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.streams.campaign", description="Break what streams go over.")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    parser.add_argument("--events", type=int, help="appended by 16 writers in each part")
    parser.add_argument("--cuts", type=int, help="how often something breaks in each part")
    options = parser.parse_args()
    logging.getLogger("emulation_saas.client").setLevel(logging.ERROR)  # each cut is a warning
    figures: dict[str, Figures] = {}
    for part in options.only.split(","):
        run = importlib.import_module(f"tests.streams.campaign_{part}").run

        def say(what: str, part: str = part) -> None:
            sys.stderr.write(f"{part}: {what}\n")

        events, cuts = PARTS[part]
        figures[part] = asyncio.run(run(events=options.events or events, cuts=options.cuts or cuts, say=say))
        say(json.dumps(figures[part]))
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(figures) + "\n")
    wrong = faults(figures)
    sys.stderr.write("".join(f"WRONG {what}\n" for what in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
