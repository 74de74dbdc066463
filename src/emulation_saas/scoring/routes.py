"""The scoring commands over HTTP."""

from decimal import Decimal
from typing import Annotated

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from emulation_saas.disputes.events import DisputeUpheld
from emulation_saas.http.bodies import Body, Text
from emulation_saas.http.corrections import Correction, cause_of
from emulation_saas.kernel.ids import AgencyId, BlocId, Handle
from emulation_saas.kernel.numbers import PointsText
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted, ProvinceLog
from emulation_saas.scoring.events import Evidence, SelfScore, Stage
from emulation_saas.scoring.use_cases import AppraiseScore, FreezeRanking, SubmitSelfScore

Explanation = Annotated[str, Meta(max_length=2_000)]
"""Short enough that a sheet of many criteria fits an event."""


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a member claims for one criterion."""

    criterion: Handle
    points: PointsText
    explanation: Explanation = ""
    evidence: Annotated[list[Evidence], Meta(max_length=20)] = []

    def read(self) -> SelfScore:
        """Return it with exact points."""
        return SelfScore(
            criterion=self.criterion,
            points=Decimal(self.points),
            explanation=self.explanation,
            evidence=self.evidence,
        )


class SheetBody(Body, frozen=True, kw_only=True):
    """A member's self-score; a criterion that is left out is not scored."""

    agency: Handle
    points: Annotated[list[Claim], Meta(min_length=1, max_length=400)]


class AppraisalBody(Correction, frozen=True, kw_only=True):
    """The points that a criterion of a member deserves, and why."""

    agency: Handle
    criterion: Handle
    points: PointsText
    reasons: Annotated[Text, Meta(min_length=1)]
    stage: Stage


class RankingBody(Correction, frozen=True, kw_only=True):
    """Freezing needs to say nothing but, from paper, when it was done."""


@post("/blocs/{bloc:str}/years/{year:int}/self-scores", summary="Score my agency, as one sheet")
async def submit_self_score(
    bloc: FromPath[str],
    year: FromPath[int],
    data: JSONBody[SheetBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Score a member by itself; the sheet replaces the member's earlier one."""
    sheet = SubmitSelfScore(
        bloc=BlocId(bloc),
        year=year,
        agency=AgencyId(data.agency),
        points=tuple(claim.read() for claim in data.points),
        time=data.entered(),
    )
    return await log.execute(sheet, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/appraisals", summary="Appraise a criterion of a member")
async def appraise_score(
    bloc: FromPath[str],
    year: FromPath[int],
    data: JSONBody[AppraisalBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Set the points of one criterion of a member, lower or higher than claimed, with reasons."""
    appraisal = AppraiseScore(
        bloc=BlocId(bloc),
        year=year,
        agency=AgencyId(data.agency),
        criterion=data.criterion,
        points=Decimal(data.points),
        reasons=data.reasons,
        stage=data.stage,
        time=data.entered(),
        causation=await cause_of(data, log, DisputeUpheld, bloc=bloc, year=year),
    )
    return await log.execute(appraisal, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/ranking", summary="Freeze the ranking as it stands")
async def freeze_ranking(
    bloc: FromPath[str],
    year: FromPath[int],
    data: JSONBody[RankingBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Keep the ranking as the next version."""
    freezing = FreezeRanking(
        bloc=BlocId(bloc),
        year=year,
        time=data.entered(),
        causation=await cause_of(data, log, DisputeUpheld, bloc=bloc, year=year),
    )
    return await log.execute(freezing, by=acting)


ROUTES = (submit_self_score, appraise_score, freeze_ranking)
