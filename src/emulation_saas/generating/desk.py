"""Where commands are entered, each under an idempotency key that its place in the plan gives it."""

import asyncio
import base64
import hashlib
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final

from emulation_saas.kernel.clock import start_of
from emulation_saas.kernel.ids import PersonId
from emulation_saas.kernel.use_cases import Acting, UseCase
from emulation_saas.log import Accepted, ProvinceLog

COMMANDS_AT_ONCE: Final = 64
"""Commands of a province on their way: two full batches. Many more would keep each other from the connections."""
OFFICE_HOURS_BEGIN: Final = timedelta(hours=8)

Act = tuple[PersonId, UseCase[Any]]
"""Who does what."""


class Desk:
    """Enters what happens in one place: a province's roster, a bloc's roster, or a bloc's year."""

    def __init__(self, log: ProvinceLog, turns: asyncio.Semaphore, place: str) -> None:
        """Begin with the first command of a place; asked for in the same order again, they have the same keys."""
        self.log = log
        self._turns = turns
        self._place = place
        self._entered = 0

    async def enter(self, by: PersonId, use_case: UseCase[Any]) -> Accepted:
        """Have one thing done; return what was recorded, now or when this was entered before.

        Raises:
            Rejection: it was refused.
            OutcomeUnknownError: the database failed; running again goes on here.
        """
        self._entered += 1
        key = f"generate/{self._place}/{self._entered}"
        async with self._turns:
            return await self.log.execute(use_case, by=Acting(by, key, hashlib.sha256(key.encode()).digest()))

    async def enter_all(self, acts: Iterable[Act]) -> list[Accepted]:
        """Have things done that do not rest on each other; return what was recorded of each.

        The first goes ahead: what it must know is read for it, and then there for the others, which go at once.
        """
        listed = list(acts)
        first = [await self.enter(*act) for act in listed[:1]]
        return [*first, *await asyncio.gather(*(self.enter(*act) for act in listed[1:]))]


def person_called(what: str) -> PersonId:
    """Return the id of a made-up person: the same for the same words."""
    return PersonId("p-" + base64.b32encode(hashlib.sha256(what.encode()).digest()).decode().lower()[:10])


def morning_of(year: int, month: int, day: int) -> datetime:
    """Return the instant at which a day's business begins."""
    return start_of(date(year, month, day)) + OFFICE_HOURS_BEGIN
