"""What the standings of a bloc's year look like when they are answered."""

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.kernel.numbers import PointsText
from emulation_saas.projecting.views import Document, Position
from emulation_saas.scoring.events import Stage


class Version(msgspec.Struct, frozen=True, gc=False):
    """One frozen version of the ranking; how it stood is read as of its position."""

    version: int
    position: Position


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """What the member claims."""

    points: PointsText
    position: Position


class Appraised(msgspec.Struct, frozen=True, kw_only=True):
    """What the appraisal gives."""

    points: PointsText
    stage: Stage
    position: Position


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One scored criterion of one member."""

    criterion: str
    points: PointsText
    """What counts."""
    claimed: Claimed | UnsetType = UNSET
    appraised: Appraised | UnsetType = UNSET


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One member: its points, where it stands with them, and what they are made of."""

    agency: AgencyId
    rank: int
    points: PointsText
    scores: list[Score]


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """A criterion that is scored, and its maximum."""

    criterion: str
    points_max: PointsText


class FrozenRank(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a frozen ranking."""

    agency: AgencyId
    points: PointsText
    rank: int


class FrozenRanking(msgspec.Struct, frozen=True, kw_only=True):
    """The newest version of the ranking that was kept."""

    version: int
    position: Position
    ranks: list[FrozenRank]
    left_out: list[AgencyId] | UnsetType = UNSET
    """Only there when there are any: those with a score who were no members of the year any more."""


class StandingsDocument(Document, frozen=True, kw_only=True):
    """The standings of a bloc's year, best first; equal points share a rank."""

    bloc: BlocId
    year: int
    criteria: list[Leaf]
    standings: list[Standing]
    frozen: FrozenRanking | UnsetType = UNSET
    versions: list[Version]
    """All versions of the ranking that were kept; each is read by `as_of` its position."""
