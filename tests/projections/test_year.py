"""A bloc's year: its course and meetings, its pledge, its nominees, its offices."""

from datetime import date
from typing import Any

import pytest
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from emulation_saas.blocs.events import BlocEstablished, MemberAdmitted, MemberWithdrawn
from emulation_saas.kernel.authority import Office
from emulation_saas.kernel.events import Event, Official
from emulation_saas.kernel.ids import AgencyId, BallotId, MeetingId, NominationId, PersonId
from emulation_saas.meetings.events import Attendance, MeetingHeld
from emulation_saas.nominations.events import (
    LeaderAcclaimed,
    NominationForwarded,
    NominationMade,
    NominationResumed,
    NominationSuspended,
    NominationYielded,
)
from emulation_saas.offices.events import OfficeAppointed, OfficeElected
from emulation_saas.pledges.events import PledgeDrafted, PledgeSigned
from emulation_saas.years.events import YearClosed, YearLaunched, YearOpened
from projections.nominees import Nominees
from projections.office_holders import OfficeHolders
from projections.pledge_book import PledgeBook
from projections.years import Years
from tests.builders import BLOC, SAMPLES, YEAR
from tests.projections.questions import answered, place, reasons

ADA, BEN = AgencyId("ada"), AgencyId("ben")
KEY = f"{BLOC}/{YEAR}"
DAO = Official(person=PersonId("p-daodaodao2"), name="Đặng Văn Đào", office="Giám đốc")

opened = SAMPLES[YearOpened]
established = SAMPLES[BlocEstablished]


def held(covers: int | UnsetType = YEAR, plans: int | UnsetType = YEAR + 1) -> MeetingHeld:
    return MeetingHeld(
        bloc=BLOC,
        meeting=MeetingId("tong-ket"),
        held_on=date(2024, 1, 30),
        place="phòng họp",
        chairs=[DAO],
        attendance=Attendance(members=[ADA], others=["Thường trực"]),
        covers_year=covers,
        plans_year=plans,
    )


def test_year_tells_its_course() -> None:
    launched = YearLaunched(bloc=BLOC, year=YEAR, text="Phát động")
    answer = answered(Years(), opened, launched, path="/{year}")
    assert (answer["state"], answer["opened_position"], answer["launched"]["position"]) == ("open", 1, 2)
    assert answer["launched"]["text"] == "Phát động"
    assert answer["scheme"]["criteria"][0]["points_max"] == "18.5"
    assert answer["rules"]["leaders_max"] == 1
    assert "closed_position" not in answer
    closed = answered(Years(), opened, launched, YearClosed(bloc=BLOC, year=YEAR), path="/{year}")
    assert (closed["state"], closed["closed_position"]) == ("closed", 3)


@pytest.mark.parametrize("year", [YEAR, YEAR + 1])
def test_meeting_stands_in_both_years_that_it_serves(year: int) -> None:
    names = {(2, DAO.person): DAO.name}
    answer = answered(Years(), opened, held(), path="/{year}", where=place(year=year), names=names)
    assert answer["state"] == ("open" if year == YEAR else "planned")
    assert answer["meetings"] == [
        {
            "meeting": "tong-ket",
            "held_on": "2024-01-30",
            "place": "phòng họp",
            "chairs": [{"person": DAO.person, "name": "Đặng Văn Đào", "office": "Giám đốc"}],
            "attendance": {"members": ["ada"], "others": ["Thường trực"]},
            "covers_year": YEAR,
            "plans_year": YEAR + 1,
            "position": 2,
        }
    ]


def test_chair_whose_name_is_erased_is_shown_without_it() -> None:
    (meeting,) = answered(Years(), held(plans=UNSET), path="/{year}")["meetings"]
    assert meeting["chairs"] == [{"person": DAO.person, "name": None, "office": "Giám đốc"}]
    assert "plans_year" not in meeting


