"""Acclaim a leading unit; make, yield, suspend, resume and forward a nomination."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec import UNSET, UnsetType

from emulation_saas.ballots.events import BallotCounted
from emulation_saas.blocs.events import MemberAdmitted, MemberWithdrawn, NotAMember
from emulation_saas.disputes.events import EVENTS as DISPUTE_EVENTS
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId, NominationId
from emulation_saas.kernel.rejections import Conflict, Invalid, NotEmpowered, NotFound
from emulation_saas.kernel.texts import is_blank
from emulation_saas.kernel.use_cases import Selector, UseCase
from emulation_saas.nominations.events import (
    Award,
    LeaderAcclaimed,
    Method,
    NominationForwarded,
    NominationMade,
    NominationResumed,
    NominationSuspended,
    NominationYielded,
)
from emulation_saas.nominations.proposals import Proposals
from emulation_saas.nominations.states import Nomination
from emulation_saas.scoring.events import RankingFrozen, require_reason
from emulation_saas.years.events import YearClosed, YearOpened

FLAGS: Final = frozenset[Award]({"gov_flag", "prov_flag"})
"""One result earns one of them, never both."""


_OF_THE_YEAR: Final = (
    YearOpened,
    YearClosed,
    RankingFrozen,
    BallotCounted,
    LeaderAcclaimed,
    NominationMade,
    NominationYielded,
    NominationSuspended,
    NominationResumed,
    NominationForwarded,
    *DISPUTE_EVENTS,
)


class BallotNeeded(Invalid):
    """An acclaim by ballot names the ballot."""

    code = "ballot-needed"


class LegalBasisNeeded(Invalid):
    """A nomination states its legal basis."""

    code = "legal-basis-needed"


class EnoughLeaders(Conflict):
    """The bloc has acclaimed as many leading units as its rules allow."""

    code = "enough-leaders"


class NominationHandleTaken(Conflict):
    """Another nomination was made under this handle."""

    code = "nomination-handle-taken"


class AlreadyNominated(Conflict):
    """The agency is nominated for this award, or for the other flag, already."""

    code = "already-nominated"


class NoSuchNomination(NotFound):
    """No nomination of this bloc's year has this handle."""

    code = "no-such-nomination"


@dataclass(frozen=True)
class _OnProposals(UseCase[Proposals]):
    """What is done in a bloc's year, knowing what it proposes."""

    bloc: BlocId
    year: int

    def facts(self) -> Sequence[Selector]:
        return [
            Selector(types=[MemberAdmitted, MemberWithdrawn], tags=[f"bloc:{self.bloc}"]),
            Selector(types=_OF_THE_YEAR, tags=[f"year:{self.bloc}/{self.year}"]),
        ]

    @staticmethod
    def initial() -> Proposals:
        return Proposals()

    @staticmethod
    def evolve(view: Proposals, event: Event) -> Proposals:
        return view.after(event)


