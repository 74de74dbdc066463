"""Pages: the events of a span of positions that one reader sees, and how far was looked for them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from emulation_saas.http.refusals import Busy
from emulation_saas.log import Entry, ProvinceLog
from emulation_saas.streams.refusals import CursorBeyondHead
from emulation_saas.streams.sights import Sight
from emulation_saas.streams.tails import Tail, reached

SCAN_MAX: Final = 5_000
"""Positions looked through for one page: what is hidden or not selected may not make a page cost more."""
PAGE_BYTES_MAX: Final = 4 * 1024 * 1024
"""Of the events of one page; it ends with the one that reaches it."""
SLICE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """Some events in order, and where to go on."""

    entries: list[Entry]
    scanned_to: int
    """Everything up to here was looked at: the next page begins after it."""
    head: int
    """Of the log, when this was read."""
    is_full: bool = False
    """Whether it ends because no more fits in."""


async def demand_reached(log: ProvinceLog, position: int) -> int:
    """Return the log's head if it has come so far.

    Raises:
        CursorBeyondHead: it has not: who stands there has read another history.
    """
    head = (await log.head()).position
    if position > head:
        raise CursorBeyondHead(f"the log stands at {head}; ask for a consistency proof before reading on")
    return head


async def read_page(
    log: ProvinceLog,
    sight: Sight,
    *,
    after: int,
    through: int | None = None,
    limit: int,
    bytes_max: int = PAGE_BYTES_MAX,
) -> Page:
    """Return the next events that a reader sees.

    Args:
        log: of the province.
        sight: what he sees.
        after: the position he has come to.
        through: the last position wanted; None: as far as the log goes.
        limit: at most this many events.
        bytes_max: the page ends with the event that reaches it.

    Raises:
        CursorBeyondHead: the log has not come so far: he has read another history.
        LogGapError: a position is missing.
        Busy: as `reached`.
    """
    head = await demand_reached(log, after)
    last = min(head if through is None else through, head, after + SCAN_MAX)
    page, most = Page([], after, head), limit
    while page.scanned_to < last and not page.is_full:
        try:
            read = await reached(log, after=page.scanned_to, through=last, limit=min(most, SLICE))
        except Busy:
            if page.scanned_to == after:
                raise
            return replace(page, head=page.scanned_to)  # as far as the log goes for this release
        page = filled(page, read, sight, limit=limit, bytes_max=bytes_max)
        most = SLICE  # whoever does not see all has more looked through for him, but not one by one
    return page


async def next_page(tail: Tail, sight: Sight, *, after: int, through: int | None, limit: int) -> Page:
    """Return the same of what the tail has read: from memory, where it is kept there."""
    kept = tail.since(after)
    if kept is None:
        async with tail.reading():
            return await read_page(tail.log, sight, after=after, through=through, limit=limit)
    wanted = kept if through is None else [entry for entry in kept if entry.position <= through]
    return filled(Page([], after, max(after, tail.position)), wanted, sight, limit=limit)


def filled(page: Page, read: Iterable[Entry], sight: Sight, *, limit: int, bytes_max: int = PAGE_BYTES_MAX) -> Page:
    """Return a page with what is shown of further entries added, as far as there is room for it."""
    entries, scanned_to = list(page.entries), page.scanned_to
    size = sum(len(entry.body) for entry in entries)
    for entry in read:
        scanned_to = entry.position
        if sight.shows(entry):
            entries.append(entry)
            size += len(entry.body)
            if len(entries) >= limit or size >= bytes_max:
                return Page(entries, scanned_to, page.head, is_full=True)
    return Page(entries, scanned_to, page.head)
