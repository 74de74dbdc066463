"""Tails: what is new in each province's log, as one process has it."""

from typing import Final

from emulation_saas.log import Entry, ProvinceLog
from emulation_saas.log.reading import NO_LIMIT

PAGE: Final = 1_000


class Tails:
    """Waits for what is new, for all who follow some province in this process."""

    async def after(self, log: ProvinceLog, position: int) -> list[Entry]:
        """Wait until the log lies past a position; return what follows it, in order: at least one event.

        Raises:
            LogGapError: a position is missing.
        """
        await log.past(position)
        return await log.entries(after=position, through=NO_LIMIT, limit=PAGE)
