"""Score oneself, appraise a member's criterion, freeze the ranking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from emulation_saas.blocs.events import MemberAdmitted, Membership, MemberWithdrawn, NotAMember
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.kernel.rejections import Conflict, Forbidden, Invalid, NotEmpowered, PaperNeedsTime
from emulation_saas.kernel.use_cases import Selector, UseCase
from emulation_saas.scoring.events import (
    Rank,
    RankingFrozen,
    ScoreAppraised,
    SelfScore,
    SelfScoreSubmitted,
    Stage,
    require_reason,
)
from emulation_saas.scoring.ranking import rank, total_of
from emulation_saas.years.events import Year, YearClosed, YearOpened

STAGES: Final[tuple[Stage, ...]] = ("bloc", "expert", "council")
"""From the lowest to the highest: what a higher one appraised, a lower one no longer changes."""


class SelfScoringOver(Conflict):
    """Self-scores are no longer taken this year."""

    code = "self-scoring-over"


class RankingAlreadyFrozen(Conflict):
    """The ranking is frozen: from now on only appraisals change scores."""

    code = "ranking-already-frozen"


class AppraisedAtHigherStage(Conflict):
    """A higher stage has appraised this criterion of the member."""

    code = "appraised-at-higher-stage"


class NothingToRank(Conflict):
    """No member has a score."""

    code = "nothing-to-rank"


class OwnAgency(Forbidden):
    """Nobody appraises an agency that he represents."""

    code = "own-agency"


class NoSuchCriterion(Invalid):
    """The year's scheme does not score this criterion."""

    code = "no-such-criterion"


class CriterionTwice(Invalid):
    """The sheet names a criterion twice."""

    code = "criterion-twice"


class PointsOutOfRange(Invalid):
    """Points lie between 0 and the criterion's maximum."""

    code = "points-out-of-range"


class Scores(msgspec.Struct, frozen=True):
    """What is known of one member's scores, by criterion."""

    sheet: list[SelfScore] = []
    claimed: dict[str, Decimal] = {}
    appraised: dict[str, ScoreAppraised] = {}

    def total(self) -> Decimal | None:
        """Return the member's points, or None where nothing is scored."""
        return total_of(self.claimed, {criterion: given.points for criterion, given in self.appraised.items()})


class Table(msgspec.Struct, frozen=True):
    """A bloc's year as those need it who score: its members, what is scored, the scores, the newest ranking."""

    year: Year = Year()
    members: Membership = Membership()
    leaves: dict[str, Decimal] = {}
    scores: dict[AgencyId, Scores] = {}
    frozen: RankingFrozen | None = None

    def of(self, agency: AgencyId) -> Scores:
        """Return what is known of one member's scores."""
        return self.scores.get(agency, _NOT_SCORED)

    def having(self, agency: AgencyId, scores: Scores) -> "Table":
        """Return the table with other scores of one member."""
        return replace(self, scores={**self.scores, agency: scores})

    def require_scorable(self, criterion: str, points: Decimal) -> None:
        """Let points of a criterion pass.

        Raises:
            NoSuchCriterion: it is no leaf of the year's scheme.
            PointsOutOfRange: they are fewer than 0 or more than its maximum.
        """
        points_max = self.leaves.get(criterion)
        if points_max is None:
            raise NoSuchCriterion(criterion)
        if not 0 <= points <= points_max:
            raise PointsOutOfRange(f"{criterion}: 0 to {points_max}")

    def ranks(self, year: int) -> list[Rank]:
        """Return the ranking of the members of the year that have a score."""
        totals = ((agency, self.of(agency).total()) for agency in self.members.in_year(year))
        return rank({agency: total for agency, total in totals if total is not None})


_NOT_SCORED: Final = Scores()


