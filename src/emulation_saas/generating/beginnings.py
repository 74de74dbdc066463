"""How a bloc's year begins: opened by scheme and rules, launched, pledged; and its review in the middle."""

from datetime import date, datetime
from decimal import Decimal
from functools import cache
from random import Random
from typing import Final

from emulation_saas.generating.blocs import Bloc
from emulation_saas.generating.desk import Desk, morning_of
from emulation_saas.generating.names import CRITERIA, PLACES, handle_of
from emulation_saas.generating.roster import Agency
from emulation_saas.kernel.events import Official
from emulation_saas.kernel.ids import MeetingId
from emulation_saas.meetings.use_cases import HoldMeeting
from emulation_saas.pledges.use_cases import DraftPledge, SignPledge
from emulation_saas.years.events import Criterion, Rules, Scheme
from emulation_saas.years.use_cases import LaunchYear, OpenYear

ANSWER_DAYS: Final = 10


@cache
def scheme_of(year: int) -> Scheme:
    """Return the score table of a year."""
    criteria: list[Criterion] = []
    for group, leaves in CRITERIA.items():
        most = sum(points for _, points in leaves)
        criteria.append(Criterion(criterion=handle_of(group), title=group, points_max=Decimal(most)))
        criteria += [
            Criterion(criterion=handle_of(title), title=title, parent=handle_of(group), points_max=Decimal(points))
            for title, points in leaves
        ]
    return Scheme(title=f"Bảng chấm điểm thi đua năm {year}", criteria=criteria)


async def begin_year(desk: Desk, bloc: Bloc, year: int, *, is_past: bool) -> None:
    """Open a year, launch it, and have its pledge signed by all who are members then."""
    by = bloc.secretary
    rules = Rules(
        legal_basis=f"Quy chế hoạt động của khối năm {year}",
        leaders_max=1,
        self_vote=True,
        dispute_answer_days=ANSWER_DAYS,
        disputes_suspend_nominations=True,
    )
    time = morning_of(year, 2, 5) if is_past else None
    await desk.enter(by, OpenYear(bloc=bloc.bloc, year=year, scheme=scheme_of(year), rules=rules, time=time))
    await desk.enter_all(
        [
            (by, LaunchYear(bloc=bloc.bloc, year=year, text=f"Phát động phong trào thi đua năm {year}", time=time)),
            (by, DraftPledge(bloc=bloc.bloc, year=year, text=_PLEDGE.format(year=year), time=time)),
        ]
    )
    await desk.enter_all(
        (
            each.representative,
            SignPledge(bloc=bloc.bloc, year=year, agency=each.agency, signed_by=leader_of(each), time=time),
        )
        for each in bloc.members(year, at_end=False)
    )


async def review_year(desk: Desk, bloc: Bloc, year: int, chance: Random, *, is_past: bool) -> None:
    """Hold the review in the middle of a year."""
    held_on = date(year, 7, chance.randint(8, 28))
    time = morning_of(held_on.year, held_on.month, held_on.day) if is_past else None
    await desk.enter(
        bloc.secretary, meeting(bloc, f"{bloc.bloc}-so-ket-{year}", held_on, chance, covers=year, time=time)
    )


def meeting(
    bloc: Bloc,
    handle: str,
    held_on: date,
    chance: Random,
    *,
    covers: int,
    time: datetime | None,
) -> HoldMeeting:
    """Return a meeting that all members of a year's end attend; held in the next year, it plans that."""
    members = bloc.members(covers, at_end=True)
    plans = {} if held_on.year == covers else {"plans_year": held_on.year}
    return HoldMeeting(
        bloc=bloc.bloc,
        meeting=MeetingId(handle),
        held_on=held_on,
        place=chance.choice(PLACES),
        chairs=tuple(leader_of(each) for each in members[:2]),
        members=tuple(each.agency for each in members),
        others=("Đại diện Thường trực Hội đồng Thi đua - Khen thưởng tỉnh",),
        covers_year=covers,
        **plans,
        time=time,
    )


def leader_of(agency: Agency) -> Official:
    """Return who signs for an agency."""
    return Official(person=agency.representative, name=f"Lãnh đạo {agency.name}", office="Lãnh đạo đơn vị")


_PLEDGE: Final = (
    "Các đơn vị trong khối giao ước năm {year}: hoàn thành xuất sắc nhiệm vụ được giao, đẩy mạnh cải cách hành chính, "
    "thực hiện hiệu quả các phong trào thi đua do tỉnh và khối phát động"
)
