"""Pages that are waited for: read at once where there is something to tell, else as soon as there is."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from emulation_saas.http.exchange import wait_longer
from emulation_saas.http.limits import PAGE_DEFAULT
from emulation_saas.streams.feed import Asked, Reader
from emulation_saas.streams.pages import Page, next_page, read_page
from emulation_saas.streams.subscribers import Subscribers
from emulation_saas.streams.tails import Tail, Tails


@dataclass(frozen=True, slots=True)
class Waiting:
    """For what is new: where it is read for all who follow, and how many of them may wait."""

    tails: Tails
    subscribers: Subscribers

    async def read(self, reader: Reader, asked: Asked, *, wait_s: float) -> tuple[Page, bool]:
        """Return the page that is asked for, and whether it was waited for.

        Raises:
            CursorBeyondHead, LogGapError, Busy: as `read_page`.
            TooManyRequests: he waits, or follows, as often as one may.
        """
        log, limit = reader.log, asked.limit or PAGE_DEFAULT
        page = await read_page(log, reader.sight, after=asked.after, through=asked.through, limit=limit)
        if page.entries or not wait_s:
            return page, False
        self.subscribers.admit(log.province, reader.person, page.scanned_to)
        wait_longer(wait_s)
        async with self.tails.following(log) as tail:
            return await waited_for(tail, reader, asked, page, limit=limit, wait_s=wait_s), True


async def waited_for(tail: Tail, reader: Reader, asked: Asked, page: Page, *, limit: int, wait_s: float) -> Page:
    """Return the page after an empty one as soon as it shows something, or as it is when the time is up."""
    clock = asyncio.get_running_loop().time
    until = clock() + wait_s
    while not page.entries and not asked.ends_at(page.scanned_to) and not tail.is_stopping and clock() < until:
        if page.scanned_to >= tail.position:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await tail.turned()
        sight = await reader.follow(tail)
        page = await next_page(tail, sight, after=page.scanned_to, through=asked.through, limit=limit)
    return page
