"""Entering a meeting that was held."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec import UNSET, structs

from emulation_saas.blocs.events import BlocEstablished, MemberAdmitted, MemberWithdrawn, NoSuchBloc, NotAMember
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import day_of
from emulation_saas.kernel.events import Event, Official
from emulation_saas.kernel.ids import AgencyId, BlocId, MeetingId, PersonId
from emulation_saas.kernel.rejections import NotEmpowered, TimeInFuture
from emulation_saas.meetings.events import Attendance, MeetingHeld
from emulation_saas.meetings.use_cases import HoldMeeting, MeetingHandleTaken, Minutes, ServesNoYear
from emulation_saas.years.events import Criterion, Rules, Scheme, YearClosed, YearOpened, YearOver
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, NOW, SOMEBODY, given, representing, secretary_of

TM1 = BlocId("tham-muu-1")
SNV, STP, TTT = AgencyId("so-noi-vu"), AgencyId("so-tu-phap"), AgencyId("thanh-tra-tinh")
TODAY = day_of(NOW)

established = BlocEstablished(
    bloc=TM1, name="Khối Tham mưu I", aliases=[], kind="khoi", effective_on=date(2022, 12, 1), legal_basis="QĐ 12"
)


def member(agency: AgencyId, since: date = date(2023, 1, 1)) -> MemberAdmitted:
    return MemberAdmitted(bloc=TM1, agency=agency, effective_on=since, legal_basis="QĐ 12")


def left(agency: AgencyId, on: date) -> MemberWithdrawn:
    return MemberWithdrawn(bloc=TM1, agency=agency, effective_on=on, legal_basis="QĐ 30", because="sáp nhập")


def chair(name: str | None = "Đặng Văn Đào", office: str = "Giám đốc Sở Tư pháp", person: str = "a") -> Official:
    return Official(person=PersonId("p-" + 10 * person), name=name, office=office)


def officer(bloc: BlocId, year: int) -> Authority:
    return Authority(person=SOMEBODY, known=True, offices=frozenset({(bloc, year, "head")}))


CO_CHAIR = chair("Trương Hồng Giang", "Phó Giám đốc Sở Nội vụ", "b")
held = MeetingHeld(
    bloc=TM1,
    meeting=MeetingId("tong-ket-2023"),
    held_on=TODAY,
    place="phòng họp Sở Tư pháp",
    chairs=[chair(), CO_CHAIR],
    attendance=Attendance(members=[SNV, STP], others=["đại diện Thường trực Hội đồng"]),
    covers_year=2023,
    plans_year=2024,
)
holding = HoldMeeting(
    bloc=TM1,
    meeting=held.meeting,
    held_on=held.held_on,
    place=held.place,
    chairs=(chair(), CO_CHAIR),
    members=(STP, SNV, STP),
    others=("đại diện Thường trực Hội đồng",),
    covers_year=2023,
    plans_year=2024,
)
ALONE = Attendance(members=[], others=held.attendance.others)
BEGUN = (established, member(SNV), member(STP))


@pytest.mark.parametrize("may", [ADMIN, secretary_of(TM1), officer(TM1, 2023), officer(TM1, 2024)])
def test_whoever_runs_either_year_enters_the_meeting(may: Authority) -> None:
    given(*BEGUN).when(holding, may).then(held)


@pytest.mark.parametrize(
    "may",
    [
        NOBODY,
        COUNCIL,
        AUDITOR,
        officer(TM1, 2022),
        officer(BlocId("tham-muu-2"), 2023),
        representing(SNV, blocs=[TM1]),
    ],
)
def test_nobody_else_enters_a_meeting(may: Authority) -> None:
    given(*BEGUN).when(holding, may).then_rejected(NotEmpowered)


@pytest.mark.parametrize(
    ("covers", "plans", "may"), [(2023, UNSET, officer(TM1, 2023)), (UNSET, 2024, officer(TM1, 2024))]
)
def test_meeting_may_serve_one_year_only(covers: int, plans: int, may: Authority) -> None:
    expected = MeetingHeld(
        bloc=TM1,
        meeting=held.meeting,
        held_on=TODAY,
        place=held.place,
        chairs=held.chairs,
        attendance=held.attendance,
        covers_year=covers,
        plans_year=plans,
    )
    given(*BEGUN).when(replace(holding, covers_year=covers, plans_year=plans), may).then(expected)


@pytest.mark.parametrize("covers", [1990, 2022, 2026])
def test_officers_of_one_year_enter_no_meeting_of_a_distant_one(covers: int) -> None:
    apart = replace(holding, covers_year=covers, members=())
    given(*BEGUN).when(apart, officer(TM1, 2024)).then_rejected(NotEmpowered)
    given(*BEGUN).when(apart, ADMIN).then(structs.replace(held, covers_year=covers, attendance=ALONE))


@pytest.mark.parametrize("may", [ADMIN, officer(TM1, TODAY.year)])
def test_meeting_that_serves_no_year_is_none(may: Authority) -> None:
    of_no_year = replace(holding, covers_year=UNSET, plans_year=UNSET, members=())
    given(*BEGUN).when(of_no_year, may).then_rejected(ServesNoYear)
    given(*BEGUN).when(of_no_year, officer(TM1, 2023)).then_rejected(NotEmpowered)


def test_unknown_bloc_meets_nowhere() -> None:
    given().when(holding, ADMIN).then_rejected(NoSuchBloc)


def test_meeting_of_tomorrow_has_not_been_held() -> None:
    given(*BEGUN).when(replace(holding, held_on=TODAY + timedelta(days=1)), ADMIN).then_rejected(TimeInFuture)


def test_today_is_counted_in_vietnam() -> None:
    late_in_the_evening_utc = datetime(2024, 1, 29, 17, 0, tzinfo=UTC)
    given(*BEGUN).when(holding, ADMIN, now=late_in_the_evening_utc).then(held)
    just_before = late_in_the_evening_utc - timedelta(seconds=1)
    given(*BEGUN).when(holding, ADMIN, now=just_before).then_rejected(TimeInFuture)


@pytest.mark.parametrize(
    "history",
    [
        (),
        (member(TTT, date(2025, 1, 1)),),
        (member(TTT, date(2022, 12, 1)), left(TTT, date(2023, 1, 1))),
    ],
)
def test_agency_outside_the_bloc_in_both_years_does_not_attend_as_a_member(history: tuple[Event, ...]) -> None:
    given(*BEGUN, *history).when(replace(holding, members=(SNV, TTT)), ADMIN).then_rejected(NotAMember)


@pytest.mark.parametrize(
    "history",
    [(member(SNV), left(SNV, date(2023, 1, 2))), (member(SNV, date(2024, 12, 31)),)],
)
def test_member_of_one_day_of_either_year_attends(history: tuple[Event, ...]) -> None:
    given(established, member(STP), *history).when(holding, ADMIN).then(held)


def test_year_that_is_planned_need_not_be_opened() -> None:
    opened = YearOpened(
        bloc=TM1,
        year=2023,
        scheme=Scheme(title="Bảng điểm", criteria=[Criterion(criterion="i", title="I", points_max=Decimal(100))]),
        rules=Rules(legal_basis="Luật 06/2022/QH15", leaders_max=1, self_vote=True, disputes_suspend_nominations=False),
    )
    given(*BEGUN, opened).when(holding, officer(TM1, 2023)).then(held)


@pytest.mark.parametrize("year", [2023, 2024])
def test_closed_year_gets_no_further_meeting(year: int) -> None:
    given(*BEGUN, YearClosed(bloc=TM1, year=year)).when(holding, ADMIN).then_rejected(YearOver)


def test_other_year_that_is_closed_does_not_matter() -> None:
    given(*BEGUN, YearClosed(bloc=TM1, year=2022)).when(holding, ADMIN).then(held)


def test_meeting_entered_again_after_its_year_changes_nothing() -> None:
    given(*BEGUN, held, YearClosed(bloc=TM1, year=2023)).when(holding, ADMIN).then_recorded_nothing()


def test_meeting_retried_under_other_minted_ids_is_the_same() -> None:
    again = replace(holding, chairs=(chair(person="c"), chair("Trương Hồng Giang", "Phó Giám đốc Sở Nội vụ", "d")))
    given(*BEGUN, held).when(again, ADMIN).then_recorded_nothing()


def test_chair_whose_name_was_erased_is_told_by_the_office() -> None:
    erased = MeetingHeld(
        bloc=TM1,
        meeting=held.meeting,
        held_on=TODAY,
        place=held.place,
        chairs=[chair(name=None), CO_CHAIR],
        attendance=held.attendance,
        covers_year=2023,
        plans_year=2024,
    )
    given(*BEGUN, erased).when(holding, ADMIN).then_recorded_nothing()


@pytest.mark.parametrize(
    "other",
    [
        replace(holding, place="hội trường UBND tỉnh"),
        replace(holding, chairs=(chair(),)),
        replace(holding, chairs=(chair("Nguyễn Văn An"), CO_CHAIR)),
        replace(holding, chairs=(chair(office="Phó Giám đốc Sở Tư pháp"), CO_CHAIR)),
        replace(holding, members=(SNV,)),
        replace(holding, plans_year=UNSET),
    ],
)
def test_handle_is_never_reused(other: HoldMeeting) -> None:
    given(*BEGUN, held).when(other, ADMIN).then_rejected(MeetingHandleTaken)


def test_handle_given_in_another_bloc_is_taken_too() -> None:
    tm2 = BlocId("tham-muu-2")
    other_bloc = BlocEstablished(
        bloc=tm2, name="Khối Tham mưu II", aliases=[], kind="khoi", effective_on=TODAY, legal_basis="QĐ 13"
    )
    elsewhere = replace(holding, bloc=tm2, members=())
    given(*BEGUN, other_bloc, held).when(elsewhere, ADMIN).then_rejected(MeetingHandleTaken)


def test_facts_of_other_kinds_change_nothing() -> None:
    stranger = YearClosed(bloc=TM1, year=2023)
    assert HoldMeeting.evolve(Minutes(), stranger) == Minutes(closed_years=frozenset({2023}))
    opened = YearOpened(
        bloc=TM1,
        year=2023,
        scheme=Scheme(title="Bảng điểm", criteria=[]),
        rules=Rules(legal_basis="Luật 06/2022/QH15", leaders_max=1, self_vote=True, disputes_suspend_nominations=False),
    )
    assert HoldMeeting.evolve(Minutes(), opened) == Minutes()


def test_meeting_belongs_to_the_year_it_sums_up_else_to_the_one_it_plans() -> None:
    planning = MeetingHeld(
        bloc=TM1,
        meeting=MeetingId("giao-ban"),
        held_on=TODAY,
        place="Sở Nội vụ",
        chairs=[chair()],
        attendance=Attendance(members=[], others=[]),
        plans_year=2024,
    )
    of_neither = MeetingHeld(
        bloc=TM1,
        meeting=MeetingId("giao-ban"),
        held_on=TODAY,
        place="Sở Nội vụ",
        chairs=[chair()],
        attendance=Attendance(members=[], others=[]),
    )
    subjects = [meeting.subject() for meeting in (held, planning, of_neither)]
    assert subjects == ["blocs/tham-muu-1/years/2023", "blocs/tham-muu-1/years/2024", "blocs/tham-muu-1"]
    assert held.tags()[:4] == [
        "bloc:tham-muu-1",
        "year:tham-muu-1/2023",
        "year:tham-muu-1/2024",
        "meeting:tong-ket-2023",
    ]
