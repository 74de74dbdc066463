"""Receive a member's rating, receive the numbers of a whole bloc."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from emulation_saas.blocs.events import MemberAdmitted, Membership, MemberWithdrawn, NotAMember
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.kernel.rejections import Conflict, Invalid, NotEmpowered
from emulation_saas.kernel.use_cases import Selector, UseCase
from emulation_saas.ratings.events import Aggregate, AggregateRatingReceived, Level, RatingReceived
from emulation_saas.years.events import Year, YearClosed, YearOpened

EXCELLENT: Final = frozenset[Level]({"excellent"})
GOOD_OR_BETTER: Final = frozenset[Level]({"excellent", "good"})


class AggregateOutOfOrder(Invalid):
    """The excellent are among the good or better, and these among all."""

    code = "aggregate-out-of-order"


class AggregateExceedsMembers(Invalid):
    """The aggregate counts more agencies than the bloc had members that year."""

    code = "aggregate-exceeds-members"


class AggregateContradictsRatings(Conflict):
    """The ratings known of single members make these numbers impossible."""

    code = "aggregate-contradicts-ratings"


class Ratings(msgspec.Struct, frozen=True):
    """What is known of the ratings of a bloc's year."""

    year: Year = Year()
    members: Membership = Membership()
    single: dict[AgencyId, RatingReceived] = {}
    aggregate: AggregateRatingReceived | None = None

    def allows(self, aggregate: Aggregate, members: Sequence[AgencyId]) -> bool:
        """Tell whether the numbers can be true, given the ratings known of single members.

        Members whom the aggregate does not count may be any of those rated singly, so each comparison gives way by
        their number; where it counts everybody, nothing gives way.
        """
        levels = [self.single[agency].level for agency in members if agency in self.single]
        uncounted = len(members) - aggregate.of
        return all(
            sum(level in reached for level in levels) <= count + uncounted
            and sum(level not in reached for level in levels) <= aggregate.of - count + uncounted
            for reached, count in ((EXCELLENT, aggregate.excellent), (GOOD_OR_BETTER, aggregate.good_or_better))
        )


@dataclass(frozen=True)
class _OnRatings(UseCase[Ratings]):
    """What is received for a bloc's year, knowing its ratings."""

    bloc: BlocId
    year: int
    authority: str
    """Who gave the rating, as the document names it."""
    document_no: str
    """Empty where the source does not state it."""

    def facts(self) -> Sequence[Selector]:
        return [
            Selector(types=[MemberAdmitted, MemberWithdrawn], tags=[f"bloc:{self.bloc}"]),
            Selector(
                types=[YearOpened, YearClosed, RatingReceived, AggregateRatingReceived],
                tags=[f"year:{self.bloc}/{self.year}"],
            ),
        ]

    @staticmethod
    def initial() -> Ratings:
        return Ratings()

    @staticmethod
    def evolve(view: Ratings, event: Event) -> Ratings:
        match event:
            case RatingReceived(agency=agency):
                return replace(view, single={**view.single, agency: event})
            case AggregateRatingReceived():
                return replace(view, aggregate=event)
            case YearOpened() | YearClosed():
                return replace(view, year=view.year.after(event))
            case _:
                return replace(view, members=view.members.after(event))

    def is_empowered(self, may: Authority) -> bool:
        """Tell whether the actor may enter ratings: whoever runs the bloc's year, and the council."""
        return may.runs(self.bloc, self.year) or may.is_council


@dataclass(frozen=True)
class ReceiveRating(_OnRatings):
    """The competent authority's rating of a member is entered; it supersedes that member's earlier one."""

    agency: AgencyId
    level: Level

    def decide(self, view: Ratings, may: Authority, now: datetime) -> Sequence[Event]:
        if not self.is_empowered(may):
            raise NotEmpowered
        view.year.require_open()
        if self.agency not in view.members.in_year(self.year):
            raise NotAMember
        received = RatingReceived(
            bloc=self.bloc,
            year=self.year,
            agency=self.agency,
            level=self.level,
            authority=self.authority,
            document_no=self.document_no,
        )
        return [] if view.single.get(self.agency) == received else [received]


@dataclass(frozen=True)
class ReceiveAggregateRating(_OnRatings):
    """Only numbers are known; they are entered as such, and supersede earlier numbers."""

    aggregate: Aggregate

    def decide(self, view: Ratings, may: Authority, now: datetime) -> Sequence[Event]:
        if not self.is_empowered(may):
            raise NotEmpowered
        view.year.require_open()
        if not self.aggregate.excellent <= self.aggregate.good_or_better <= self.aggregate.of:
            raise AggregateOutOfOrder
        members = view.members.in_year(self.year)
        if self.aggregate.of > len(members):
            raise AggregateExceedsMembers(f"the bloc had {len(members)}")
        received = AggregateRatingReceived(
            bloc=self.bloc,
            year=self.year,
            aggregate=self.aggregate,
            authority=self.authority,
            document_no=self.document_no,
        )
        if view.aggregate == received:
            return []
        if not view.allows(self.aggregate, members):
            raise AggregateContradictsRatings
        return [received]
