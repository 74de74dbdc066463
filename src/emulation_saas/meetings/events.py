"""A bloc's conference: one meeting may close one year and open the next."""

from datetime import date
from typing import ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.kernel.events import Event, Official, Visibility
from emulation_saas.kernel.ids import AgencyId, BlocId, MeetingId


class Attendance(msgspec.Struct, frozen=True, kw_only=True):
    """Who was there: member agencies by handle, others as the minutes put it."""

    members: list[AgencyId]
    others: list[str]


class MeetingHeld(Event, frozen=True, kw_only=True):
    """A meeting was held; it may serve two years at once."""

    type: ClassVar[str] = "meeting.held.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    bloc: BlocId
    meeting: MeetingId
    held_on: date
    place: str
    chairs: list[Official]
    attendance: Attendance
    covers_year: int | UnsetType = UNSET
    plans_year: int | UnsetType = UNSET

    def tags(self) -> list[str]:
        """Return the tags of bloc, both years, meeting and chairs."""
        years = sorted({year for year in (self.covers_year, self.plans_year) if year is not UNSET})
        return [
            f"bloc:{self.bloc}",
            *(f"year:{self.bloc}/{year}" for year in years),
            f"meeting:{self.meeting}",
            *(f"person:{chair.person}" for chair in self.chairs),
        ]

    def subject(self) -> str | None:
        """Return the year it sums up, else the year it plans, else the bloc."""
        for year in (self.covers_year, self.plans_year):
            if year is not UNSET:
                return f"blocs/{self.bloc}/years/{year}"
        return f"blocs/{self.bloc}"


EVENTS = (MeetingHeld,)
