"""The command `compare`: one province's log as a restore has brought it back, against the live one, byte by byte.

The log only grows, so a restored log is the province as it was: `export --data DIR --to POSITION` writes it into a file
that `verify` checks. This says whether the two are one history, and where they part.
"""

import argparse
import asyncio
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from emulation_saas.arguments import whole
from emulation_saas.backups.faults import BackupError
from emulation_saas.log.master_key import NoMasterKey
from emulation_saas.log.reading import Entry
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.serving import data_directory
from emulation_saas.settings import Settings
from emulation_saas.wiring import logs_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from emulation_saas.log import ProvinceLog

_PAGE: Final = 1_000


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How two copies of one log compare."""

    province: str
    restored_head: int
    live_head: int
    compared_to: int
    differs_at: int | None
    """The first position at which they hold other bytes; None: they are one history as far as compared."""
    root: str | None
    """Of the tree of `compared_to`, in hexadecimal, where both have the same."""

    def told(self) -> str:
        """Say it in a line."""
        if self.differs_at is not None:
            return f"{self.province}: another history from position {self.differs_at} on"
        more = self.live_head - self.compared_to
        return f"{self.province}: the same up to position {self.compared_to}; {more} more in the live log"


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Add what `compare` may be asked."""
    parser.add_argument("province", help="the province's handle")
    parser.add_argument("--with", dest="other", type=Path, required=True, help="the data directory of a restore")
    parser.add_argument(
        "--to", dest="last", type=whole(1), help="the last position; where the shorter log ends if not given"
    )
    parser.add_argument("--database-url", help="the live database; without it the embedded one")
    parser.add_argument("--data", type=Path, help="directory of the live embedded database, running or not")
    parser.add_argument("--json", action="store_true", help="print for a machine")


def compare(settings: Settings, options: argparse.Namespace, say: Callable[[str], None]) -> Comparison:
    """Compare a province in two databases.

    Raises:
        BackupError: one of them does not know the province, or has not come so far.
        EmbeddedPostgresError, OSError: one of them cannot be had.
    """
    with _url_of(options.other, say) as restored_url:
        if settings.database_url is not None:
            return asyncio.run(_compared(settings, options, restored_url, settings.database_url))
        with _url_of(data_directory(settings), say) as live_url:
            return asyncio.run(_compared(settings, options, restored_url, live_url))


@contextmanager
def _url_of(data: Path, say: Callable[[str], None]) -> "Generator[str]":
    with EmbeddedPostgres(data, report=say).at_hand() as url:
        yield url


async def _compared(settings: Settings, options: argparse.Namespace, restored_url: str, live_url: str) -> Comparison:
    async with open_database(restored_url) as old, open_database(live_url) as new:
        restored, live = [
            await logs_of(database, origin=settings.log_origin, master=NoMasterKey()).find(options.province)
            for database in (old, new)
        ]
        if restored is None or live is None:
            where = "restored" if restored is None else "live"
            raise BackupError(f"there is no province {options.province} in the {where} database")
        heads = [(await log.head()).position for log in (restored, live)]
        last = min(heads) if options.last is None else options.last
        if not 0 < last <= min(heads):
            raise BackupError(f"position {last} is not in both: the logs end at {heads[0]} and {heads[1]}")
        differs_at = await _first_difference(restored, live, last)
        root = (await live.tree.root(last)).hex() if differs_at is None else None
    return Comparison(
        province=options.province,
        restored_head=heads[0],
        live_head=heads[1],
        compared_to=last,
        differs_at=differs_at,
        root=root,
    )


async def _first_difference(restored: "ProvinceLog", live: "ProvinceLog", last: int) -> int | None:
    after = 0
    while after < last:
        theirs, ours = [await log.entries(after=after, through=last, limit=_PAGE) for log in (restored, live)]
        for one, other in zip(theirs, ours, strict=True):
            if _bytes(one) != _bytes(other):
                return one.position
        after = theirs[-1].position
    return None


def _bytes(entry: Entry) -> tuple[bytes, bytes]:
    return entry.body, entry.leaf_hash
