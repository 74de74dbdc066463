"""Agencies, blocs and the province, on any day."""

from datetime import date

import pytest

from emulation_saas.agencies.events import AgencyAliasAdded, AgencyRegistered, AgencyRenamed
from emulation_saas.blocs.events import BlocEstablished, MemberAdmitted, MemberWithdrawn
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.provinces.events import ProvinceNamed, ProvinceOpened
from projections.province import Province
from projections.roster import Roster
from tests.projections.questions import answered, place, reasons

SNV, STP = AgencyId("so-noi-vu"), AgencyId("so-tu-phap")
FOUNDED, REFORM = date(2010, 1, 1), date(2025, 3, 1)
TM1 = BlocId("tham-muu-1")

opened = ProvinceOpened(province="bac-song")
registered = AgencyRegistered(agency=SNV, name="Sở Nội vụ", aliases=["SNV"], code="H1", effective_on=FOUNDED)
fellow = AgencyRegistered(agency=STP, name="Sở Tư pháp", aliases=[], effective_on=date(2012, 1, 1))
renamed = AgencyRenamed(agency=SNV, name="Sở Nội vụ mới", effective_on=REFORM, legal_basis="NQ 45")
alias = AgencyAliasAdded(agency=SNV, alias="Sở NV")
established = BlocEstablished(
    bloc=TM1, name="Khối I", aliases=["K1"], kind="khoi", effective_on=date(2020, 1, 1), legal_basis="QĐ 12"
)
admitted = MemberAdmitted(bloc=TM1, agency=STP, effective_on=date(2020, 1, 1), legal_basis="QĐ 12")
later = MemberAdmitted(bloc=TM1, agency=SNV, effective_on=date(2021, 1, 1), legal_basis="QĐ 13")
withdrawn = MemberWithdrawn(bloc=TM1, agency=SNV, effective_on=REFORM, legal_basis="NQ 45", because="hợp nhất")


@pytest.mark.parametrize(
    ("on", "name"), [(FOUNDED, "Sở Nội vụ"), (date(2025, 2, 28), "Sở Nội vụ"), (REFORM, "Sở Nội vụ mới")]
)
def test_agency_bears_the_name_of_the_day(on: date, name: str) -> None:
    answer = answered(Roster(), registered, renamed, alias, path="/{agency}", where=place(agency=SNV), on=on)
    assert answer == {
        "agency": "so-noi-vu",
        "name": name,
        "aliases": ["SNV", "Sở NV"],
        "code": "H1",
        "names": [
            {"name": "Sở Nội vụ", "effective_on": "2010-01-01", "position": 1},
            {"name": "Sở Nội vụ mới", "effective_on": "2025-03-01", "position": 2},
        ],
    }


def test_agency_is_nothing_before_its_first_name_and_unknown_is_nothing_ever() -> None:
    before = date(2009, 12, 31)
    assert answered(Roster(), registered, path="/{agency}", where=place(agency=SNV), on=before) is None
    assert answered(Roster(), registered, path="/{agency}", where=place(agency=STP)) is None


def test_agencies_of_a_day_are_listed_by_handle() -> None:
    lines = [{"agency": "so-noi-vu", "name": "Sở Nội vụ", "code": "H1"}, {"agency": "so-tu-phap", "name": "Sở Tư pháp"}]
    assert answered(Roster(), fellow, registered, path="/agencies") == {"agencies": lines}
    assert answered(Roster(), fellow, registered, path="/agencies", on=date(2011, 1, 1)) == {"agencies": lines[:1]}


def test_list_goes_on_where_the_page_ended() -> None:
    first = answered(Roster(), fellow, registered, path="/agencies", limit=1)
    assert (first["agencies"][0]["agency"], first["next"]) == ("so-noi-vu", "so-noi-vu")
    second = answered(Roster(), fellow, registered, path="/agencies", limit=1, after=first["next"])
    assert [line["agency"] for line in second["agencies"]] == ["so-tu-phap"]
    assert "next" not in second


