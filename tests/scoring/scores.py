"""Sheets, appraisals and rankings of that year, briefly told."""

from decimal import Decimal

from emulation_saas.kernel.ids import AgencyId
from emulation_saas.scoring.events import Rank, RankingFrozen, ScoreAppraised, SelfScore, SelfScoreSubmitted, Stage
from tests.scoring.bloc_year import SNV, TM1


def claim(criterion: str, points: str, explanation: str = "") -> SelfScore:
    """Return one line of a sheet."""
    return SelfScore(criterion=criterion, points=Decimal(points), explanation=explanation, evidence=[])


def submitted(agency: AgencyId, *claims: SelfScore) -> SelfScoreSubmitted:
    """Return a sheet as it is recorded."""
    return SelfScoreSubmitted(bloc=TM1, year=2023, agency=agency, points=list(claims))


def appraised(
    points: str,
    *,
    agency: AgencyId = SNV,
    criterion: str = "plan",
    stage: Stage = "bloc",
    reasons: str = "Theo báo cáo",
) -> ScoreAppraised:
    """Return an appraisal as it is recorded."""
    return ScoreAppraised(
        bloc=TM1,
        year=2023,
        agency=agency,
        criterion=criterion,
        points=Decimal(points),
        reasons=reasons,
        stage=stage,
    )


def frozen(version: int, *rows: tuple[AgencyId, str, int]) -> RankingFrozen:
    """Return a version of the ranking."""
    ranks = [Rank(agency=agency, points=Decimal(points), rank=place) for agency, points, place in rows]
    return RankingFrozen(bloc=TM1, year=2023, version=version, ranks=ranks)
