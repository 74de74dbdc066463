"""Disputes of a year: members contest appraisals, the council decides, what it upholds is corrected."""

from random import Random
from typing import Final

from emulation_saas.disputes.events import About
from emulation_saas.disputes.use_cases import AnswerDispute, FileDispute, RefuseDispute, UpholdDispute
from emulation_saas.generating.beginnings import scheme_of
from emulation_saas.generating.blocs import Bloc
from emulation_saas.generating.desk import Desk, morning_of
from emulation_saas.generating.roster import Agency, Roster
from emulation_saas.generating.scoring import STEP
from emulation_saas.kernel.ids import DisputeId
from emulation_saas.scoring.use_cases import AppraiseScore

_DISPUTED: Final = 0.02
"""How many appraisals are contested."""


async def contest_scores(
    desk: Desk, roster: Roster, bloc: Bloc, year: int, appraised: list[tuple[AppraiseScore, int]], chance: Random
) -> None:
    """Have members contest some appraisals, and correct those of which the council says that they were wrong."""
    representing = {each.agency: each for each in bloc.members(year, at_end=True)}
    contested = [each for each in appraised if chance.random() < _DISPUTED]
    for number, (appraisal, position) in enumerate(contested, 1):
        dispute, is_right = DisputeId(f"{bloc.bloc}-{year}-kn-{number}"), chance.random() < 0.5  # noqa: PLR2004 - even
        await _file(desk, bloc, year, dispute, representing[appraisal.agency], about="score", position=position)
        await desk.enter(
            bloc.secretary,
            AnswerDispute(
                bloc=bloc.bloc,
                year=year,
                dispute=dispute,
                text="Khi thẩm định chưa thấy minh chứng; đề nghị đối chiếu",
                time=morning_of(year, 12, 27),
            ),
        )
        if not is_right:
            await refuse(desk, roster, bloc, year, dispute)
            continue
        upheld = await desk.enter(
            roster.council,
            UpholdDispute(
                bloc=bloc.bloc,
                year=year,
                dispute=dispute,
                reasons="Minh chứng đến đúng hạn, đủ căn cứ",
                time=morning_of(year, 12, 29),
            ),
        )
        await desk.enter(bloc.secretary, _correction(appraisal, number, upheld.position))


async def contest_nomination(desk: Desk, roster: Roster, bloc: Bloc, year: int, by: Agency, position: int) -> None:
    """Have a member contest a nomination, which rests until the council refuses the dispute."""
    dispute = DisputeId(f"{bloc.bloc}-{year}-kn-co")
    await _file(desk, bloc, year, dispute, by, about="nomination", position=position)
    await refuse(desk, roster, bloc, year, dispute)


async def refuse(desk: Desk, roster: Roster, bloc: Bloc, year: int, dispute: DisputeId) -> None:
    """Have the council refuse a dispute."""
    reasons = "Hồ sơ không có căn cứ mới"
    await desk.enter(roster.council, RefuseDispute(bloc=bloc.bloc, year=year, dispute=dispute, reasons=reasons))


async def _file(
    desk: Desk, bloc: Bloc, year: int, dispute: DisputeId, by: Agency, *, about: About, position: int
) -> None:
    """File a dispute against what the secretary entered, who represents nobody."""
    found = await desk.log.at([position])
    filing = FileDispute(
        bloc=bloc.bloc,
        year=year,
        dispute=dispute,
        agency=by.agency,
        about=about,
        positions=(position,),
        found=tuple(found),
        acted_for={position: frozenset()},
        text="Đề nghị xem xét lại: đơn vị đã gửi báo cáo đúng hạn, có minh chứng kèm theo",
    )
    await desk.enter(by.representative, filing)


def _correction(appraisal: AppraiseScore, number: int, ruling: int) -> AppraiseScore:
    return AppraiseScore(
        bloc=appraisal.bloc,
        year=appraisal.year,
        agency=appraisal.agency,
        criterion=appraisal.criterion,
        points=min(appraisal.points + STEP, scheme_of(appraisal.year).leaves()[appraisal.criterion]),
        reasons=f"Chấm lại theo kiến nghị số {number} được chấp nhận",
        stage="bloc",
        causation=ruling,
    )
