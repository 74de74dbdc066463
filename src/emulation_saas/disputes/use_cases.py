"""File a dispute, bring evidence, answer, uphold, refuse, withdraw."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from emulation_saas.blocs.events import MemberAdmitted, MemberWithdrawn, NotAMember
from emulation_saas.disputes.docket import Docket
from emulation_saas.disputes.events import (
    EVENTS,
    About,
    DisputeAnswered,
    DisputeEvidenceAdded,
    DisputeFiled,
    DisputeRefused,
    DisputeUpheld,
    DisputeWithdrawn,
)
from emulation_saas.disputes.grounds import nomination_in, require_grounds
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import day_of
from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.kernel.ids import AgencyId, BlocId, DisputeId, NominationId
from emulation_saas.kernel.rejections import Conflict, Forbidden, NotEmpowered, PaperNeedsTime
from emulation_saas.kernel.use_cases import Selector, UseCase
from emulation_saas.nominations.events import (
    NominationForwarded,
    NominationMade,
    NominationResumed,
    NominationSuspended,
    NominationYielded,
)
from emulation_saas.scoring.events import Evidence, require_reason
from emulation_saas.years.events import Rules, YearClosed, YearOpened

_OF_THE_YEAR: Final = (
    YearOpened,
    YearClosed,
    NominationMade,
    NominationYielded,
    NominationSuspended,
    NominationResumed,
    NominationForwarded,
    *EVENTS,
)


class DisputeHandleTaken(Conflict):
    """Another dispute was filed under this handle."""

    code = "dispute-handle-taken"


class RulerIsFiler(Forbidden):
    """Nobody decides a dispute that he filed, or of an agency that he represents."""

    code = "ruler-is-filer"


class RulerIsDisputed(Forbidden):
    """Nobody decides about what he or an agency of his did, or about what concerns one."""

    code = "ruler-is-disputed"


@dataclass(frozen=True)
class _OnDispute(UseCase[Docket]):
    """What is done to one dispute of a bloc's year. Nearly all share one view, which the log keeps."""

    bloc: BlocId
    year: int
    dispute: DisputeId

    def facts(self) -> Sequence[Selector]:
        return [
            Selector(types=[MemberAdmitted, MemberWithdrawn], tags=[f"bloc:{self.bloc}"]),
            Selector(types=_OF_THE_YEAR, tags=[f"year:{self.bloc}/{self.year}"]),
        ]

    @staticmethod
    def initial() -> Docket:
        return Docket()

    @staticmethod
    def evolve(view: Docket, event: Event) -> Docket:
        return view.after(event)

    @property
    def because(self) -> str:
        """What a suspension or resumption gives as its reason: the dispute's own tag."""
        return f"dispute:{self.dispute}"


@dataclass(frozen=True)
class FileDispute(_OnDispute):
    """A member contests what named events say; who runs the year may enter it from paper."""

    agency: AgencyId
    about: About
    positions: tuple[int, ...]
    """Where the contested events stand, in order, each once."""
    found: tuple[AnyRecorded, ...]
    """What was read there. Events never change, so it is as true when this is decided."""
    acted_for: Mapping[int, Collection[AgencyId]]
    """By position, the agencies that the actor represented when he acted: as unchangeable."""
    text: str
    evidence: tuple[Evidence, ...] = ()

    def facts(self) -> Sequence[Selector]:
        # The handle may have been given away in another bloc or year.
        return [*super().facts(), Selector(types=[DisputeFiled], tags=[f"dispute:{self.dispute}"])]

    def decide(self, view: Docket, may: Authority, now: datetime) -> Sequence[Event]:
        is_filer = self.agency in may.represents
        if not is_filer and not may.runs(self.bloc, self.year):
            raise NotEmpowered
        _, rules = view.year.require_open()
        if self.agency not in view.members.in_year(self.year):
            raise NotAMember
        if not is_filer and self.time is None:
            raise PaperNeedsTime
        # Who files by himself cannot have filed earlier: the answer would be overdue at once.
        filed_at = now if is_filer or self.time is None else self.time
        filed = DisputeFiled(
            bloc=self.bloc,
            year=self.year,
            dispute=self.dispute,
            agency=self.agency,
            filed_by=may.person,
            about=self.about,
            events=require_grounds(
                self.about, self.positions, self.found, self.acted_for, may, bloc=self.bloc, year=self.year
            ),
            text=self.text,
            evidence=list(self.evidence),
            nomination=self._resting(view, rules),
            answer_by=_answer_by(rules, day_of(filed_at)),
        )
        namesake = view.filed(self.dispute)
        if namesake is not None:
            if _is_same(filed, namesake):
                return []
            raise DisputeHandleTaken
        view.require_room(self.agency)
        require_reason(self.text)
        return [filed, *view.suspending(filed.nomination, because=self.because)]

    def _resting(self, view: Docket, rules: Rules) -> NominationId | UnsetType:
        """Return the nomination that is to rest: it stands as made, or rests for another dispute already."""
        nomination = nomination_in(self.found)
        if self.about != "nomination" or not rules.disputes_suspend_nominations or nomination is UNSET:
            return UNSET
        is_held = nomination in view.disputes.holding
        return nomination if is_held or view.suspending(nomination, because=self.because) else UNSET


