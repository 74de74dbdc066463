"""Withdrawing members."""

from datetime import date, timedelta

import pytest

from emulation_saas.blocs.events import (
    BlocEstablished,
    MemberAdmitted,
    Membership,
    MemberWithdrawn,
    NoSuchBloc,
    NotAMember,
)
from emulation_saas.blocs.use_cases import MembershipEnded, WithdrawMember
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.kernel.rejections import NotEmpowered
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, representing, secretary_of

TM1 = BlocId("tham-muu-1")
SNV = AgencyId("so-noi-vu")
FOUNDED = date(2022, 12, 1)
SPRING, SUMMER, AUTUMN = date(2023, 3, 1), date(2023, 6, 1), date(2023, 9, 1)

established = BlocEstablished(
    bloc=TM1, name="Khối Tham mưu I", aliases=[], kind="khoi", effective_on=FOUNDED, legal_basis="QĐ 12"
)


def admitted(on: date = SPRING) -> MemberAdmitted:
    return MemberAdmitted(bloc=TM1, agency=SNV, effective_on=on, legal_basis="QĐ 20")


def withdrawn(on: date = SUMMER, because: str = "chuyển khối") -> MemberWithdrawn:
    return MemberWithdrawn(bloc=TM1, agency=SNV, effective_on=on, legal_basis="QĐ 30", because=because)


def withdraw(on: date = SUMMER, because: str = "chuyển khối") -> WithdrawMember:
    return WithdrawMember(bloc=TM1, agency=SNV, effective_on=on, because=because, legal_basis="QĐ 30")


def test_administrator_withdraws_a_member() -> None:
    given(established, admitted()).when(withdraw(), ADMIN).then(withdrawn())


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, secretary_of(TM1), representing(SNV, blocs=[TM1])])
def test_nobody_else_withdraws_a_member(may: Authority) -> None:
    given(established, admitted()).when(withdraw(), may).then_rejected(NotEmpowered)


def test_unknown_bloc_has_nobody_to_withdraw() -> None:
    given().when(withdraw(), ADMIN).then_rejected(NoSuchBloc)


def test_agency_that_never_was_a_member_is_not_withdrawn() -> None:
    given(established).when(withdraw(), ADMIN).then_rejected(NotAMember)


def test_member_is_not_withdrawn_before_its_first_day() -> None:
    given(established, admitted()).when(withdraw(on=SPRING - timedelta(days=1)), ADMIN).then_rejected(NotAMember)


def test_admission_is_undone_by_a_withdrawal_on_its_own_day() -> None:
    given(established, admitted()).when(withdraw(on=SPRING), ADMIN).then(withdrawn(on=SPRING))


def test_former_member_is_not_withdrawn_again() -> None:
    history = (established, admitted(), withdrawn())
    given(*history).when(withdraw(because="giải thể"), ADMIN).then_rejected(NotAMember)


def test_ended_membership_is_not_shortened() -> None:
    history = (established, admitted(), withdrawn(on=AUTUMN))
    given(*history).when(withdraw(on=SUMMER), ADMIN).then_rejected(MembershipEnded)


def test_later_membership_is_not_withdrawn_by_a_day_of_an_earlier_one() -> None:
    history = (established, admitted(), withdrawn(on=SUMMER), admitted(on=AUTUMN))
    earlier = SUMMER - timedelta(days=1)
    given(*history).when(withdraw(on=earlier), ADMIN).then_rejected(MembershipEnded)


def test_withdrawal_entered_again_after_a_new_admission_changes_nothing() -> None:
    history = (established, admitted(), withdrawn(), admitted(on=SUMMER))
    given(*history).when(withdraw(), ADMIN).then_recorded_nothing()


def test_member_is_one_up_to_the_day_it_leaves() -> None:
    membership = Membership().after(established).after(admitted()).after(withdrawn())
    assert membership.on(SUMMER - timedelta(days=1)) == (SNV,)
    assert membership.on(SUMMER) == ()
    assert membership.is_member(SNV, SPRING)
    assert not membership.is_member(SNV, SUMMER)


@pytest.mark.parametrize(("year", "members"), [(2022, ()), (2023, (SNV,)), (2024, ())])
def test_member_of_one_day_is_a_member_in_that_year(year: int, members: tuple[AgencyId, ...]) -> None:
    membership = Membership().after(established).after(admitted()).after(withdrawn())
    assert membership.in_year(year) == members


def test_membership_from_the_last_day_of_a_year_counts_and_one_to_its_first_day_does_not() -> None:
    membership = Membership().after(established).after(admitted(on=date(2023, 12, 31)))
    membership = membership.after(withdrawn(on=date(2024, 1, 1)))
    assert [membership.in_year(year) for year in (2022, 2023, 2024)] == [(), (SNV,), ()]


def test_membership_undone_on_its_own_day_counts_in_no_year() -> None:
    membership = Membership().after(established).after(admitted()).after(withdrawn(on=SPRING))
    assert membership.in_year(SPRING.year) == ()


def test_membership_without_end_counts_in_every_later_year() -> None:
    assert Membership().after(established).after(admitted()).in_year(2100) == (SNV,)