@dataclass(frozen=True)
class AcclaimLeader(_OnProposals):
    """The bloc acclaims a leading unit; said again of the same unit, it corrects how or why."""

    agency: AgencyId
    method: Method
    ballot: BallotId | UnsetType = UNSET
    because: str = ""

    def decide(self, view: Proposals, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.runs(self.bloc, self.year):
            raise NotEmpowered
        _, rules = view.year.require_open()
        if self.agency not in view.members.in_year(self.year):
            raise NotAMember
        if self.method == "ballot" and self.ballot is UNSET:
            raise BallotNeeded
        view.require_chosen(self.agency, self.ballot)
        if self.agency not in view.leaders and len(view.leaders) >= rules.leaders_max:
            raise EnoughLeaders(f"{rules.leaders_max} at most")
        acclaimed = LeaderAcclaimed(
            bloc=self.bloc,
            year=self.year,
            agency=self.agency,
            method=self.method,
            ballot=self.ballot,
            because=self.because,
        )
        if view.leaders.get(self.agency) == acclaimed:
            return []
        if view.ranks_another_first(self.agency):
            require_reason(self.because, "the frozen ranking has another unit on top")
        return [acclaimed]


@dataclass(frozen=True)
class MakeNomination(_OnProposals):
    """The bloc nominates a member for an award."""

    nomination: NominationId
    agency: AgencyId
    award: Award
    legal_basis: str
    ballot: BallotId | UnsetType = UNSET
    because: str = ""

    def facts(self) -> Sequence[Selector]:
        # The handle may have been given away in another bloc or year.
        return [*super().facts(), Selector(types=[NominationMade], tags=[f"nomination:{self.nomination}"])]

    def decide(self, view: Proposals, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.runs(self.bloc, self.year):
            raise NotEmpowered
        view.year.require_open()
        if self.agency not in view.members.in_year(self.year):
            raise NotAMember
        view.require_chosen(self.agency, self.ballot)
        made = NominationMade(
            bloc=self.bloc,
            year=self.year,
            nomination=self.nomination,
            agency=self.agency,
            award=self.award,
            ballot=self.ballot,
            because=self.because,
            legal_basis=self.legal_basis,
        )
        namesake = view.nominations.get(self.nomination)
        if namesake is not None and namesake.made == made:
            return []
        if namesake is not None:
            raise NominationHandleTaken
        if any(self._rules_out(other) for other in view.nominations.values()):
            raise AlreadyNominated
        if is_blank(self.legal_basis):
            raise LegalBasisNeeded
        return [made]

    def _rules_out(self, other: Nomination) -> bool:
        """Tell whether another nomination of the same agency is in the way."""
        is_same = other.made.award == self.award or {other.made.award, self.award} <= FLAGS
        return is_same and other.made.agency == self.agency and other.holds_its_place


@dataclass(frozen=True)
class _OnNomination(_OnProposals):
    """What is done to one nomination of a bloc's year."""

    nomination: NominationId

    def require(self, view: Proposals) -> Nomination:
        """Return the nomination, in a year in which something may still happen to it.

        Raises:
            NoSuchYear: the bloc never opened the year.
            YearOver: the year is closed.
            NoSuchNomination: the year has no nomination of this handle.
        """
        view.year.require_open()
        known = view.nominations.get(self.nomination)
        if known is None:
            raise NoSuchNomination
        return known


@dataclass(frozen=True)
class YieldNomination(_OnNomination):
    """The nominee withdraws in favour of others."""

    because: str = ""

    def decide(self, view: Proposals, may: Authority, now: datetime) -> Sequence[Event]:
        sought = view.nominations.get(self.nomination)
        is_nominee = sought is not None and sought.made.agency in may.represents
        if not is_nominee and not may.runs(self.bloc, self.year):
            raise NotEmpowered
        known = self.require(view)
        yielded = NominationYielded(
            bloc=self.bloc, year=self.year, nomination=self.nomination, agency=known.made.agency, because=self.because
        )
        if known.last == yielded:
            return []
        known.require_made()
        return [yielded]


@dataclass(frozen=True)
class SuspendNomination(_OnNomination):
    """The nomination rests, as while a case is open."""

    because: str

    def decide(self, view: Proposals, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.runs(self.bloc, self.year) and not may.is_council:
            raise NotEmpowered
        known = self.require(view)
        suspended = NominationSuspended(
            bloc=self.bloc, year=self.year, nomination=self.nomination, agency=known.made.agency, because=self.because
        )
        if known.last == suspended:
            return []
        known.require_made()
        require_reason(self.because)
        return [suspended]


@dataclass(frozen=True)
class ResumeNomination(_OnNomination):
    """The nomination goes on; the vote is not repeated."""

    because: str

    def decide(self, view: Proposals, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.runs(self.bloc, self.year) and not may.is_council:
            raise NotEmpowered
        known = self.require(view)
        resumed = NominationResumed(
            bloc=self.bloc, year=self.year, nomination=self.nomination, agency=known.made.agency, because=self.because
        )
        if known.last == resumed:
            return []
        view.require_undisputed(self.nomination)
        known.require_suspended()
        require_reason(self.because)
        return [resumed]


@dataclass(frozen=True)
class ForwardNomination(_OnNomination):
    """The nomination goes to the standing body, under a submission's number."""

    document_no: str

    def decide(self, view: Proposals, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.runs(self.bloc, self.year):
            raise NotEmpowered
        known = self.require(view)
        forwarded = NominationForwarded(
            bloc=self.bloc,
            year=self.year,
            nomination=self.nomination,
            agency=known.made.agency,
            document_no=self.document_no,
        )
        if known.last == forwarded:
            return []
        view.require_undisputed(self.nomination)
        known.require_made()
        return [forwarded]
