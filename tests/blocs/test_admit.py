"""Admitting members."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given as sampled
from hypothesis import strategies as st
from msgspec import UNSET

from emulation_saas.agencies.events import AgencyAliasAdded, AgencyRegistered
from emulation_saas.blocs.events import BlocEstablished, MemberAdmitted, Membership, MemberWithdrawn, NoSuchBloc
from emulation_saas.blocs.use_cases import (
    AdmitMember,
    AgencyNotRegistered,
    AlreadyMember,
    Bloc,
    BlocNotYetEstablished,
    MembershipOverlaps,
    WithdrawMember,
)
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.kernel.rejections import Conflict, NotEmpowered
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, NOW, given, representing, secretary_of

TM1 = BlocId("tham-muu-1")
SNV = AgencyId("so-noi-vu")
STP = AgencyId("so-tu-phap")
FOUNDED = date(2022, 12, 1)
SPRING, SUMMER, AUTUMN = date(2023, 3, 1), date(2023, 6, 1), date(2023, 9, 1)

established = BlocEstablished(
    bloc=TM1, name="Khối Tham mưu I", aliases=[], kind="khoi", effective_on=FOUNDED, legal_basis="QĐ 12"
)


def registered(agency: AgencyId = SNV) -> AgencyRegistered:
    return AgencyRegistered(agency=agency, name="Sở", aliases=[], code=UNSET, effective_on=date(2010, 1, 1))


def admitted(on: date = SPRING, agency: AgencyId = SNV, basis: str = "QĐ 20") -> MemberAdmitted:
    return MemberAdmitted(bloc=TM1, agency=agency, effective_on=on, legal_basis=basis)


def withdrawn(on: date, agency: AgencyId = SNV) -> MemberWithdrawn:
    return MemberWithdrawn(bloc=TM1, agency=agency, effective_on=on, legal_basis="QĐ 30", because="kiện toàn")


def admit(on: date = SPRING, agency: AgencyId = SNV, basis: str = "QĐ 20") -> AdmitMember:
    return AdmitMember(bloc=TM1, agency=agency, effective_on=on, legal_basis=basis)


BEGUN = (established, registered())


def test_administrator_admits_a_member() -> None:
    given(*BEGUN).when(admit(), ADMIN).then(admitted())


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, secretary_of(TM1), representing(SNV, blocs=[TM1])])
def test_nobody_else_admits_a_member(may: Authority) -> None:
    given(*BEGUN).when(admit(), may).then_rejected(NotEmpowered)


def test_unknown_bloc_admits_nobody() -> None:
    given(registered()).when(admit(), ADMIN).then_rejected(NoSuchBloc)


def test_unknown_agency_is_not_admitted() -> None:
    given(established, registered(STP)).when(admit(), ADMIN).then_rejected(AgencyNotRegistered)


def test_day_of_the_bloc_itself_is_early_enough() -> None:
    given(*BEGUN).when(admit(on=FOUNDED), ADMIN).then(admitted(on=FOUNDED))


def test_day_before_the_bloc_is_too_early() -> None:
    given(*BEGUN).when(admit(on=FOUNDED - timedelta(days=1)), ADMIN).then_rejected(BlocNotYetEstablished)


@pytest.mark.parametrize("again", [admit(basis="QĐ 21"), admit(on=SUMMER)])
def test_member_is_not_admitted_twice(again: AdmitMember) -> None:
    given(*BEGUN, admitted()).when(again, ADMIN).then_rejected(AlreadyMember)


def test_membership_of_another_agency_is_no_obstacle() -> None:
    given(*BEGUN, admitted(agency=STP)).when(admit(), ADMIN).then(admitted())


@pytest.mark.parametrize("later", [(admitted(on=SUMMER),), (admitted(on=SUMMER), withdrawn(on=AUTUMN))])
def test_membership_cannot_begin_before_a_later_one(later: tuple[Event, ...]) -> None:
    given(*BEGUN, *later).when(admit(), ADMIN).then_rejected(MembershipOverlaps)


def test_former_member_is_admitted_again_from_the_day_it_left() -> None:
    given(*BEGUN, admitted(), withdrawn(on=SUMMER)).when(admit(on=SUMMER), ADMIN).then(admitted(on=SUMMER))


def test_admission_that_was_undone_is_replaced_by_another_decision_from_the_same_day() -> None:
    history = (*BEGUN, admitted(), withdrawn(on=SPRING))
    given(*history).when(admit(basis="QĐ 40"), ADMIN).then(admitted(basis="QĐ 40"))


def test_decision_that_was_undone_does_not_admit_again() -> None:
    given(*BEGUN, admitted(), withdrawn(on=SPRING)).when(admit(), ADMIN).then_recorded_nothing()


def test_facts_of_other_kinds_change_nothing() -> None:
    assert AdmitMember.evolve(Bloc(), AgencyAliasAdded(agency=SNV, alias="SNV")) == Bloc()


DAYS = st.integers(0, 40).map(lambda days: FOUNDED + timedelta(days=days))


@sampled(st.lists(st.tuples(st.booleans(), DAYS, st.sampled_from([SNV, STP])), max_size=12))
def test_memberships_never_overlap_whatever_is_asked(attempts: list[tuple[bool, date, AgencyId]]) -> None:
    history: list[Event] = [established, registered(SNV), registered(STP)]
    for number, (is_admission, day, agency) in enumerate(attempts):
        asked = (
            admit(on=day, agency=agency, basis=f"QĐ {number}")
            if is_admission
            else WithdrawMember(bloc=TM1, agency=agency, effective_on=day, because="…", legal_basis=f"QĐ {number}")
        )
        view = asked.initial()
        for event in history:
            if not isinstance(event, AgencyRegistered) or event.agency == agency:
                view = asked.evolve(view, event)
        try:
            history += asked.decide(view, ADMIN, NOW)
        except Conflict:
            continue
    membership = Membership()
    for event in history:
        membership = membership.after(event)
    for spans in membership.intervals.values():
        assert all(span.end is not None for span in spans[:-1])
        assert all(span.end is None or span.start <= span.end for span in spans)
        assert all(before.end is not None and before.end <= after.start for before, after in pairwise(spans))
