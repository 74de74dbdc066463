"""Room: how many events a province's log is to hold, and what is still taken once it holds them.

What has begun goes on to its end: a member whose ballot is open votes, a dispute is filed within its term, a person is
erased, whatever the log holds. Only what begins something new is refused. So a full log ends no vote and breaks no
term, and how far it may grow beyond the limit is bounded by the years that are open.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from emulation_saas.kernel.events import Event
from emulation_saas.kernel.rejections import Conflict


class LogFull(Conflict):
    """The province's log holds as many events as it may: nothing new is begun in it."""

    code = "log-full"


@dataclass(frozen=True)
class Room:
    """The room that each province has."""

    events_max: int | None = None
    """None: as much as there is."""
    beginnings: frozenset[type[Event]] = frozenset()
    """What begins something new."""

    def demand(self, position: int, events: Sequence[Event]) -> None:
        """Return if these may follow a position.

        Raises:
            LogFull: they begin something new, and there is no room for it.
        """
        if self.events_max is None or position + len(events) <= self.events_max:
            return
        if any(type(event) in self.beginnings for event in events):
            raise LogFull


NO_LIMIT = Room()
