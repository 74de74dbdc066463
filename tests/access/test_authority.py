"""The fold of authority: who a token's bearer is, and what that person may do, after any history."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import date
from functools import reduce

import pytest
from hypothesis import example
from hypothesis import given as for_all
from hypothesis import strategies as st

from emulation_saas.access.authority import (
    DIRECTORY_FACTS,
    Directory,
    directory_after,
    directory_after_all,
    facts_about,
    initial_directory,
)
from emulation_saas.access.events import PersonRegistered, RoleGranted, RoleRevoked
from emulation_saas.blocs.events import MemberAdmitted, MemberWithdrawn
from emulation_saas.kernel.authority import Authority, Office, Role
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId, PersonId
from emulation_saas.log.facts import match_of
from emulation_saas.offices.events import OfficeAppointed, OfficeElected
from tests.builders import FULL_SAMPLES, SAMPLES

DAO = PersonId("p-daodaodao2")
HONG = PersonId("p-honghong23")
STP = AgencyId("so-tu-phap")
SNV = AgencyId("so-noi-vu")
TM1 = BlocId("tham-muu-1")
TM2 = BlocId("tham-muu-2")
ISSUER = "https://id.example.vn"
TODAY = date(2024, 1, 30)

dao = PersonRegistered(person=DAO, issuer=ISSUER, sub="dao", name="Đặng Văn Đào")
dao_for_stp = RoleGranted(person=DAO, role="member-representative", agency=STP)
dao_no_more_for_stp = RoleRevoked(person=DAO, role="member-representative", agency=STP)


def admitted(agency: AgencyId, bloc: BlocId = TM1, *, on: date = date(2020, 1, 1)) -> MemberAdmitted:
    return MemberAdmitted(bloc=bloc, agency=agency, effective_on=on, legal_basis="QĐ 12/2020")


def withdrawn(agency: AgencyId, bloc: BlocId = TM1, *, on: date = date(2023, 3, 1)) -> MemberWithdrawn:
    return MemberWithdrawn(bloc=bloc, agency=agency, effective_on=on, legal_basis="QĐ 3/2023", because="hợp nhất")


def elected(agency: AgencyId, *, bloc: BlocId = TM1, year: int = 2024, office: Office = "head") -> OfficeElected:
    return OfficeElected(bloc=bloc, for_year=year, office=office, agency=agency, ballot=BallotId("bau"))


def appointed(agency: AgencyId, *, bloc: BlocId = TM1, year: int = 2024, office: Office = "head") -> OfficeAppointed:
    return OfficeAppointed(
        bloc=bloc, for_year=year, office=office, agency=agency, authority="UBND tỉnh", document_no="124/TB-UBND"
    )


def after(*history: Event) -> Directory:
    return reduce(directory_after, history, initial_directory())


def test_token_tells_the_person_it_is_bound_to() -> None:
    assert after(dao).person_of(ISSUER, "dao") == DAO


@pytest.mark.parametrize(("issuer", "sub"), [(ISSUER, "hong"), ("https://other.vn", "dao"), ("", "")])
def test_token_bound_to_nobody_tells_nobody(issuer: str, sub: str) -> None:
    assert after(dao).person_of(issuer, sub) is None


@pytest.mark.parametrize(("issuer", "sub"), [(None, None), (None, "dao"), (ISSUER, None)])
def test_erased_person_is_bound_to_no_token(issuer: str | None, sub: str | None) -> None:
    erased = PersonRegistered(person=DAO, issuer=issuer, sub=sub, name=None)
    assert after(erased) == initial_directory()


def test_person_without_a_role_has_no_authority() -> None:
    assert after(dao).authority_of(DAO, on=TODAY) == Authority(person=DAO)


def test_unknown_person_has_no_authority() -> None:
    assert after(dao, dao_for_stp).authority_of(HONG, on=TODAY) == Authority(person=HONG)


@pytest.mark.parametrize(
    ("role", "authority"),
    [
        ("province-admin", Authority(person=DAO, known=True, is_admin=True)),
        ("council-member", Authority(person=DAO, known=True, is_council=True)),
        ("auditor", Authority(person=DAO, known=True, is_auditor=True)),
        ("integrator", Authority(person=DAO, known=True, is_integrator=True)),
    ],
)
def test_role_without_scope_gives_its_own_power_only(role: Role, authority: Authority) -> None:
    assert after(dao, RoleGranted(person=DAO, role=role)).authority_of(DAO, on=TODAY) == authority


def test_representative_acts_for_the_agency() -> None:
    assert after(dao, dao_for_stp).authority_of(DAO, on=TODAY) == Authority(
        person=DAO, known=True, represents=frozenset({STP})
    )


def test_secretary_serves_the_bloc() -> None:
    secretary = RoleGranted(person=DAO, role="bloc-secretary", bloc=TM1)
    assert after(dao, secretary).authority_of(DAO, on=TODAY) == Authority(
        person=DAO, known=True, secretary_of=frozenset({TM1})
    )


def test_expert_judges_one_criterion_of_one_bloc() -> None:
    expert = RoleGranted(person=DAO, role="expert", bloc=TM1, criterion="cai-cach")
    assert after(dao, expert).authority_of(DAO, on=TODAY) == Authority(
        person=DAO, known=True, expert_for=frozenset({"tham-muu-1/cai-cach"})
    )


@pytest.mark.parametrize("role", ["member-representative", "bloc-secretary"])
def test_role_without_the_scope_it_needs_empowers_for_nothing(role: Role) -> None:
    assert after(dao, RoleGranted(person=DAO, role=role)).authority_of(DAO, on=TODAY) == Authority(
        person=DAO, known=True
    )


def test_scope_of_another_role_makes_no_representative() -> None:
    assert after(dao, RoleGranted(person=DAO, role="integrator", agency=STP)).authority_of(DAO, on=TODAY) == Authority(
        person=DAO, known=True, is_integrator=True
    )


def test_role_that_was_revoked_empowers_no_more() -> None:
    assert after(dao, dao_for_stp, dao_no_more_for_stp).authority_of(DAO, on=TODAY) == Authority(person=DAO)


def test_one_scope_is_revoked_and_the_other_stays() -> None:
    for_snv = RoleGranted(person=DAO, role="member-representative", agency=SNV)
    assert after(dao_for_stp, for_snv, dao_no_more_for_stp).authority_of(DAO, on=TODAY).represents == {SNV}


def test_revoking_what_was_never_granted_changes_no_authority() -> None:
    assert after(dao, dao_no_more_for_stp).authority_of(DAO, on=TODAY) == Authority(person=DAO)


@pytest.mark.parametrize("won", [elected(STP), appointed(STP)])
def test_office_empowers_through_the_agency_represented(won: Event) -> None:
    for history in ((dao_for_stp, won, admitted(STP)), (admitted(STP), won, dao_for_stp)):
        assert after(*history).authority_of(DAO, on=TODAY).offices == {(TM1, 2024, "head")}


def test_office_of_an_agency_empowers_nobody_else() -> None:
    assert (
        after(dao_for_stp, admitted(STP), admitted(SNV), elected(SNV)).authority_of(DAO, on=TODAY).offices
        == frozenset()
    )


def test_office_alone_makes_nobody_known() -> None:
    assert after(dao, dao_for_stp, dao_no_more_for_stp, elected(STP)).authority_of(DAO, on=TODAY) == Authority(
        person=DAO
    )


def test_next_holder_replaces_the_former_one() -> None:
    directory = after(dao_for_stp, admitted(STP), elected(STP), appointed(SNV))
    assert directory.authority_of(DAO, on=TODAY).offices == frozenset()


def test_former_holder_keeps_other_offices_and_years() -> None:
    won = (elected(STP), elected(STP, year=2025), elected(STP, bloc=TM2), appointed(SNV))
    directory = after(dao_for_stp, admitted(STP), admitted(STP, TM2), *won)
    assert directory.authority_of(DAO, on=TODAY).offices == {(TM1, 2025, "head"), (TM2, 2024, "head")}


def test_office_won_again_is_held_once() -> None:
    assert after(dao_for_stp, admitted(STP), elected(STP), appointed(STP)).authority_of(DAO, on=TODAY).offices == {
        (TM1, 2024, "head")
    }


def test_members_representative_is_party_to_the_bloc() -> None:
    assert after(dao_for_stp, admitted(STP, TM1), admitted(SNV, TM2)).authority_of(DAO, on=TODAY).blocs == {TM1}


def test_agency_may_be_a_member_of_two_blocs() -> None:
    assert after(dao_for_stp, admitted(STP, TM1), admitted(STP, TM2)).authority_of(DAO, on=TODAY).blocs == {TM1, TM2}


def test_withdrawn_member_is_party_to_the_bloc_no_more() -> None:
    directory = after(dao_for_stp, admitted(STP, TM1), admitted(STP, TM2), withdrawn(STP, TM1))
    assert directory.authority_of(DAO, on=TODAY).blocs == {TM2}


@pytest.mark.parametrize(
    ("day", "is_party"),
    [(date(2023, 12, 31), False), (date(2024, 1, 1), True), (date(2024, 6, 30), True), (date(2024, 7, 1), False)],
)
def test_member_is_party_from_its_first_day_to_its_last(day: date, *, is_party: bool) -> None:
    history = (dao_for_stp, admitted(STP, on=date(2024, 1, 1)), withdrawn(STP, on=date(2024, 7, 1)))
    assert after(*history).authority_of(DAO, on=day).is_party_to(TM1) is is_party


def test_head_runs_the_year_while_its_agency_is_a_member() -> None:
    left = withdrawn(STP, on=date(2024, 3, 1))
    directory = after(dao_for_stp, admitted(STP), elected(STP), left)
    assert [directory.authority_of(DAO, on=date(2024, month, 1)).runs(TM1, 2024) for month in (2, 3)] == [True, False]
    assert not directory.authority_of(DAO, on=date(2024, 3, 1)).is_party_to(TM1)


def test_head_of_a_past_year_sums_it_up_in_the_next() -> None:
    directory = after(dao_for_stp, admitted(STP), elected(STP, year=2023))
    assert directory.authority_of(DAO, on=TODAY).runs(TM1, 2023)
    assert not directory.authority_of(DAO, on=TODAY).runs(TM1, 2024)


def test_member_that_came_back_is_party_again() -> None:
    history = (dao_for_stp, admitted(STP), withdrawn(STP), admitted(STP, on=date(2024, 1, 1)))
    months = (date(2023, 2, 1), date(2023, 4, 1), date(2024, 1, 1))
    directory = after(*history)
    assert [directory.authority_of(DAO, on=day).is_party_to(TM1) for day in months] == [True, False, True]


def test_authority_is_worked_out_once() -> None:
    directory = after(dao_for_stp)
    assert directory.authority_of(DAO, on=TODAY) is directory.authority_of(DAO, on=TODAY)


def test_strangers_leave_nothing_behind() -> None:
    directory = after(dao_for_stp)
    assert directory.authority_of(HONG, on=TODAY) == Authority(person=HONG)
    assert directory._worked_out == {}  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - its memory has no other face


def test_what_was_worked_out_is_not_carried_into_the_next_view() -> None:
    before = after(dao_for_stp)
    assert before.authority_of(DAO, on=TODAY).represents == {STP}
    later = directory_after(before, dao_no_more_for_stp)
    assert (later.authority_of(DAO, on=TODAY).known, before.authority_of(DAO, on=TODAY).known) == (False, True)


@pytest.mark.parametrize("event_type", [event_type for event_type in SAMPLES if event_type not in DIRECTORY_FACTS])
def test_what_is_none_of_its_business_leaves_the_very_same_view(event_type: type[Event]) -> None:
    directory = after(dao, dao_for_stp)
    assert directory_after(directory, SAMPLES[event_type]) is directory


@pytest.mark.parametrize("event_type", DIRECTORY_FACTS)
def test_every_fact_it_reads_changes_the_view(event_type: type[Event]) -> None:
    sample = FULL_SAMPLES.get(event_type, SAMPLES[event_type])
    assert directory_after(initial_directory(), sample) != initial_directory()


PERSONS, AGENCIES, BLOCS = st.sampled_from([DAO, HONG]), st.sampled_from([STP, SNV]), st.sampled_from([TM1, TM2])
DAYS = st.sampled_from([date(2023, 1, 1), TODAY, date(2024, 1, 31)])
YEARS, OFFICES = st.sampled_from([2023, 2024]), st.sampled_from(["head", "deputy"])
ROLES = st.one_of(
    st.builds(
        RoleGranted, person=PERSONS, role=st.sampled_from(["province-admin", "council-member", "auditor", "integrator"])
    ),
    st.builds(RoleGranted, person=PERSONS, role=st.just("member-representative"), agency=AGENCIES),
    st.builds(RoleGranted, person=PERSONS, role=st.just("bloc-secretary"), bloc=BLOCS),
    st.builds(
        RoleGranted, person=PERSONS, role=st.just("expert"), bloc=BLOCS, criterion=st.sampled_from(["c-1", "c-2"])
    ),
)
HISTORIES = st.lists(
    st.one_of(
        ROLES,
        ROLES.map(lambda role: RoleRevoked(**{name: getattr(role, name) for name in role.__struct_fields__})),
        st.builds(elected, AGENCIES, bloc=BLOCS, year=YEARS, office=OFFICES),
        st.builds(appointed, AGENCIES, bloc=BLOCS, year=YEARS, office=OFFICES),
        st.builds(admitted, AGENCIES, BLOCS, on=DAYS),
        st.builds(withdrawn, AGENCIES, BLOCS, on=DAYS),
    ),
    max_size=25,
)


def read_off(history: Sequence[Event], person: PersonId) -> Authority:
    """Work out an authority the slow way: for each power, look for the last fact about it."""
    roles: dict[tuple[object, ...], bool] = {}
    holders: dict[tuple[BlocId, int, Office], AgencyId] = {}
    members: dict[tuple[AgencyId, BlocId], list[date | None]] = {}
    for event in history:
        match event:
            case RoleGranted(person=whose) | RoleRevoked(person=whose):
                if whose == person:
                    roles[event.role, event.agency, event.bloc, event.criterion] = isinstance(event, RoleGranted)
            case OfficeElected() | OfficeAppointed():
                holders[event.bloc, event.for_year, event.office] = event.agency
            case MemberAdmitted(agency=agency, bloc=bloc, effective_on=day):
                members.setdefault((agency, bloc), []).extend((day, None))
            case MemberWithdrawn(agency=agency, bloc=bloc, effective_on=day):
                members.setdefault((agency, bloc), [None, None])[-1] = day
            case _:
                raise AssertionError(event)
    held = {role for role, is_held in roles.items() if is_held}
    kinds = {kind for kind, *_ in held}
    represents = {
        agency for agency in (STP, SNV) if any(("member-representative", agency) == role[:2] for role in held)
    }
    present = {
        place
        for place, days in members.items()
        for first, end in zip(days[::2], days[1::2], strict=True)
        if first is not None and first <= TODAY and (end is None or end > TODAY)
    }
    return Authority(
        person=person,
        known=bool(held),
        is_admin="province-admin" in kinds,
        is_council="council-member" in kinds,
        is_auditor="auditor" in kinds,
        is_integrator="integrator" in kinds,
        represents=frozenset(represents),
        secretary_of=frozenset(
            bloc for bloc in (TM1, TM2) if any(role[0] == "bloc-secretary" and role[2] == bloc for role in held)
        ),
        expert_for=frozenset(f"{bloc}/{criterion}" for kind, _, bloc, criterion in held if kind == "expert"),
        offices=frozenset(
            office for office, agency in holders.items() if agency in represents and (agency, office[0]) in present
        ),
        blocs=frozenset(bloc for agency, bloc in present if agency in represents),
    )


@for_all(HISTORIES)
def test_authority_is_what_the_last_facts_say(history: list[Event]) -> None:
    directory = after(*history)
    assert directory.authority_of(DAO, on=TODAY) == read_off(history, DAO)
    assert directory.authority_of(HONG, on=TODAY) == read_off(history, HONG)


@for_all(HISTORIES)
def test_many_facts_at_once_are_the_same_as_one_after_the_other(history: list[Event]) -> None:
    half = len(history) // 2
    before = directory_after_all(initial_directory(), history[:half])
    copied = deepcopy(before)
    assert directory_after_all(before, history[half:]) == after(*history)
    assert before == copied


@for_all(HISTORIES)
def test_asking_on_the_way_changes_no_answer(history: list[Event]) -> None:
    directory = initial_directory()
    for event in history:
        directory = directory_after(directory, event)
        directory.authority_of(DAO, on=TODAY)
    assert directory.authority_of(DAO, on=TODAY) == after(*history).authority_of(DAO, on=TODAY)
    assert directory == after(*history)


@for_all(HISTORIES)
@example([dao_for_stp, admitted(STP), elected(STP), elected(SNV)])
@example([dao_for_stp, admitted(STP), elected(STP), appointed(SNV), dao_no_more_for_stp, withdrawn(STP)])
def test_facts_about_persons_give_the_powers_that_all_facts_give(history: list[Event]) -> None:
    found = list[Event]()
    for _ in range(3):  # roles, then agencies, then others in their offices
        matches = [match_of(selector) for selector in facts_about({DAO}, found)]
        found = [event for event in history if any(match.finds(event, event.tags()) for match in matches)]
    assert after(*found).authority_of(DAO, on=TODAY) == after(*history).authority_of(DAO, on=TODAY)