def test_bloc_shows_the_members_of_the_day_in_the_order_of_admission() -> None:
    story = (registered, fellow, established, admitted, later, withdrawn)
    answer = answered(Roster(), *story, path="/{bloc}", on=date(2025, 2, 28))
    assert answer == {
        "bloc": "tham-muu-1",
        "name": "Khối I",
        "aliases": ["K1"],
        "kind": "khoi",
        "effective_on": "2020-01-01",
        "legal_basis": "QĐ 12",
        "members": [
            {"agency": "so-tu-phap", "name": "Sở Tư pháp", "since": "2020-01-01"},
            {"agency": "so-noi-vu", "name": "Sở Nội vụ", "since": "2021-01-01", "until": "2025-03-01"},
        ],
    }
    assert len(answered(Roster(), *story, path="/{bloc}", on=REFORM)["members"]) == 1


def test_member_without_a_name_is_still_a_member() -> None:
    answer = answered(Roster(), established, admitted, path="/{bloc}")
    assert answer["members"] == [{"agency": "so-tu-phap", "since": "2020-01-01"}]


def test_bloc_is_nothing_before_it_was_established() -> None:
    assert answered(Roster(), established, path="/{bloc}", on=date(2019, 12, 31)) is None
    assert answered(Roster(), admitted, path="/{bloc}") is None
    assert answered(Roster(), registered, path="/{bloc}") is None


def test_blocs_of_a_day_are_listed_with_the_number_of_their_members() -> None:
    other = BlocEstablished(
        bloc=BlocId("a-1"), name="Cụm", aliases=[], kind="cum", effective_on=REFORM, legal_basis="QĐ"
    )
    story = (established, other, admitted, later)
    line = {"bloc": "tham-muu-1", "name": "Khối I", "kind": "khoi", "members": 2}
    assert answered(Roster(), *story, path="/blocs") == {"blocs": [line]}
    first = answered(Roster(), *story, path="/blocs", on=REFORM, limit=1)
    assert first == {"blocs": [{"bloc": "a-1", "name": "Cụm", "kind": "cum", "members": 0}], "next": "a-1"}
    assert answered(Roster(), *story, path="/blocs", on=REFORM, after="a-1") == {"blocs": [line]}


def test_roster_tells_on_what_it_rests() -> None:
    why = reasons(Roster(), "all", registered, renamed, alias, established, admitted, later, withdrawn)
    assert why("agencies/so-noi-vu/name") == [1, 2]
    assert why("agencies/so-noi-vu/aliases") == [1, 3]
    assert why("blocs/tham-muu-1/name") == [4]
    assert why("blocs/tham-muu-1/members/so-noi-vu") == [6, 7]
    for nothing in ("blocs/tham-muu-1/members/khac", "blocs/khac/name", "agencies/khac/name", "khac"):
        assert why(nothing) == []


named = ProvinceNamed(name="Bắc Sông", kind="tinh", code="08", effective_on=date(2004, 1, 1), legal_basis="NĐ")
merged = ProvinceNamed(name="Sông Lớn", kind="thanh_pho", code="09", effective_on=date(2025, 7, 1), legal_basis="NQ")


@pytest.mark.parametrize(
    ("on", "called"),
    [
        (date(2003, 1, 1), {}),
        (date(2025, 6, 30), {"name": "Bắc Sông", "kind": "tinh", "code": "08"}),
        (date(2025, 7, 1), {"name": "Sông Lớn", "kind": "thanh_pho", "code": "09"}),
    ],
)
def test_province_bears_the_name_of_the_day(on: date, called: dict[str, str]) -> None:
    answer = answered(Province(), opened, named, merged, path="/", on=on)
    assert [name["position"] for name in answer.pop("names")] == [2, 3]
    assert answer == {"province": "bac-song", **called}


def test_province_tells_on_what_its_name_rests() -> None:
    why = reasons(Province(), "all", opened, named, merged)
    assert (why("name"), why("khac")) == ([2, 3], [])
