"""Draft the year's pledge; sign it by a member's named officer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from emulation_saas.blocs.events import BlocEstablished, MemberAdmitted, Membership, MemberWithdrawn, NotAMember
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event, Official
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.kernel.rejections import Conflict, NotEmpowered
from emulation_saas.kernel.use_cases import Selector, UseCase
from emulation_saas.pledges.events import PledgeDrafted, PledgeSigned
from emulation_saas.years.events import Year, YearClosed, YearLaunched, YearOpened


class PledgeAlreadySigned(Conflict):
    """Somebody has signed the pledge: its text stands."""

    code = "pledge-already-signed"


class NoPledgeText(Conflict):
    """There is no text to sign yet."""

    code = "no-pledge-text"


class AlreadySigned(Conflict):
    """Another officer has signed for this member."""

    code = "already-signed"


class Pledge(msgspec.Struct, frozen=True, kw_only=True):
    """The year's pledge as it stands, with the year and the membership it belongs to."""

    year: Year = Year()
    membership: Membership = Membership()
    text: str | None = None
    signatures: dict[AgencyId, Official] = {}


@dataclass(frozen=True)
class _OnPledge(UseCase[Pledge]):
    """What is done to the pledge of a bloc's year, knowing that pledge."""

    bloc: BlocId
    year: int

    def facts(self) -> Sequence[Selector]:
        tags = [f"year:{self.bloc}/{self.year}"]
        return [Selector(types=[YearOpened, YearLaunched, YearClosed, PledgeDrafted, PledgeSigned], tags=tags)]

    @staticmethod
    def initial() -> Pledge:
        return Pledge()

    @staticmethod
    def evolve(view: Pledge, event: Event) -> Pledge:
        replace = msgspec.structs.replace
        match event:
            case YearOpened() | YearLaunched() | YearClosed():
                return replace(view, year=view.year.after(event))
            case BlocEstablished() | MemberAdmitted() | MemberWithdrawn():
                return replace(view, membership=view.membership.after(event))
            case PledgeDrafted(text=text):
                return replace(view, text=text)
            case PledgeSigned(agency=agency, signed_by=officer):
                return replace(view, signatures={**view.signatures, agency: officer})
            case _:
                return view


@dataclass(frozen=True)
class DraftPledge(_OnPledge):
    """The pledge gets a text; it may be replaced until somebody signs."""

    text: str

    def decide(self, view: Pledge, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.runs(self.bloc, self.year):
            raise NotEmpowered
        if view.text == self.text:
            return []
        view.year.require_open()
        if view.signatures:
            raise PledgeAlreadySigned
        return [PledgeDrafted(bloc=self.bloc, year=self.year, text=self.text)]


@dataclass(frozen=True)
class SignPledge(_OnPledge):
    """A member signs by its officer: its representative here, or whoever runs the year enters it from paper."""

    agency: AgencyId
    signed_by: Official

    def facts(self) -> Sequence[Selector]:
        members = Selector(types=[BlocEstablished, MemberAdmitted, MemberWithdrawn], tags=[f"bloc:{self.bloc}"])
        return [*super().facts(), members]

    def decide(self, view: Pledge, may: Authority, now: datetime) -> Sequence[Event]:
        if self.agency not in may.represents and not may.runs(self.bloc, self.year):
            raise NotEmpowered
        standing = view.signatures.get(self.agency)
        if standing is not None and standing.is_same(self.signed_by):
            return []
        view.year.require_open()
        if view.text is None:
            raise NoPledgeText
        if self.agency not in view.membership.in_year(self.year):
            raise NotAMember
        if standing is not None:
            raise AlreadySigned
        return [PledgeSigned(bloc=self.bloc, year=self.year, agency=self.agency, signed_by=self.signed_by)]
