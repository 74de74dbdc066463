"""The conference that sums up a year: its ballots on paper, leader, nominations, and the officers of the next year."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from random import Random
from typing import Final

from emulation_saas.ballots.events import OptionVotes, Question, Rule
from emulation_saas.ballots.use_cases import OpenBallot, RecordPaperCount
from emulation_saas.generating.beginnings import meeting
from emulation_saas.generating.blocs import Bloc
from emulation_saas.generating.contesting import contest_nomination
from emulation_saas.generating.desk import Desk, morning_of
from emulation_saas.generating.roster import Agency, Roster
from emulation_saas.kernel.ids import BallotId, NominationId
from emulation_saas.kernel.numbers import Share
from emulation_saas.nominations.events import Award
from emulation_saas.nominations.use_cases import AcclaimLeader, ForwardNomination, MakeNomination, YieldNomination
from emulation_saas.offices.use_cases import ElectOfficer

_YIELDS: Final = 0.2
_CONTESTED: Final = 0.1
_AWARDS: Final[tuple[Award, ...]] = (
    "gov_flag",
    "prov_flag",
    "prov_certificate",
    "prov_certificate",
    "prov_certificate",
)
_LAW: Final = "Luật Thi đua, khen thưởng"

Chosen = Mapping[str, Sequence[Agency]]
"""By question, who is chosen."""


async def confer(desk: Desk, roster: Roster, bloc: Bloc, year: int, chance: Random) -> None:
    """Hold the conference: meeting, ballots, leader, nominations, next year's officers."""
    held_on = date(year + 1, 1, chance.randint(8, 28))
    time = morning_of(held_on.year, held_on.month, held_on.day)
    members = bloc.members(year, at_end=True)
    best = chance.sample(members, len(_AWARDS))
    head, deputy = chance.sample(members, 2)
    await desk.enter(
        bloc.secretary, meeting(bloc, f"{bloc.bloc}-tong-ket-{year}", held_on, chance, covers=year, time=time)
    )
    leading = await _ballot(desk, bloc, year, "dan-dau", {"leading-unit": best[:1]}, chance, time)
    flags = {"gov-flag": best[:1], "prov-flag": best[1:2]}
    flagged = await _ballot(desk, bloc, year, "co-thi-dua", flags, chance, time)
    certified = await _ballot(desk, bloc, year, "bang-khen", {"prov-certificate": best[2:]}, chance, time)
    elected = await _ballot(desk, bloc, year, "truong-pho", {"head": [head], "deputy": [deputy]}, chance, time)
    await desk.enter(
        bloc.secretary,
        AcclaimLeader(
            bloc=bloc.bloc,
            year=year,
            agency=best[0].agency,
            method="ballot",
            ballot=leading,
            because="Bình xét, suy tôn tại Hội nghị tổng kết",
            time=time,
        ),
    )
    await _nominate(desk, roster, bloc, year, best, (flagged, certified), chance, time)
    await desk.enter_all(
        [
            (bloc.secretary, ElectOfficer(bloc.bloc, "head", year + 1, head.agency, elected, time=time)),
            (bloc.secretary, ElectOfficer(bloc.bloc, "deputy", year + 1, deputy.agency, elected, time=time)),
        ]
    )


def questions_of(chosen: Chosen, options: Sequence[Agency]) -> tuple[Question, ...]:
    """Return the questions of a ballot, every member being an option of each."""
    handles = [each.agency for each in options]
    return tuple(Question(question=each, title=_TITLES[each], options=[*handles]) for each in chosen)


def rule_of(seats: int) -> Rule:
    """Return the rule: more than half of all members, two thirds taking part."""
    return Rule(
        base="electorate",
        threshold=Share(num=1, den=2),
        quorum=Share(num=2, den=3),
        comparison=">",
        seats=seats,
        tie="revote",
    )


async def _ballot(
    desk: Desk, bloc: Bloc, year: int, what: str, chosen: Chosen, chance: Random, time: datetime
) -> BallotId:
    """Hold a ballot on paper that chooses these; return its handle."""
    ballot, members = BallotId(f"{bloc.bloc}-{year}-{what}"), bloc.members(year, at_end=True)
    seats = max(len(agencies) for agencies in chosen.values())
    await desk.enter(
        bloc.secretary,
        OpenBallot(
            bloc=bloc.bloc,
            year=year,
            ballot=ballot,
            title=f"{', '.join(_TITLES[each] for each in chosen)} năm {year}",
            mode="paper_secret",
            questions=questions_of(chosen, members),
            roll=tuple(each.agency for each in members),
            rule=rule_of(seats),
            time=time,
        ),
    )
    await desk.enter(
        bloc.secretary,
        RecordPaperCount(
            bloc=bloc.bloc,
            year=year,
            ballot=ballot,
            present=len(members),
            issued=len(members),
            collected=len(members),
            valid=len(members),
            invalid=0,
            votes=tuple(_counted(chosen, members, chance)),
            time=time,
        ),
    )
    return ballot


def _counted(chosen: Chosen, members: Sequence[Agency], chance: Random) -> list[OptionVotes]:
    """Return votes by which each question chooses exactly these: they have more than half, nobody else has."""
    voters = len(members)
    votes: list[OptionVotes] = []
    for question, agencies in chosen.items():
        got = {each.agency: chance.randint(voters // 2 + 1, voters) for each in agencies}
        left = voters * len(agencies) - sum(got.values())
        for each in members:
            if each.agency not in got:
                got[each.agency] = chance.randint(0, min(left, voters // 2))
                left -= got[each.agency]
        votes += [OptionVotes(question=question, option=each.agency, votes=got[each.agency]) for each in members]
    return votes


async def _nominate(
    desk: Desk,
    roster: Roster,
    bloc: Bloc,
    year: int,
    best: Sequence[Agency],
    ballots: tuple[BallotId, BallotId],
    chance: Random,
    time: datetime,
) -> None:
    """Nominate the best, one for each flag and the others for certificates; one may yield, one may be contested."""
    handles = [NominationId(f"{bloc.bloc}-{year}-dn-{number}") for number in range(1, len(best) + 1)]
    made = await desk.enter_all(
        (
            bloc.secretary,
            MakeNomination(
                bloc=bloc.bloc,
                year=year,
                nomination=handle,
                agency=nominee.agency,
                award=award,
                legal_basis=_LAW,
                ballot=ballots[award == "prov_certificate"],
                time=time,
            ),
        )
        for handle, nominee, award in zip(handles, best, _AWARDS, strict=True)
    )
    if chance.random() < _YIELDS:
        yielding = YieldNomination(bloc.bloc, year, handles.pop(), "Xin rút để nhường đơn vị khác", time=time)
        await desk.enter(best[-1].representative, yielding)
    if chance.random() < _CONTESTED:
        await contest_nomination(desk, roster, bloc, year, best[0], made[1].position)
    await desk.enter_all(
        (bloc.secretary, ForwardNomination(bloc.bloc, year, handle, f"{year}/TTr-K", time=time)) for handle in handles
    )


_TITLES: Final = {
    "leading-unit": "Đơn vị dẫn đầu",
    "gov-flag": "Cờ thi đua của Chính phủ",
    "prov-flag": "Cờ thi đua của UBND tỉnh",
    "prov-certificate": "Bằng khen của UBND tỉnh",
    "head": "Trưởng khối",
    "deputy": "Phó Trưởng khối",
}
