"""Task-completion ratings, received from outside the bloc: per agency, or only in aggregate."""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from emulation_saas.kernel.events import Visibility, YearEvent
from emulation_saas.kernel.ids import AgencyId

Level = Literal["excellent", "good", "satisfactory", "failed"]


class Aggregate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many of the members reached which level, when who reached it is not stated."""

    of: Annotated[int, Meta(ge=1, le=1000)]
    good_or_better: Annotated[int, Meta(ge=0, le=1000)]
    excellent: Annotated[int, Meta(ge=0, le=1000)]


class RatingReceived(YearEvent, frozen=True, kw_only=True):
    """The competent authority rated a member; it supersedes that member's earlier rating."""

    type: ClassVar[str] = "rating.received.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    agency: AgencyId
    level: Level
    authority: str
    document_no: str

    def tags(self) -> list[str]:
        """Return the tags of bloc, year and agency."""
        return [*super().tags(), f"agency:{self.agency}"]


class AggregateRatingReceived(YearEvent, frozen=True, kw_only=True):
    """Only numbers are known; it supersedes the earlier aggregate and names nobody."""

    type: ClassVar[str] = "rating.aggregate-received.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    aggregate: Aggregate
    authority: str
    document_no: str


EVENTS = (RatingReceived, AggregateRatingReceived)
