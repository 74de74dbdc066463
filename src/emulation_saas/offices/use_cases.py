"""Fill a bloc's office for a year: by a ballot of its members, or by appointment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from emulation_saas.ballots.events import BallotCounted, BallotNotCounted, NotChosen
from emulation_saas.blocs.events import BlocEstablished, MemberAdmitted, Membership, MemberWithdrawn, NotAMember
from emulation_saas.kernel.authority import Authority, Office
from emulation_saas.kernel.clock import day_of
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId
from emulation_saas.kernel.rejections import Conflict, NotEmpowered
from emulation_saas.kernel.use_cases import Selector, UseCase
from emulation_saas.offices.events import OfficeAppointed, OfficeElected
from emulation_saas.years.events import YearClosed, YearOver


class HoldsOtherOffice(Conflict):
    """The agency holds the bloc's other office that year."""

    code = "holds-other-office"


class BallotOfAnotherYear(Conflict):
    """The ballot was held neither in the year served nor in the one before."""

    code = "ballot-of-another-year"


class OfficeFilledByBallot(Conflict):
    """The ballot has filled this office already, with another agency or for another year."""

    code = "office-filled-by-ballot"


class Offices(msgspec.Struct, frozen=True, kw_only=True):
    """Who has held the offices of a bloc's year, and what a new holder must be judged by."""

    membership: Membership = Membership()
    filled: tuple[OfficeElected | OfficeAppointed, ...] = ()
    """In that year, and in any other by the same ballot."""
    counted: BallotCounted | None = None
    is_year_closed: bool = False

    def holds(self, agency: AgencyId, year: int) -> Office | None:
        """Return the office that the agency holds now for a year."""
        holders: dict[Office, AgencyId] = {
            filling.office: filling.agency for filling in self.filled if filling.for_year == year
        }
        return next((office for office, holder in holders.items() if holder == agency), None)


@dataclass(frozen=True)
class _FillOffice(UseCase[Offices]):
    """An office of a bloc goes to an agency for a year; it replaces the holder before it."""

    bloc: BlocId
    office: Office
    for_year: int
    agency: AgencyId

    def facts(self) -> Sequence[Selector]:
        return [
            Selector(types=[BlocEstablished, MemberAdmitted, MemberWithdrawn], tags=[f"bloc:{self.bloc}"]),
            Selector(types=[OfficeElected, OfficeAppointed, YearClosed], tags=[f"year:{self.bloc}/{self.for_year}"]),
        ]

    @staticmethod
    def initial() -> Offices:
        return Offices()

    @staticmethod
    def evolve(view: Offices, event: Event) -> Offices:
        replace = msgspec.structs.replace
        match event:
            case BlocEstablished() | MemberAdmitted() | MemberWithdrawn():
                return replace(view, membership=view.membership.after(event))
            case OfficeElected() | OfficeAppointed():
                return replace(view, filled=(*view.filled, event))
            case BallotCounted():
                return replace(view, counted=event)
            case YearClosed():
                return replace(view, is_year_closed=True)
            case _:
                return view

    def _filling(
        self, view: Offices, filling: OfficeElected | OfficeAppointed, now: datetime
    ) -> Sequence[OfficeElected | OfficeAppointed]:
        holds = view.holds(self.agency, self.for_year)
        if holds == self.office or filling in view.filled:
            return []  # a later holder is not put out by what put in an earlier one
        if view.is_year_closed:
            raise YearOver
        is_member = view.membership.is_member(self.agency, day_of(now))
        if not is_member and self.agency not in view.membership.in_year(self.for_year):
            raise NotAMember
        if holds is not None:
            raise HoldsOtherOffice
        return [filling]


@dataclass(frozen=True)
class ElectOfficer(_FillOffice):
    """The members elected the agency by a ballot; outgoing officers may enter it for the year after theirs."""

    ballot: BallotId

    def facts(self) -> Sequence[Selector]:
        of_ballot = Selector(types=[BallotCounted, OfficeElected], tags=[f"bloc:{self.bloc}", f"ballot:{self.ballot}"])
        return [*super().facts(), of_ballot]

    def decide(self, view: Offices, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.runs(self.bloc, self.for_year) and not may.runs(self.bloc, self.for_year - 1):
            raise NotEmpowered
        if view.counted is None:
            raise BallotNotCounted
        if view.counted.year not in {self.for_year, self.for_year - 1}:
            raise BallotOfAnotherYear
        chosen = {outcome.question: outcome.chosen for outcome in view.counted.outcomes}
        if self.agency not in chosen.get(self.office, []):
            asked = ", ".join(chosen)
            raise NotChosen(f"the question {self.office} was to choose {self.agency}; the ballot's questions: {asked}")
        elected = OfficeElected(
            bloc=self.bloc, for_year=self.for_year, office=self.office, agency=self.agency, ballot=self.ballot
        )
        earlier = (filling for filling in view.filled if isinstance(filling, OfficeElected) and filling != elected)
        if any((filling.office, filling.ballot) == (self.office, self.ballot) for filling in earlier):
            raise OfficeFilledByBallot
        return self._filling(view, elected, now)


@dataclass(frozen=True)
class AppointOfficer(_FillOffice):
    """The province appointed the agency, by a document of the competent authority."""

    authority: str
    document_no: str

    def decide(self, view: Offices, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.is_admin:
            raise NotEmpowered
        view.membership.require_established()
        appointed = OfficeAppointed(
            bloc=self.bloc,
            for_year=self.for_year,
            office=self.office,
            agency=self.agency,
            authority=self.authority,
            document_no=self.document_no,
        )
        return self._filling(view, appointed, now)
