"""How the competent authorities rated the members of a bloc's year: by member, or only in aggregate.

An aggregate names nobody, and nobody is invented from it. Figures: `ratings/{agency}`, `aggregate`.
"""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Final

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.kernel.events import AnyRecorded, Event, YearEvent
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.projecting.figures import Figure, FigureRule, Figures
from emulation_saas.projecting.projection import Projection
from emulation_saas.projecting.views import Asked, Document, DocumentView, Position, View, parties
from emulation_saas.ratings.events import Aggregate, AggregateRatingReceived, Level, RatingReceived
from emulation_saas.years.events import YearOpened


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """A member's rating that stands."""

    level: Level
    authority: str
    document_no: str
    position: Position


class AggregateRating(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers that stand where names are not known."""

    aggregate: Aggregate
    authority: str
    document_no: str
    position: Position


class Rated(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one bloc's year."""

    members: dict[AgencyId, Rating] = {}
    aggregate: AggregateRating | None = None


_RATING: Final = FigureRule("ratings.last-received@1", "The member's last rating stands", "latest")
_AGGREGATE: Final = FigureRule("ratings.last-aggregate@1", "The last numbers received stand", "latest")


class RatingLine(Rating, frozen=True, kw_only=True):
    """A member and its rating."""

    agency: AgencyId


class RatingsDocument(Document, frozen=True, kw_only=True):
    """The ratings of a bloc's year, by the members' handles, and the aggregate where one was received."""

    bloc: BlocId
    year: int
    ratings: list[RatingLine]
    aggregate: AggregateRating | UnsetType = UNSET


class Ratings(Projection[Rated]):
    """How the members of a bloc's year were rated."""

    name: ClassVar[str] = "ratings"
    version: ClassVar[int] = 1
    reads: ClassVar[tuple[type[Event], ...]] = (YearOpened, RatingReceived, AggregateRatingReceived)

    def key(self, event: YearEvent) -> str:
        return f"{event.bloc}/{event.year}"

    def tags_of(self, key: str) -> list[str]:
        return [f"year:{key}"]

    def initial(self) -> Rated:
        return Rated()

    def evolve(self, state: Rated, recorded: AnyRecorded) -> Rated:
        match recorded.event:
            case RatingReceived(agency=agency, level=level, authority=authority, document_no=document_no):
                rating = Rating(level=level, authority=authority, document_no=document_no, position=recorded.position)
                return Rated(members={**state.members, agency: rating}, aggregate=state.aggregate)
            case AggregateRatingReceived(aggregate=aggregate, authority=authority, document_no=document_no):
                received = AggregateRating(
                    aggregate=aggregate, authority=authority, document_no=document_no, position=recorded.position
                )
                return Rated(members=state.members, aggregate=received)
            case _:  # the year was opened: there is a document, and nothing in it yet
                return state

    def figures(self, state: Rated, on: date) -> Figures:
        figures = {
            f"ratings/{agency}": Figure(rating.level, _RATING, at=(rating.position,))
            for agency, rating in state.members.items()
        }
        if state.aggregate is not None:
            figures["aggregate"] = Figure(state.aggregate.aggregate, _AGGREGATE, at=(state.aggregate.position,))
        return figures

    @property
    def views(self) -> Sequence[View[Rated]]:
        return VIEWS


def _render(state: Rated, asked: Asked) -> RatingsDocument:
    return RatingsDocument(
        bloc=asked.where.bloc,
        year=asked.where.year,
        ratings=[
            RatingLine(
                agency=agency,
                level=rating.level,
                authority=rating.authority,
                document_no=rating.document_no,
                position=rating.position,
            )
            for agency, rating in sorted(state.members.items())
        ],
        aggregate=UNSET if state.aggregate is None else state.aggregate,
    )


VIEWS: Final[Sequence[View[Rated]]] = (
    DocumentView(
        path="/blocs/{bloc}/years/{year}/ratings",
        summary="The ratings of a bloc's year",
        document=RatingsDocument,
        may_read=parties,
        key="{bloc}/{year}",
        render=_render,
    ),
)
