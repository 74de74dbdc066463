"""What happens to a year's scores: members score themselves, others appraise, a ranking is frozen as a version."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from emulation_saas.kernel.events import Visibility, YearEvent
from emulation_saas.kernel.ids import AgencyId
from emulation_saas.kernel.rejections import Invalid
from emulation_saas.kernel.texts import is_blank

Stage = Literal["bloc", "expert", "council"]
"""Who appraises: the bloc's officers, the agency that follows the criterion, the standing body."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that stays with its agency; the log keeps what identifies it."""

    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
    title: Annotated[str, Meta(min_length=1, max_length=300)]
    media_type: Annotated[str, Meta(pattern=r"^[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}$(?!\n)")]
    size: Annotated[int, Meta(ge=0, le=2**53)]
    held_by: AgencyId


class SelfScore(msgspec.Struct, frozen=True, kw_only=True):
    """What a member claims for one criterion. Zero is a claim; a criterion that is absent was not scored."""

    criterion: str
    points: Decimal
    explanation: str
    evidence: list[Evidence]


class Rank(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a frozen ranking; equal points share a rank."""

    agency: AgencyId
    points: Decimal
    rank: int


class SelfScoreSubmitted(YearEvent, frozen=True, kw_only=True):
    """A member scored itself, as one sheet; it replaces the member's earlier sheet."""

    type: ClassVar[str] = "scoring.self-score-submitted.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    agency: AgencyId
    points: list[SelfScore]

    def tags(self) -> list[str]:
        """Return the tags of bloc, year and agency."""
        return [*super().tags(), f"agency:{self.agency}"]


class ScoreAppraised(YearEvent, frozen=True, kw_only=True):
    """A criterion of a member was appraised, lower or higher than claimed; it supersedes earlier appraisals."""

    type: ClassVar[str] = "scoring.score-appraised.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    agency: AgencyId
    criterion: str
    points: Decimal
    reasons: str
    stage: Stage

    def tags(self) -> list[str]:
        """Return the tags of bloc, year and agency."""
        return [*super().tags(), f"agency:{self.agency}"]


class RankingFrozen(YearEvent, frozen=True, kw_only=True):
    """The ranking as it then stood was kept as a version."""

    type: ClassVar[str] = "scoring.ranking-frozen.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    version: int
    ranks: list[Rank]


EVENTS = (SelfScoreSubmitted, ScoreAppraised, RankingFrozen)


class ReasonNeeded(Invalid):
    """A reason must be given."""

    code = "reason-needed"


def require_reason(text: str, detail: str | None = None) -> None:
    """Refuse a reason of which nothing is seen; `detail` says why there must be one."""
    if is_blank(text):
        raise ReasonNeeded(detail)
