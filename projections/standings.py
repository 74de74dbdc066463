"""Who stands where in a bloc's year, and why: claimed, appraised and counted points of every member and criterion.

Not scored is not zero: a criterion without points is not listed, and a member without any score is not ranked. Who was
scored and is no member of the year any more stays listed, and is named with the frozen ranking, which leaves him out.
Figures: `points/{agency}/{criterion}`, `points/{agency}`, the sum of those, `rank/{agency}`, by all sums, `frozen`.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal
from typing import ClassVar, Final

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.kernel.events import AnyRecorded, Event, YearEvent
from emulation_saas.kernel.ids import AgencyId
from emulation_saas.kernel.numbers import spell_points
from emulation_saas.projecting.figures import Figure, FigureRule, Figures
from emulation_saas.projecting.projection import Projection
from emulation_saas.projecting.views import Asked, DocumentView, View, parties
from emulation_saas.scoring.events import Rank, RankingFrozen, ScoreAppraised, SelfScoreSubmitted, Stage
from emulation_saas.scoring.ranking import rank, total_of
from emulation_saas.years.events import YearOpened
from projections.standings_shapes import (
    Appraised,
    Claimed,
    FrozenRank,
    FrozenRanking,
    Leaf,
    Score,
    Standing,
    StandingsDocument,
    Version,
)


class Appraisal(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The appraisal that counts for one criterion of a member."""

    points: Decimal
    position: int
    stage: Stage


class Member(msgspec.Struct, frozen=True):
    """One member's scores by criterion: its own sheet, and the appraisals that count instead."""

    claimed: dict[str, Decimal] = {}
    claimed_at: int = 0
    appraised: dict[str, Appraisal] = {}

    def total(self) -> Decimal | None:
        """Return the member's points, or None where nothing is scored."""
        return total_of(self.claimed, {criterion: given.points for criterion, given in self.appraised.items()})


class Table(msgspec.Struct, frozen=True):
    """The state of one bloc's year."""

    leaves: dict[str, Decimal] = {}
    """What is scored, each with its maximum."""
    members: dict[AgencyId, Member] = {}
    versions: tuple[Version, ...] = ()
    ranks: list[Rank] = []
    """Of the newest version."""
    left_out: list[AgencyId] = []
    """Who had a score when that was kept, and is not in it."""
    left_out_by: list[int] = []
    """Of each of these, the position of an event that had given it a score."""


_NOT_SCORED: Final = Member()

_APPRAISED: Final = FigureRule("standings.last-appraisal@1", "The last appraisal of the criterion counts", "latest")
_CLAIMED: Final = FigureRule("standings.claim-not-appraised@1", "What is not appraised counts as claimed", "latest")
_SUM: Final = FigureRule("standings.sum-of-criteria@1", "A member's points are the sum over its scored criteria", "sum")
_RANK: Final = FigureRule("standings.rank-by-points@1", "Best first; equal points share a rank: 1, 1, 3", "rank")
_FROZEN: Final = FigureRule("standings.last-frozen@1", "The ranking as it was last kept", "latest")


class Standings(Projection[Table]):
    """Who stands where in a bloc's year, and why."""

    name: ClassVar[str] = "standings"
    version: ClassVar[int] = 3
    reads: ClassVar[tuple[type[Event], ...]] = (YearOpened, SelfScoreSubmitted, ScoreAppraised, RankingFrozen)

    def key(self, event: YearEvent) -> str:
        return f"{event.bloc}/{event.year}"

    def tags_of(self, key: str) -> list[str]:
        return [f"year:{key}"]

    def initial(self) -> Table:
        return Table()

    def evolve(self, state: Table, recorded: AnyRecorded) -> Table:
        event = recorded.event
        if isinstance(event, ScoreAppraised):  # nearly all there is to fold
            member = state.members.get(event.agency, _NOT_SCORED)
            appraised = member.appraised.copy()
            appraised[event.criterion] = Appraisal(event.points, recorded.position, event.stage)
            members = state.members.copy()
            members[event.agency] = Member(member.claimed, member.claimed_at, appraised)
            return Table(state.leaves, members, state.versions, state.ranks, state.left_out, state.left_out_by)
        match event:
            case SelfScoreSubmitted(agency=agency, points=sheet):
                member = state.members.get(agency, _NOT_SCORED)
                claimed = {claim.criterion: claim.points for claim in sheet}
                scored = Member(claimed, recorded.position, member.appraised)
                members = {**state.members, agency: scored}
                return msgspec.structs.replace(state, members=members)
            case RankingFrozen(version=version, ranks=ranks):
                versions = (*state.versions, Version(version, recorded.position))
                left_out = sorted(_totals(state).keys() - {row.agency for row in ranks})
                scored_by = [_scored_by(state.members[agency]) for agency in left_out]
                return Table(state.leaves, state.members, versions, ranks, left_out, scored_by)
            case YearOpened(scheme=scheme):
                return msgspec.structs.replace(state, leaves=scheme.leaves())
            case _:  # pragma: no cover - `reads` names no other
                return state

    def figures(self, state: Table, on: date) -> Figures:
        figures: dict[str, Figure] = {}
        for agency, member in state.members.items():
            scores = {f"points/{agency}/{criterion}": figure for criterion, figure in _counted(member).items()}
            if scores:
                total = spell_points(member.total() or Decimal(0))
                figures |= {**scores, f"points/{agency}": Figure(total, _SUM, inputs=tuple(scores))}
        totals = _totals(state)
        compared = tuple(f"points/{agency}" for agency in totals)
        figures |= {f"rank/{row.agency}": Figure(row.rank, _RANK, inputs=compared) for row in rank(totals)}
        frozen = _frozen(state)
        if frozen is not UNSET:
            figures["frozen"] = Figure(frozen, _FROZEN, at=(*sorted(state.left_out_by), frozen.position))
        return figures

    def contradiction(self, state: Table, recorded: AnyRecorded) -> str | None:
        match recorded.event:
            case RankingFrozen(ranks=ranks) if ranks != rank(_totals(state, {row.agency for row in ranks})):
                return "the frozen ranking is not the one that follows from the scores before it"
            case SelfScoreSubmitted(points=sheet) if state.leaves:
                return next(
                    (said for claim in sheet if (said := _unscorable(state, claim.criterion, claim.points))), None
                )
            case ScoreAppraised(criterion=criterion, points=points) if state.leaves:
                return _unscorable(state, criterion, points)
            case _:
                return None

    @property
    def views(self) -> Sequence[View[Table]]:
        return VIEWS


