"""Registering agencies, renaming them, noting aliases."""

from datetime import date

import pytest
from msgspec import UNSET

from emulation_saas.agencies.events import AgencyAliasAdded, AgencyRegistered, AgencyRenamed
from emulation_saas.agencies.use_cases import (
    AddAgencyAlias,
    AgencyHandleTaken,
    NoSuchAgency,
    RegisterAgency,
    RenameAgency,
    RenameTooEarly,
)
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import AgencyId
from emulation_saas.kernel.rejections import NotEmpowered
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, representing

SNV = AgencyId("so-noi-vu")
FOUNDED = date(2010, 1, 1)
REFORM = date(2025, 3, 1)

registered = AgencyRegistered(agency=SNV, name="Sở Nội vụ", aliases=["SNV"], code=UNSET, effective_on=FOUNDED)
renamed = AgencyRenamed(agency=SNV, name="Sở Nội vụ tỉnh", effective_on=REFORM, legal_basis="NQ 45/2025")


def register(name: str = "Sở Nội vụ") -> RegisterAgency:
    return RegisterAgency(agency=SNV, name=name, aliases=("SNV",), code=UNSET, effective_on=FOUNDED)


def rename(name: str = "Sở Nội vụ tỉnh", on: date = REFORM) -> RenameAgency:
    return RenameAgency(agency=SNV, name=name, effective_on=on, legal_basis="NQ 45/2025")


def test_administrator_registers_an_agency() -> None:
    given().when(register(), ADMIN).then(registered)


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, representing("so-noi-vu")])
def test_nobody_else_registers_an_agency(may: Authority) -> None:
    given().when(register(), may).then_rejected(NotEmpowered)


def test_handle_is_never_reused() -> None:
    given(registered).when(register(name="Sở Nông vụ"), ADMIN).then_rejected(AgencyHandleTaken)


def test_rename_takes_effect_on_its_day() -> None:
    given(registered).when(rename(), ADMIN).then(renamed)


def test_rename_on_the_day_of_the_present_name_is_too_early() -> None:
    given(registered, renamed).when(rename(name="Sở Tổ chức"), ADMIN).then_rejected(RenameTooEarly)


def test_unknown_agency_cannot_be_renamed() -> None:
    given().when(rename(), ADMIN).then_rejected(NoSuchAgency)


def test_alias_is_noted_once() -> None:
    alias = AddAgencyAlias(agency=SNV, alias="Sở NV")
    given(registered).when(alias, ADMIN).then(AgencyAliasAdded(agency=SNV, alias="Sở NV"))


def test_alias_given_at_registration_is_known() -> None:
    given(registered).when(AddAgencyAlias(agency=SNV, alias="SNV"), ADMIN).then_recorded_nothing()


def test_unknown_agency_has_no_alias() -> None:
    given().when(AddAgencyAlias(agency=SNV, alias="Sở NV"), ADMIN).then_rejected(NoSuchAgency)
