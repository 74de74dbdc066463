"""Scores of a year: each member's sheet, what secretary and expert make of it, the ratings, the ranking."""

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from random import Random
from typing import Final

from emulation_saas.generating.beginnings import scheme_of
from emulation_saas.generating.blocs import Bloc
from emulation_saas.generating.desk import Act, Desk, morning_of
from emulation_saas.generating.names import EXPERT_FOR, EXPLANATIONS, REASON_SAME, REASONS_LOWER, handle_of
from emulation_saas.generating.roster import Agency
from emulation_saas.kernel.ids import AgencyId
from emulation_saas.ratings.events import Level
from emulation_saas.ratings.use_cases import ReceiveRating
from emulation_saas.scoring.events import Evidence, SelfScore
from emulation_saas.scoring.use_cases import AppraiseScore, FreezeRanking, SubmitSelfScore

STEP: Final = Decimal("0.25")
_APPRAISED: Final = 0.6
"""Of how many criteria the bloc looks at the evidence."""
_SHEETS_AGAIN: Final = 0.2
"""How many members hand in a second sheet."""
_LEVELS: Final[tuple[Level, ...]] = ("excellent", "good", "good", "good", "satisfactory")

Sheet = dict[str, Decimal]


async def claim(desk: Desk, bloc: Bloc, year: int, chance: Random) -> dict[AgencyId, Sheet]:
    """Have all members of the year's end score themselves; return the sheets that stand."""
    members = bloc.members(year, at_end=True)
    sheets = {each.agency: _sheet(year, chance) for each in members}
    first = [_submission(bloc, year, each, sheets[each.agency], chance, day=20) for each in members]
    again: list[Act] = []
    for each in members:
        if chance.random() < _SHEETS_AGAIN:
            sheets[each.agency] = _sheet(year, chance)
            again.append(_submission(bloc, year, each, sheets[each.agency], chance, day=28))
    await desk.enter_all(first)
    await desk.enter_all(again)
    return sheets


async def appraise(
    desk: Desk, bloc: Bloc, year: int, sheets: dict[AgencyId, Sheet], chance: Random
) -> list[tuple[AppraiseScore, int]]:
    """Have secretary and expert appraise the sheets; return the secretary's appraisals with their positions."""
    acts = list(_appraisals(bloc, year, sheets, chance))
    recorded = await desk.enter_all(acts)
    return [
        (use_case, accepted.position)
        for (by, use_case), accepted in zip(acts, recorded, strict=True)
        if by == bloc.secretary and isinstance(use_case, AppraiseScore)
    ]


async def rate_and_rank(desk: Desk, bloc: Bloc, year: int, chance: Random) -> None:
    """Enter the ratings that came from outside, and freeze the ranking."""
    await desk.enter_all(
        (
            bloc.secretary,
            ReceiveRating(
                bloc=bloc.bloc,
                year=year,
                authority="Chủ tịch UBND tỉnh",
                document_no=f"{chance.randint(100, 999)}/QĐ-UBND",
                agency=each.agency,
                level=chance.choice(_LEVELS),
                time=morning_of(year, 12, 20),
            ),
        )
        for each in bloc.members(year, at_end=True)
    )
    await desk.enter(bloc.secretary, FreezeRanking(bloc=bloc.bloc, year=year, time=morning_of(year, 12, 22)))


def _sheet(year: int, chance: Random) -> Sheet:
    return {leaf: _points(most, chance) for leaf, most in scheme_of(year).leaves().items()}


def _points(most: Decimal, chance: Random) -> Decimal:
    """Draw between seven tenths of the most and the most, in quarters."""
    quarters = int(most / STEP)
    return STEP * chance.randint(quarters * 7 // 10, quarters)


def _submission(bloc: Bloc, year: int, member: Agency, sheet: Sheet, chance: Random, *, day: int) -> Act:
    points = tuple(
        SelfScore(
            criterion=criterion,
            points=points,
            explanation=chance.choice(EXPLANATIONS),
            evidence=[_evidence(member, criterion, year)] if chance.random() < 0.2 else [],  # noqa: PLR2004 - a fifth
        )
        for criterion, points in sheet.items()
    )
    time = morning_of(year, 11, day)
    return member.representative, SubmitSelfScore(
        bloc=bloc.bloc, year=year, agency=member.agency, points=points, time=time
    )


def _evidence(member: Agency, criterion: str, year: int) -> Evidence:
    digest = hashlib.sha256(f"{member.agency}/{criterion}/{year}".encode()).digest()
    return Evidence(
        sha256=digest.hex(),
        title=f"Báo cáo năm {year}",
        media_type="application/pdf",
        size=20_000 + int.from_bytes(digest[:2], "big"),
        held_by=member.agency,
    )


def _appraisals(bloc: Bloc, year: int, sheets: dict[AgencyId, Sheet], chance: Random) -> Iterable[Act]:
    expert_for = handle_of(EXPERT_FOR)
    for agency, sheet in sheets.items():
        for criterion, claimed in sheet.items():
            is_expert = criterion == expert_for
            if not is_expert and chance.random() > _APPRAISED:
                continue
            points = max(Decimal(0), claimed - STEP * chance.choice((0, 0, 0, 1, 2, 4)))
            yield (
                bloc.expert if is_expert else bloc.secretary,
                AppraiseScore(
                    bloc=bloc.bloc,
                    year=year,
                    agency=agency,
                    criterion=criterion,
                    points=points,
                    reasons=REASON_SAME if points == claimed else chance.choice(REASONS_LOWER),
                    stage="expert" if is_expert else "bloc",
                    time=morning_of(year, 12, 10),
                ),
            )
