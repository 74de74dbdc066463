"""Pages: the events of a span of positions that one reader sees, and how far was looked for them."""

from dataclasses import dataclass
from typing import Final

from emulation_saas.log import Entry, ProvinceLog
from emulation_saas.streams.refusals import CursorBeyondHead
from emulation_saas.streams.sights import Sight

SCAN_MAX: Final = 5_000
"""Positions looked through for one page: what is hidden or not selected may not make a page cost more."""
SLICE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """Some events in order, and where to go on."""

    entries: list[Entry]
    scanned_to: int
    """Everything up to here was looked at: the next page begins after it."""
    head: int
    """Of the log, when this was read."""


async def read_page(log: ProvinceLog, sight: Sight, *, after: int, through: int | None = None, limit: int) -> Page:
    """Return the next events that a reader sees.

    Args:
        log: of the province.
        sight: what he sees.
        after: the position he has come to.
        through: the last position wanted; None: as far as the log goes.
        limit: at most this many events.

    Raises:
        CursorBeyondHead: the log has not come so far: he has read another history.
        LogGapError: a position is missing.
    """
    head = (await log.head()).position
    if after > head:
        raise CursorBeyondHead(f"the log stands at {head}; ask for a consistency proof before reading on")
    last = min(head if through is None else through, head, after + SCAN_MAX)
    entries: list[Entry] = []
    while after < last and len(entries) < limit:
        for entry in await log.entries(after=after, through=last, limit=SLICE):
            after = entry.position
            if sight.shows(entry):
                entries.append(entry)
                if len(entries) == limit:
                    break
    return Page(entries, after, head)
