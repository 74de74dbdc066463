"""Establish a bloc, admit a member from a day on, withdraw one from a day on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from emulation_saas.agencies.events import AgencyRegistered
from emulation_saas.blocs.events import (
    BlocEstablished,
    BlocKind,
    MemberAdmitted,
    Membership,
    MemberWithdrawn,
    NotAMember,
)
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.kernel.rejections import Conflict, NotEmpowered
from emulation_saas.kernel.use_cases import Selector, UseCase


class BlocHandleTaken(Conflict):
    """Another bloc was established under this handle."""

    code = "bloc-handle-taken"


class AgencyNotRegistered(Conflict):
    """The province's register has no such agency."""

    code = "agency-not-registered"


class BlocNotYetEstablished(Conflict):
    """The bloc did not exist on that day."""

    code = "bloc-not-yet-established"


class AlreadyMember(Conflict):
    """The agency is a member of the bloc on that day already."""

    code = "already-member"


class MembershipOverlaps(Conflict):
    """A membership of the agency begins after that day: the two would overlap."""

    code = "membership-overlaps"


class MembershipEnded(Conflict):
    """That membership has been ended already, by another decision."""

    code = "membership-ended"


class Bloc(msgspec.Struct, frozen=True):
    """What is known of one bloc, and of the agency that asks to be a member."""

    established: BlocEstablished | None = None
    membership: Membership = Membership()
    changes: tuple[MemberAdmitted | MemberWithdrawn, ...] = ()
    """Every admission and withdrawal, to know the same decision when it is entered again."""
    is_agency_registered: bool = False


@dataclass(frozen=True)
class _OnBloc(UseCase[Bloc]):
    """What is done to one bloc, knowing that bloc."""

    bloc: BlocId

    def facts(self) -> Sequence[Selector]:
        return [Selector(types=[BlocEstablished, MemberAdmitted, MemberWithdrawn], tags=[f"bloc:{self.bloc}"])]

    @staticmethod
    def initial() -> Bloc:
        return Bloc()

    @staticmethod
    def evolve(view: Bloc, event: Event) -> Bloc:
        membership = view.membership.after(event)
        match event:
            case BlocEstablished():
                return Bloc(event, membership, view.changes, view.is_agency_registered)
            case MemberAdmitted() | MemberWithdrawn():
                return Bloc(view.established, membership, (*view.changes, event), view.is_agency_registered)
            case AgencyRegistered():
                return Bloc(view.established, membership, view.changes, True)  # noqa: FBT003 - a positional struct
            case _:
                return view


@dataclass(frozen=True)
class EstablishBloc(_OnBloc):
    """The province enters the decision that constitutes a bloc, under a handle that it keeps for ever."""

    name: str
    aliases: tuple[str, ...]
    kind: BlocKind
    effective_on: date
    legal_basis: str

    def decide(self, view: Bloc, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.is_admin:
            raise NotEmpowered
        established = BlocEstablished(
            bloc=self.bloc,
            name=self.name,
            aliases=list(self.aliases),
            kind=self.kind,
            effective_on=self.effective_on,
            legal_basis=self.legal_basis,
        )
        if view.established == established:
            return []
        if view.established is not None:
            raise BlocHandleTaken
        return [established]


@dataclass(frozen=True)
class AdmitMember(_OnBloc):
    """From a day on, an agency is a member. How many members a bloc has is no rule."""

    agency: AgencyId
    effective_on: date
    legal_basis: str

    def facts(self) -> Sequence[Selector]:
        return [*super().facts(), Selector(types=[AgencyRegistered], tags=[f"agency:{self.agency}"])]

    def decide(self, view: Bloc, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.is_admin:
            raise NotEmpowered
        established_on = view.membership.require_established()
        if not view.is_agency_registered:
            raise AgencyNotRegistered
        admitted = MemberAdmitted(
            bloc=self.bloc, agency=self.agency, effective_on=self.effective_on, legal_basis=self.legal_basis
        )
        if admitted in view.changes:
            return []  # one decision admits once, whatever has happened since
        if view.membership.is_member(self.agency, self.effective_on):
            raise AlreadyMember
        if self.effective_on < established_on:
            raise BlocNotYetEstablished(f"established on {established_on}")
        if any(self.effective_on < span.start for span in view.membership.intervals.get(self.agency, ())):
            raise MembershipOverlaps
        return [admitted]


@dataclass(frozen=True)
class WithdrawMember(_OnBloc):
    """From a day on, an agency is no member any more; the reason is recorded."""

    agency: AgencyId
    effective_on: date
    because: str
    legal_basis: str

    def decide(self, view: Bloc, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.is_admin:
            raise NotEmpowered
        view.membership.require_established()
        withdrawn = MemberWithdrawn(
            bloc=self.bloc,
            agency=self.agency,
            effective_on=self.effective_on,
            legal_basis=self.legal_basis,
            because=self.because,
        )
        if withdrawn in view.changes:
            return []
        if not view.membership.is_member(self.agency, self.effective_on):
            raise NotAMember
        latest = view.membership.intervals[self.agency][-1]
        if latest.end is not None or self.effective_on < latest.start:
            raise MembershipEnded
        return [withdrawn]
