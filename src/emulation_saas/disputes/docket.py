"""What a bloc's year knows when its disputes are decided: members, every dispute's course, the nominations."""

from typing import Final

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from emulation_saas.blocs.events import Membership
from emulation_saas.disputes.events import DisputeAnswered, DisputeEvent, DisputeEvidenceAdded, DisputeFiled, Disputes
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, DisputeId, NominationId
from emulation_saas.kernel.rejections import Conflict, NotFound
from emulation_saas.nominations.events import NominationEvent, NominationMade, NominationResumed, NominationSuspended
from emulation_saas.years.events import Year, YearClosed, YearOpened

DISPUTES_MAX: Final = 20
"""Disputes that one agency may file in a year."""
STEPS_MAX: Final = 10
"""Additions of evidence and answers that one dispute takes, together."""


class NoSuchDispute(NotFound):
    """No dispute of this bloc's year has this handle."""

    code = "no-such-dispute"


class TooManyDisputes(Conflict):
    """The agency has filed as many disputes as a year takes."""

    code = "too-many-disputes"


class DisputeFull(Conflict):
    """The dispute takes no more evidence and no more answers: it is to be decided."""

    code = "dispute-full"


class DisputeOver(Conflict):
    """The dispute is decided or withdrawn: it takes nothing more."""

    code = "dispute-over"


class Docket(msgspec.Struct, frozen=True):
    """The reading on which disputes are decided. Built by `after` from the events of bloc and year."""

    year: Year = Year()
    members: Membership = Membership()
    disputes: Disputes = Disputes()
    courses: dict[DisputeId, tuple[DisputeEvent, ...]] = {}
    """All that happened to each dispute, in order."""
    nominations: dict[NominationId, NominationEvent] = {}
    """The last that happened to each nomination."""

    def after(self, event: Event) -> "Docket":
        """Return the docket after one more fact."""
        disputes = self.disputes.after(event)
        match event:
            case DisputeEvent(dispute=dispute):
                course = (*self.courses.get(dispute, ()), event)
                return replace(self, disputes=disputes, courses={**self.courses, dispute: course})
            case NominationEvent(nomination=nomination):
                return replace(self, disputes=disputes, nominations={**self.nominations, nomination: event})
            case YearOpened() | YearClosed():
                return replace(self, year=self.year.after(event))
            case _:
                return replace(self, members=self.members.after(event))

    def filed(self, dispute: DisputeId) -> DisputeFiled | None:
        """Return how a dispute began, if it did."""
        return next((each for each in self.courses.get(dispute, ()) if isinstance(each, DisputeFiled)), None)

    def require(self, dispute: DisputeId) -> DisputeFiled:
        """Return how a dispute began, in a year in which something may still happen to it.

        Raises:
            NoSuchYear: the bloc never opened the year.
            YearOver: the year is closed.
            NoSuchDispute: the year has no dispute of this handle.
        """
        self.year.require_open()
        filed = self.filed(dispute)
        if filed is None:
            raise NoSuchDispute
        return filed

    def require_room(self, agency: AgencyId) -> None:
        """Let pass an agency that may file one more.

        Raises:
            TooManyDisputes: it may not.
        """
        if sum(course[0].agency == agency for course in self.courses.values()) >= DISPUTES_MAX:
            raise TooManyDisputes(f"{DISPUTES_MAX} at most")

    def taking(self, event: DisputeEvent) -> list[Event]:
        """Return what happens to a pending dispute, unless it has happened already.

        Raises:
            DisputeOver: the dispute is decided or withdrawn.
        """
        if event in self.courses[event.dispute]:
            return []
        if event.dispute not in self.disputes.pending:
            raise DisputeOver
        return [event]

    def adding(self, step: DisputeEvidenceAdded | DisputeAnswered) -> list[Event]:
        """Return a step of a dispute that goes on, unless it was taken already.

        Raises:
            DisputeOver: it has ended.
            DisputeFull: it takes no more steps.
        """
        added = self.taking(step)
        if added and len(self.courses[step.dispute]) > STEPS_MAX:
            raise DisputeFull(f"{STEPS_MAX} at most")
        return added

    def suspending(self, nomination: NominationId | UnsetType, *, because: str) -> list[Event]:
        """Return the suspension of a nomination that stands as made; nothing for any other."""
        last = None if nomination is UNSET else self.nominations.get(nomination)
        if not isinstance(last, NominationMade | NominationResumed):
            return []
        return [_turned(NominationSuspended, last, because)]

    def resuming(self, filed: DisputeFiled, *, because: str) -> list[Event]:
        """Return what goes on once a dispute is refused or withdrawn: the nomination that rests for it alone."""
        if filed.nomination is UNSET or self.disputes.holding.get(filed.nomination) != frozenset({filed.dispute}):
            return []
        return [_turned(NominationResumed, self.nominations[filed.nomination], because)]


def _turned(
    turn: type[NominationSuspended | NominationResumed], of: NominationEvent, because: str
) -> NominationSuspended | NominationResumed:
    return turn(bloc=of.bloc, year=of.year, nomination=of.nomination, agency=of.agency, because=because)
