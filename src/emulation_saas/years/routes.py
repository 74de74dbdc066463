"""The years' commands over HTTP."""

from decimal import Decimal
from typing import Annotated

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.http.bodies import Body, Line, Moment, Text, moment
from emulation_saas.kernel.ids import BlocId, Handle
from emulation_saas.kernel.numbers import PointsText
from emulation_saas.kernel.numbers import Year as YearNumber
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted, ProvinceLog
from emulation_saas.years.events import Criterion, Rules, Scheme
from emulation_saas.years.use_cases import CloseYear, LaunchYear, OpenYear


class CriterionBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A criterion; one that is nobody's parent is scored."""

    criterion: Handle
    title: Line
    parent: Handle | UnsetType = UNSET
    points_max: PointsText


class SchemeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tree of criteria: every parent before its children, and worth exactly their sum."""

    title: Line
    criteria: Annotated[list[CriterionBody], Meta(min_length=1, max_length=400)]

    def read(self) -> Scheme:
        """Return the scheme it spells."""
        return Scheme(
            title=self.title,
            criteria=[
                Criterion(
                    criterion=node.criterion,
                    title=node.title,
                    parent=node.parent,
                    points_max=Decimal(node.points_max),
                )
                for node in self.criteria
            ],
        )


class RulesBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The year's rules."""

    legal_basis: Line
    self_scores_close_at: Moment | UnsetType = UNSET
    leaders_max: Annotated[int, Meta(ge=1, le=100)]
    self_vote: bool
    dispute_answer_days: Annotated[int, Meta(ge=1, le=365)] | UnsetType = UNSET
    disputes_suspend_nominations: bool = False

    def read(self) -> Rules:
        """Return the rules it spells."""
        return Rules(
            legal_basis=self.legal_basis,
            self_scores_close_at=UNSET if self.self_scores_close_at is UNSET else moment(self.self_scores_close_at),
            leaders_max=self.leaders_max,
            self_vote=self.self_vote,
            dispute_answer_days=self.dispute_answer_days,
            disputes_suspend_nominations=self.disputes_suspend_nominations,
        )


class YearBody(Body, frozen=True, kw_only=True):
    """A year to open, with its scheme and rules."""

    year: YearNumber
    scheme: SchemeBody
    rules: RulesBody


class LaunchBody(Body, frozen=True, kw_only=True):
    """The text with which the year's movement is launched."""

    text: Annotated[Text, Meta(min_length=1)]


class ClosingBody(Body, frozen=True, kw_only=True):
    """Nothing but, for what comes from paper, when."""


@post("/blocs/{bloc:str}/years", summary="Open a bloc's year")
async def open_year(
    bloc: FromPath[str],
    data: JSONBody[YearBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Open the year with the scheme and rules by which it is judged for ever."""
    opening = OpenYear(
        bloc=BlocId(bloc), year=data.year, scheme=data.scheme.read(), rules=data.rules.read(), time=data.entered()
    )
    return await log.execute(opening, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/launch", summary="Launch the year's movement")
async def launch_year(
    bloc: FromPath[str],
    year: FromPath[int],
    data: JSONBody[LaunchBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Launch the year's emulation movement."""
    launch = LaunchYear(bloc=BlocId(bloc), year=year, text=data.text, time=data.entered())
    return await log.execute(launch, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/close", summary="Close the year")
async def close_year(
    bloc: FromPath[str],
    year: FromPath[int],
    data: JSONBody[ClosingBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Close the year, once no ballot is open and no dispute pending; nothing of it changes after that."""
    closing = CloseYear(bloc=BlocId(bloc), year=year, time=data.entered())
    return await log.execute(closing, by=acting)


ROUTES = (open_year, launch_year, close_year)