def test_years_of_a_bloc_are_listed_in_order() -> None:
    answer = answered(Years(), opened, held(), path="/years")
    assert answer["years"] == [
        {"year": YEAR, "state": "open", "is_launched": False},
        {"year": YEAR + 1, "state": "planned", "is_launched": False},
    ]
    first = answered(Years(), opened, held(), path="/years", limit=1)
    assert (len(first["years"]), first["next"]) == (1, str(YEAR))
    assert len(answered(Years(), opened, held(), path="/years", after=str(YEAR))["years"]) == 1


def test_year_tells_on_what_it_rests() -> None:
    launched, closed = YearLaunched(bloc=BLOC, year=YEAR, text=""), YearClosed(bloc=BLOC, year=YEAR)
    why = reasons(Years(), KEY, opened, launched, closed, held())
    assert [why(figure) for figure in ("opened", "launched", "closed", "meetings/tong-ket")] == [[1], [2], [3], [4]]
    bare = reasons(Years(), KEY, held())
    assert [bare(figure) for figure in ("opened", "launched", "closed", "meetings/khac")] == [[], [], [], []]


def admitted(agency: AgencyId, day: date = date(2020, 1, 1)) -> MemberAdmitted:
    return MemberAdmitted(bloc=BLOC, agency=agency, effective_on=day, legal_basis="QĐ")


drafted = PledgeDrafted(bloc=BLOC, year=YEAR, text="Giao ước")
signed = PledgeSigned(bloc=BLOC, year=YEAR, agency=BEN, signed_by=DAO)


def test_pledge_tells_who_signed_and_which_members_of_the_year_have_not() -> None:
    left = MemberWithdrawn(
        bloc=BLOC, agency=AgencyId("cai"), effective_on=date(YEAR, 1, 1), legal_basis="QĐ", because=""
    )
    came = admitted(AgencyId("dan"), date(YEAR + 1, 1, 1))
    story = (established, admitted(BEN), admitted(ADA), admitted(AgencyId("cai")), left, came, opened, drafted, signed)
    answer = answered(PledgeBook(), *story, path="/pledge", names={(9, DAO.person): DAO.name})
    assert (answer["text"], answer["drafted_position"], answer["not_signed"]) == ("Giao ước", 8, ["ada"])
    (line,) = answer["signatures"]
    assert (line["agency"], line["position"]) == ("ben", 9)
    assert line["signed_by"] == {"person": DAO.person, "name": "Đặng Văn Đào", "office": "Giám đốc"}


def test_year_without_a_pledge_has_an_empty_page_and_unknown_year_none() -> None:
    answer = answered(PledgeBook(), opened, path="/pledge")
    assert answer == {"bloc": BLOC, "year": YEAR, "signatures": [], "not_signed": []}
    assert answered(PledgeBook(), opened, path="/pledge", where=place(year=2030)) is None


def test_pledge_tells_on_what_it_rests() -> None:
    why = reasons(PledgeBook(), BLOC, opened, drafted, signed)
    assert (why(f"{YEAR}/text"), why(f"{YEAR}/signatures/ben")) == ([2], [3])
    nothing = ("2030/text", "khac/text", f"{YEAR}/signatures/ada", "2030/signatures/ben", "khac")
    assert [why(figure) for figure in nothing] == [[]] * 5
    assert reasons(PledgeBook(), BLOC, opened)(f"{YEAR}/text") == []


WHICH: dict[str, Any] = {"bloc": BLOC, "year": YEAR, "nomination": NominationId("n-1"), "agency": ADA}
made = NominationMade(**WHICH, award="gov_flag", because="dẫn đầu", legal_basis="Luật 06")
suspended = NominationSuspended(**WHICH, because="đơn thư")
resumed = NominationResumed(**WHICH, because="kết luận")


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ((), "made"),
        ((suspended,), "suspended"),
        ((suspended, resumed), "made"),
        ((NominationYielded(**WHICH, because="nhường"),), "yielded"),
        ((NominationForwarded(**WHICH, document_no="07/TTr"),), "forwarded"),
    ],
)
def test_nomination_stands_where_its_last_step_left_it(steps: tuple[Event, ...], state: str) -> None:
    (line,) = answered(Nominees(), made, *steps, path="/nominations")["nominations"]
    assert (line["nomination"], line["agency"], line["award"], line["state"]) == ("n-1", "ada", "gov_flag", state)
    assert [step["position"] for step in line["steps"]] == list(range(1, len(steps) + 2))


