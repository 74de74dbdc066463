"""Establishing a bloc."""

from datetime import date

import pytest

from emulation_saas.blocs.events import BlocEstablished, Membership, NoSuchBloc
from emulation_saas.blocs.use_cases import BlocHandleTaken, EstablishBloc
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import BlocId
from emulation_saas.kernel.rejections import NotEmpowered
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, representing, secretary_of

TM1 = BlocId("tham-muu-1")
FOUNDED = date(2022, 12, 1)

established = BlocEstablished(
    bloc=TM1,
    name="Khối Thi đua các cơ quan tham mưu I",
    aliases=["Khối Thi đua Tham mưu I"],
    kind="khoi",
    effective_on=FOUNDED,
    legal_basis="QĐ 12/QĐ-UBND",
)


def establish(name: str = established.name, legal_basis: str = established.legal_basis) -> EstablishBloc:
    return EstablishBloc(
        bloc=TM1,
        name=name,
        aliases=("Khối Thi đua Tham mưu I",),
        kind="khoi",
        effective_on=FOUNDED,
        legal_basis=legal_basis,
    )


def test_administrator_establishes_a_bloc() -> None:
    given().when(establish(), ADMIN).then(established)


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, secretary_of(TM1), representing("so-noi-vu", blocs=[TM1])])
def test_nobody_else_establishes_a_bloc(may: Authority) -> None:
    given().when(establish(), may).then_rejected(NotEmpowered)


@pytest.mark.parametrize("other", [establish(name="Khối II"), establish(legal_basis="QĐ 13/QĐ-UBND")])
def test_handle_is_never_reused(other: EstablishBloc) -> None:
    given(established).when(other, ADMIN).then_rejected(BlocHandleTaken)


def test_bloc_exists_from_its_day_on() -> None:
    assert Membership().after(established).require_established() == FOUNDED


def test_bloc_never_established_does_not_exist() -> None:
    with pytest.raises(NoSuchBloc):
        Membership().require_established()


def test_bloc_is_found_under_its_own_handle() -> None:
    assert (established.tags(), established.subject()) == (["bloc:tham-muu-1"], "blocs/tham-muu-1")