def _is_same(filed: DisputeFiled, known: DisputeFiled) -> bool:
    """Tell whether a dispute is filed again, whenever and by whomever."""
    return filed == replace(known, filed_by=filed.filed_by, nomination=filed.nomination, answer_by=filed.answer_by)


def _answer_by(rules: Rules, filed_on: date) -> date | UnsetType:
    days = rules.dispute_answer_days
    return UNSET if days is UNSET else filed_on + timedelta(days=days)


@dataclass(frozen=True)
class AddEvidence(_OnDispute):
    """The filing agency brings more evidence, by hash; who runs the year may enter it from paper."""

    evidence: tuple[Evidence, ...]

    def decide(self, view: Docket, may: Authority, now: datetime) -> Sequence[Event]:
        known = view.filed(self.dispute)
        is_filer = known is not None and known.agency in may.represents
        if not is_filer and not may.runs(self.bloc, self.year):
            raise NotEmpowered
        filed = view.require(self.dispute)
        if not is_filer and self.time is None:
            raise PaperNeedsTime
        added = DisputeEvidenceAdded(
            bloc=self.bloc, year=self.year, dispute=self.dispute, agency=filed.agency, evidence=list(self.evidence)
        )
        return view.adding(added)


@dataclass(frozen=True)
class AnswerDispute(_OnDispute):
    """Somebody disputed, or who runs the year, explains what is contested."""

    text: str

    def decide(self, view: Docket, may: Authority, now: datetime) -> Sequence[Event]:
        known = view.filed(self.dispute)
        is_disputed = known is not None and _is_disputed(known, may)
        if not is_disputed and not may.runs(self.bloc, self.year):
            raise NotEmpowered
        filed = view.require(self.dispute)
        require_reason(self.text)
        answered = DisputeAnswered(
            bloc=self.bloc, year=self.year, dispute=self.dispute, agency=filed.agency, text=self.text
        )
        return view.adding(answered)


def _is_disputed(filed: DisputeFiled, may: Authority) -> bool:
    """Tell whether the person did what is contested, or represents an agency that did it or that it concerns."""
    return may.known and any(
        each.actor == may.person or not may.represents.isdisjoint({each.agency, *each.acted_for})
        for each in filed.events
    )


@dataclass(frozen=True)
class _Ruling(_OnDispute):
    """A decision on a dispute, with its reasons, by somebody who has no part in it."""

    reasons: str

    def require_impartial(self, view: Docket, may: Authority) -> DisputeFiled:
        """Return how the dispute began, where the actor may decide it.

        Raises:
            NotEmpowered: the actor neither runs the year nor is of the council.
            RulerIsFiler: he filed it, or represents the agency that did.
            RulerIsDisputed: he did what is contested, or represents an agency that did it or that it concerns.
            ReasonNeeded: no reasons are given.
        """
        if not may.runs(self.bloc, self.year) and not may.is_council:
            raise NotEmpowered
        filed = view.require(self.dispute)
        if filed.filed_by == may.person or filed.agency in may.represents:
            raise RulerIsFiler
        if _is_disputed(filed, may):
            raise RulerIsDisputed
        require_reason(self.reasons)
        return filed


@dataclass(frozen=True)
class UpholdDispute(_Ruling):
    """The dispute is right. What it demands is done by corrections that name it; what it suspended goes on resting."""

    def decide(self, view: Docket, may: Authority, now: datetime) -> Sequence[Event]:
        filed = self.require_impartial(view, may)
        upheld = DisputeUpheld(
            bloc=self.bloc, year=self.year, dispute=self.dispute, agency=filed.agency, reasons=self.reasons
        )
        return view.taking(upheld)


@dataclass(frozen=True)
class RefuseDispute(_Ruling):
    """The dispute is wrong: what it contested stands, and the nomination that rests for it alone goes on."""

    def decide(self, view: Docket, may: Authority, now: datetime) -> Sequence[Event]:
        filed = self.require_impartial(view, may)
        refused = DisputeRefused(
            bloc=self.bloc, year=self.year, dispute=self.dispute, agency=filed.agency, reasons=self.reasons
        )
        return [*view.taking(refused), *view.resuming(filed, because=self.because)]


@dataclass(frozen=True)
class WithdrawDispute(_OnDispute):
    """The filing agency does not insist; the nomination that rests for it alone goes on."""

    def decide(self, view: Docket, may: Authority, now: datetime) -> Sequence[Event]:
        known = view.filed(self.dispute)
        if known is None or known.agency not in may.represents:
            raise NotEmpowered
        filed = view.require(self.dispute)
        withdrawn = DisputeWithdrawn(bloc=self.bloc, year=self.year, dispute=self.dispute, agency=filed.agency)
        return [*view.taking(withdrawn), *view.resuming(filed, because=self.because)]