def test_steps_tell_their_reasons_and_documents() -> None:
    forwarded = NominationForwarded(**WHICH, document_no="07/TTr")
    (line,) = answered(Nominees(), made, suspended, resumed, forwarded, path="/nominations")["nominations"]
    assert line["steps"] == [
        {"step": "made", "because": "dẫn đầu", "position": 1},
        {"step": "suspended", "because": "đơn thư", "position": 2},
        {"step": "resumed", "because": "kết luận", "position": 3},
        {"step": "forwarded", "document_no": "07/TTr", "position": 4},
    ]


def test_leader_is_told_as_it_was_last_acclaimed() -> None:
    def acclaim(agency: AgencyId) -> LeaderAcclaimed:
        return LeaderAcclaimed(bloc=BLOC, year=YEAR, agency=agency, method="consensus", because="")

    again = replace(acclaim(ADA), method="ballot", ballot=BallotId("b"), because="vì")
    answer = answered(Nominees(), acclaim(ADA), acclaim(BEN), again, path="/nominations")
    assert answer["leaders"] == [
        {"agency": "ben", "method": "consensus", "because": "", "position": 2},
        {"agency": "ada", "method": "ballot", "ballot": "b", "because": "vì", "position": 3},
    ]
    assert answered(Nominees(), opened, path="/nominations")["leaders"] == []
    why = reasons(Nominees(), KEY, made, suspended, acclaim(ADA))
    assert (why("leaders/ada"), why("nominations/n-1")) == ([3], [1, 2])
    assert why("leaders/ben") == why("nominations/khac") == why("khac") == []


def elected(office: Office, agency: AgencyId, year: int = 2024) -> OfficeElected:
    return OfficeElected(bloc=BLOC, for_year=year, office=office, agency=agency, ballot=BallotId("bau"))


appointed = OfficeAppointed(bloc=BLOC, for_year=2024, office="head", agency=BEN, authority="UBND", document_no="124/TB")


def test_offices_of_a_year_go_to_the_last_who_got_them() -> None:
    story = (established, elected("deputy", ADA), elected("head", ADA), appointed)
    answer = answered(OfficeHolders(), *story, path="/{year}/offices", where=place(year=2024))
    assert answer["for_year"] == 2024
    assert answer["offices"] == [
        {
            "office": "head",
            "agency": "ben",
            "because": "appointed",
            "authority": "UBND",
            "document_no": "124/TB",
            "since": "2023-12-31",
            "position": 4,
        },
        {
            "office": "deputy",
            "agency": "ada",
            "because": "elected",
            "ballot": "bau",
            "since": "2023-12-30",
            "position": 2,
        },
    ]
    assert [holder["position"] for holder in answer["earlier"]] == [3]


@pytest.mark.parametrize(
    ("on", "head"), [(date(2023, 12, 31), []), (date(2024, 1, 1), ["ada"]), (date(2025, 1, 1), [])]
)
def test_offices_of_a_day_are_those_of_its_year_that_were_given_by_then(on: date, head: list[str]) -> None:
    story = (established, established, elected("head", ADA))
    answer = answered(OfficeHolders(), *story, path="/{bloc}/offices", on=on)
    assert answer["for_year"] == on.year
    assert [holder["agency"] for holder in answer["offices"]] == head


def test_office_tells_on_what_it_rests() -> None:
    why = reasons(OfficeHolders(), BLOC, established, elected("head", ADA), appointed)
    assert why("2024/head") == [3]
    assert why("2024/deputy") == why("2023/head") == why("khac/head") == why("khac") == []
