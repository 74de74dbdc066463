"""The ratings' command over HTTP: one resource, for a member's rating and for the numbers of a bloc."""

from typing import Annotated

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.disputes.events import DisputeUpheld
from emulation_saas.http.bodies import Line
from emulation_saas.http.corrections import Correction, cause_of
from emulation_saas.kernel.ids import AgencyId, BlocId, Handle
from emulation_saas.kernel.rejections import Invalid
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted, ProvinceLog
from emulation_saas.ratings.events import Aggregate, Level
from emulation_saas.ratings.use_cases import ReceiveAggregateRating, ReceiveRating


class AgencyOrAggregate(Invalid):
    """A rating names an agency and its level, or gives an aggregate, and not both."""

    code = "agency-or-aggregate"


class RatingBody(Correction, frozen=True, kw_only=True):
    """Either `agency` with `level`, or `aggregate`."""

    agency: Handle | UnsetType = UNSET
    level: Level | UnsetType = UNSET
    aggregate: Aggregate | UnsetType = UNSET
    authority: Line
    document_no: Annotated[str, Meta(max_length=300)] = ""
    """Empty or absent where the source does not state it."""

    def receiving(
        self, bloc: BlocId, year: int, *, ruling: int | None = None
    ) -> ReceiveRating | ReceiveAggregateRating:
        """Return the use case that is meant, as carrying out a ruling where there is one.

        Raises:
            AgencyOrAggregate: neither is, or both are, or half of one.
        """
        if self.agency is not UNSET and self.level is not UNSET and self.aggregate is UNSET:
            return ReceiveRating(
                bloc=bloc,
                year=year,
                agency=AgencyId(self.agency),
                level=self.level,
                authority=self.authority,
                document_no=self.document_no,
                time=self.entered(),
                causation=ruling,
            )
        if self.agency is UNSET and self.level is UNSET and self.aggregate is not UNSET:
            return ReceiveAggregateRating(
                bloc=bloc,
                year=year,
                aggregate=self.aggregate,
                authority=self.authority,
                document_no=self.document_no,
                time=self.entered(),
                causation=ruling,
            )
        raise AgencyOrAggregate


@post("/blocs/{bloc:str}/years/{year:int}/ratings", summary="Enter a member's rating, or the bloc's in numbers")
async def receive_rating(
    bloc: FromPath[str],
    year: FromPath[int],
    data: JSONBody[RatingBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Enter what the competent authority found: of one member by name, or in aggregate only."""
    ruling = await cause_of(data, log, DisputeUpheld, bloc=bloc, year=year)
    return await log.execute(data.receiving(BlocId(bloc), year, ruling=ruling), by=acting)


ROUTES = (receive_rating,)
