"""Enter a meeting that was held."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.blocs.events import BlocEstablished, MemberAdmitted, Membership, MemberWithdrawn, NotAMember
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import day_of
from emulation_saas.kernel.events import Event, Official
from emulation_saas.kernel.ids import AgencyId, BlocId, MeetingId
from emulation_saas.kernel.rejections import Conflict, Invalid, NotEmpowered, TimeInFuture
from emulation_saas.kernel.use_cases import Selector, UseCase
from emulation_saas.meetings.events import Attendance, MeetingHeld
from emulation_saas.years.events import YearClosed, YearOver


class ServesNoYear(Invalid):
    """A meeting sums up a year, plans one, or both."""

    code = "meeting-serves-no-year"


class MeetingHandleTaken(Conflict):
    """Another meeting was entered under this handle."""

    code = "meeting-handle-taken"


class Minutes(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one meeting, of who may attend it and of which of its years are closed."""

    held: MeetingHeld | None = None
    membership: Membership = Membership()
    closed_years: frozenset[int] = frozenset()


@dataclass(frozen=True)
class HoldMeeting(UseCase[Minutes]):
    """A meeting was held; one meeting may serve two years at once."""

    bloc: BlocId
    meeting: MeetingId
    held_on: date
    place: str
    chairs: tuple[Official, ...]
    members: tuple[AgencyId, ...]
    others: tuple[str, ...]
    covers_year: int | UnsetType = UNSET
    plans_year: int | UnsetType = UNSET

    @property
    def years(self) -> tuple[int, ...]:
        """The years it serves."""
        return tuple(year for year in (self.covers_year, self.plans_year) if year is not UNSET)

    def facts(self) -> Sequence[Selector]:
        return [
            Selector(types=[MeetingHeld], tags=[f"meeting:{self.meeting}"]),
            Selector(types=[BlocEstablished, MemberAdmitted, MemberWithdrawn], tags=[f"bloc:{self.bloc}"]),
            *(Selector(types=[YearClosed], tags=[f"year:{self.bloc}/{year}"]) for year in self.years),
        ]

    @staticmethod
    def initial() -> Minutes:
        return Minutes()

    @staticmethod
    def evolve(view: Minutes, event: Event) -> Minutes:
        replace = msgspec.structs.replace
        match event:
            case MeetingHeld():
                return replace(view, held=event)
            case BlocEstablished() | MemberAdmitted() | MemberWithdrawn():
                return replace(view, membership=view.membership.after(event))
            case YearClosed(year=year):
                return replace(view, closed_years=view.closed_years | {year})
            case _:
                return view

    def decide(self, view: Minutes, may: Authority, now: datetime) -> Sequence[Event]:
        if not self._is_empowered(may):
            raise NotEmpowered
        view.membership.require_established()
        held = self._held()
        if view.held is not None:
            if _is_same(view.held, held):
                return []
            raise MeetingHandleTaken
        for year in self.years:
            if year in view.closed_years:
                raise YearOver(str(year))
        if not self.years:
            raise ServesNoYear
        if self.held_on > day_of(now):
            raise TimeInFuture
        strangers = set(self.members).difference(*(view.membership.in_year(year) for year in self.years))
        if strangers:
            raise NotAMember(", ".join(sorted(strangers)))
        return [held]

    def _is_empowered(self, may: Authority) -> bool:
        """Tell whether somebody runs the years served; one year's officers enter what serves a neighbour of it, too."""
        # Where no year is named, the year of the day tells who may learn that one must be.
        years = self.years or (self.held_on.year,)
        runs = [may.runs(self.bloc, year) for year in years]
        return all(runs) or (any(runs) and max(years) - min(years) == 1)

    def _held(self) -> MeetingHeld:
        return MeetingHeld(
            bloc=self.bloc,
            meeting=self.meeting,
            held_on=self.held_on,
            place=self.place,
            chairs=list(self.chairs),
            attendance=Attendance(members=sorted(set(self.members)), others=list(self.others)),
            covers_year=self.covers_year,
            plans_year=self.plans_year,
        )


def _is_same(standing: MeetingHeld, asked: MeetingHeld) -> bool:
    """Compare, the chairs as officials are compared."""
    replace = msgspec.structs.replace
    return replace(standing, chairs=[]) == replace(asked, chairs=[]) and (
        len(standing.chairs) == len(asked.chairs)
        and all(before.is_same(now) for before, now in zip(standing.chairs, asked.chairs, strict=True))
    )