def _totals(state: Table, agencies: AbstractSet[AgencyId] | None = None) -> dict[AgencyId, Decimal]:
    """Return the totals of those, or of all, that have one."""
    return {
        agency: total
        for agency, member in state.members.items()
        if (agencies is None or agency in agencies) and (total := member.total()) is not None
    }


def _counted(member: Member) -> dict[str, Figure]:
    """Return the points that count, by criterion."""
    claimed = {
        criterion: Figure(spell_points(points), _CLAIMED, at=(member.claimed_at,))
        for criterion, points in member.claimed.items()
    }
    appraised = {
        criterion: Figure(spell_points(given.points), _APPRAISED, at=(given.position,))
        for criterion, given in member.appraised.items()
    }
    return claimed | appraised


def _unscorable(state: Table, criterion: str, points: Decimal) -> str | None:
    most = state.leaves.get(criterion)
    if most is None:
        return f"the scheme does not score {criterion}"
    return f"{criterion} is worth at most {spell_points(most)}" if points > most else None


def _scored_by(member: Member) -> int:
    """Return the position of an event that gives a member a score."""
    return member.claimed_at if member.claimed else min(each.position for each in member.appraised.values())


def _frozen(state: Table) -> FrozenRanking | UnsetType:
    if not state.versions:
        return UNSET
    newest = state.versions[-1]
    return FrozenRanking(
        version=newest.version,
        position=newest.position,
        ranks=[FrozenRank(agency=row.agency, points=spell_points(row.points), rank=row.rank) for row in state.ranks],
        left_out=state.left_out or UNSET,
    )


def _render(state: Table, asked: Asked) -> StandingsDocument:
    return StandingsDocument(
        bloc=asked.where.bloc,
        year=asked.where.year,
        criteria=[Leaf(criterion=leaf, points_max=spell_points(most)) for leaf, most in state.leaves.items()],
        standings=[
            Standing(
                agency=row.agency,
                rank=row.rank,
                points=spell_points(row.points),
                scores=_scores(state.members[row.agency], state.leaves),
            )
            for row in rank(_totals(state))
        ],
        frozen=_frozen(state),
        versions=list(state.versions),
    )


def _scores(member: Member, leaves: dict[str, Decimal]) -> list[Score]:
    """Return what is scored, in the scheme's order."""
    scored = member.claimed.keys() | member.appraised.keys()
    return [_score(member, leaf) for leaf in leaves if leaf in scored]


def _score(member: Member, criterion: str) -> Score:
    claimed, appraised = member.claimed.get(criterion), member.appraised.get(criterion)
    counted = claimed if appraised is None else appraised.points
    return Score(
        criterion=criterion,
        points=spell_points(counted or Decimal(0)),
        claimed=UNSET if claimed is None else Claimed(points=spell_points(claimed), position=member.claimed_at),
        appraised=UNSET
        if appraised is None
        else Appraised(points=spell_points(appraised.points), stage=appraised.stage, position=appraised.position),
    )


VIEWS: Final[Sequence[View[Table]]] = (
    DocumentView(
        path="/blocs/{bloc}/years/{year}/standings",
        summary="The standings of a bloc's year",
        document=StandingsDocument,
        may_read=parties,
        key="{bloc}/{year}",
        render=_render,
    ),
)
