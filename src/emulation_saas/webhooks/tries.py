"""What a try to send leads to: when it is made again, what a round leaves to wait for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from emulation_saas.webhooks.courier import Outcome
from emulation_saas.webhooks.ledger import Delivery
from emulation_saas.webhooks.schedule import Schedule


class CursorLostError(Exception):
    """Another process holds the cursor by now."""


@dataclass(frozen=True)
class Means:
    """What all senders of a process share."""

    schedule: Schedule
    clock: Callable[[], datetime]
    holder: UUID
    """Who holds the cursors."""

    def judged(self, position: int, tries: int, outcome: Outcome) -> Delivery:
        """Return what became of one more try, after so many."""
        now = self.clock()
        if outcome.is_delivered:
            return Delivery(position, "delivered", tries + 1, now, None, outcome.reason)
        wait = self.schedule.next_try(tries + 1, retry_after_s=outcome.retry_after_s)
        if wait is None:
            return Delivery(position, "dead", tries + 1, now, None, outcome.reason)
        return Delivery(position, "due", tries + 1, now, now + wait, outcome.reason)


@dataclass
class Rest:
    """What a round leaves to wait for."""

    until: datetime | None = None
    """When something is due; None: nothing is."""
    for_news: bool = False
    """Whether new events are to be sent, too."""


def set_aside(position: int, tries: int, outcome: str, until: datetime) -> Delivery:
    """Return a delivery that is to be tried."""
    return Delivery(position, "due", tries, None, until, outcome)