@dataclass(frozen=True)
class _OnTable(UseCase[Table]):
    """What is done to the scores of a bloc's year. All three share one view, which the log keeps."""

    bloc: BlocId
    year: int

    def facts(self) -> Sequence[Selector]:
        return [
            Selector(types=[MemberAdmitted, MemberWithdrawn], tags=[f"bloc:{self.bloc}"]),
            Selector(
                types=[YearOpened, YearClosed, SelfScoreSubmitted, ScoreAppraised, RankingFrozen],
                tags=[f"year:{self.bloc}/{self.year}"],
            ),
        ]

    @staticmethod
    def initial() -> Table:
        return Table()

    @staticmethod
    def evolve(view: Table, event: Event) -> Table:
        match event:
            case SelfScoreSubmitted(agency=agency, points=sheet):
                claimed = {claim.criterion: claim.points for claim in sheet}
                return view.having(agency, Scores(sheet, claimed, view.of(agency).appraised))
            case ScoreAppraised(agency=agency, criterion=criterion):
                known = view.of(agency)
                return view.having(agency, Scores(known.sheet, known.claimed, {**known.appraised, criterion: event}))
            case RankingFrozen():
                return replace(view, frozen=event)
            case YearOpened(scheme=scheme):
                return replace(view, year=view.year.after(event), leaves=scheme.leaves())
            case YearClosed():
                return replace(view, year=view.year.after(event))
            case _:
                return replace(view, members=view.members.after(event))

    def freezing(self, view: Table, ranks: list[Rank]) -> RankingFrozen:
        """Return the next version of the ranking."""
        version = 1 if view.frozen is None else view.frozen.version + 1
        return RankingFrozen(bloc=self.bloc, year=self.year, version=version, ranks=ranks)


@dataclass(frozen=True)
class SubmitSelfScore(_OnTable):
    """A member scores itself, as one sheet that replaces its earlier one; what it leaves out is not scored."""

    agency: AgencyId
    points: tuple[SelfScore, ...]

    def decide(self, view: Table, may: Authority, now: datetime) -> Sequence[Event]:
        if self.agency not in may.represents and not may.runs(self.bloc, self.year):
            raise NotEmpowered
        _, rules = view.year.require_open()
        if self.agency not in view.members.in_year(self.year):
            raise NotAMember  # before all that only parties may know of the year
        if rules.self_scores_close_at is not UNSET and now >= rules.self_scores_close_at:
            raise SelfScoringOver
        if view.frozen is not None:
            raise RankingAlreadyFrozen
        if self.agency not in may.represents and self.time is None:
            raise PaperNeedsTime
        sheet = self._checked(view)
        if view.of(self.agency).sheet == sheet:
            return []
        return [SelfScoreSubmitted(bloc=self.bloc, year=self.year, agency=self.agency, points=sheet)]

    def _checked(self, view: Table) -> list[SelfScore]:
        """Return the sheet in the order of its criteria, each of which may be scored so."""
        seen: set[str] = set()
        for claim in self.points:
            view.require_scorable(claim.criterion, claim.points)
            if claim.criterion in seen:
                raise CriterionTwice(claim.criterion)
            seen.add(claim.criterion)
        return sorted(self.points, key=lambda claim: claim.criterion)


@dataclass(frozen=True)
class AppraiseScore(_OnTable):
    """The bloc's officers, the criterion's expert or the council set a member's points, and say why."""

    agency: AgencyId
    criterion: str
    points: Decimal
    reasons: str
    stage: Stage

    def decide(self, view: Table, may: Authority, now: datetime) -> Sequence[Event]:
        if not self._is_empowered(may):
            raise NotEmpowered
        if self.agency in may.represents:
            raise OwnAgency
        view.year.require_open()
        if self.agency not in view.members.in_year(self.year):
            raise NotAMember
        known = view.of(self.agency)
        standing = known.appraised.get(self.criterion)
        if standing is not None and STAGES.index(self.stage) < STAGES.index(standing.stage):
            raise AppraisedAtHigherStage(standing.stage)
        view.require_scorable(self.criterion, self.points)
        require_reason(self.reasons)
        appraised = self._appraised()
        if standing == appraised:
            return []
        if view.frozen is None:
            return [appraised]
        return [appraised, self.freezing(view, self.evolve(view, appraised).ranks(self.year))]

    def _is_empowered(self, may: Authority) -> bool:
        if self.stage == "bloc":
            return may.runs(self.bloc, self.year)
        if self.stage == "expert":
            return f"{self.bloc}/{self.criterion}" in may.expert_for
        return may.is_council or may.is_admin

    def _appraised(self) -> ScoreAppraised:
        return ScoreAppraised(
            bloc=self.bloc,
            year=self.year,
            agency=self.agency,
            criterion=self.criterion,
            points=self.points,
            reasons=self.reasons,
            stage=self.stage,
        )


@dataclass(frozen=True)
class FreezeRanking(_OnTable):
    """The ranking as it stands is kept, as the next version."""

    def decide(self, view: Table, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.runs(self.bloc, self.year):
            raise NotEmpowered
        view.year.require_open()
        ranks = view.ranks(self.year)
        if not ranks:
            raise NothingToRank
        if view.frozen is not None and view.frozen.ranks == ranks:
            return []
        return [self.freezing(view, ranks)]
