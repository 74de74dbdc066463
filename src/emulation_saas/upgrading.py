"""`emulation-saas migrate`: bring the schema up to date, or say how it stands to this release."""

import argparse
import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from emulation_saas.postgres.migrating import Standing, standing_of
from emulation_saas.serving import prepare

EXIT_BEHIND: Final = 3
"""Of `--check`: there is something to apply before this release may serve."""
EXIT_AHEAD: Final = 4
"""Of `--check`: a newer release has been at work on this database."""


def add_migrate(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--database-url", help="which database")
    parser.add_argument(
        "--check",
        action="store_true",
        help=f"change nothing; exit with 0 if up to date, {EXIT_BEHIND} if there is something to apply, "
        f"{EXIT_AHEAD} if a newer release was here",
    )
    parser.add_argument("--json", action="store_true", help="print for a machine")
    parser.add_argument(
        "--post", action="store_true", help="also take away what the release before needed; once none of it runs"
    )
    parser.add_argument("--citus", action="store_true", help="spread the tables over the nodes of a Citus cluster")


def run_migrate(
    url: str, options: argparse.Namespace, *, say: Callable[[str], None], show: Callable[[str], None]
) -> int:
    """Run the command and return its exit status.

    Raises:
        MigrationError: the schema cannot be brought up to date.
        ServerRefusedError: the service must not run on this server.
    """
    if not options.check:
        applied = asyncio.run(prepare(url, say, alone=options.post, citus=options.citus))
        if options.json:
            show(msgspec.json.encode({"applied": applied}).decode() + "\n")
        return 0
    standing = asyncio.run(standing_of(url))
    show((msgspec.json.encode(standing).decode() if options.json else _told(standing)) + "\n")
    if standing.unknown:
        return EXIT_AHEAD
    return EXIT_BEHIND if standing.pending else 0


def _told(standing: Standing) -> str:
    lines = [
        f"{meaning}: {', '.join(names)}"
        for meaning, names in (
            ("applied by a newer release", standing.unknown),
            ("to be applied before this release serves", standing.pending),
            ("to be applied with --post once the release before has ended", standing.waiting),
        )
        if names
    ]
    return "\n".join(lines or ["the schema is up to date"])
