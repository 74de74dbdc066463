"""What is asked for when an office is filled: an election or an appointment, told by the body."""

import msgspec
import pytest

from emulation_saas.kernel.clock import start_of
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId
from emulation_saas.offices.routes import ElectedOrAppointed, OfficeBody
from emulation_saas.offices.use_cases import AppointOfficer, ElectOfficer
from tests.scenario import NOW

TM1 = BlocId("tham-muu-1")


def body(**given: str) -> OfficeBody:
    fixed = {"office": "head", "for_year": 2024, "agency": "so-noi-vu", "time": "2024-01-30"}
    return msgspec.convert(fixed | given, OfficeBody)


def test_ballot_asks_for_an_election() -> None:
    asked = body(ballot="bau-cu").read(TM1)
    assert asked == ElectOfficer(
        bloc=TM1,
        office="head",
        for_year=2024,
        agency=AgencyId("so-noi-vu"),
        ballot=BallotId("bau-cu"),
        time=start_of(NOW.date()),
    )


def test_document_of_an_authority_asks_for_an_appointment() -> None:
    asked = body(authority="Chủ tịch UBND tỉnh", document_no="124/TB-UBND").read(TM1)
    assert asked == AppointOfficer(
        bloc=TM1,
        office="head",
        for_year=2024,
        agency=AgencyId("so-noi-vu"),
        authority="Chủ tịch UBND tỉnh",
        document_no="124/TB-UBND",
        time=start_of(NOW.date()),
    )


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"authority": "Chủ tịch UBND tỉnh"},
        {"document_no": "124/TB-UBND"},
        {"ballot": "bau-cu", "authority": "Chủ tịch UBND tỉnh"},
        {"ballot": "bau-cu", "document_no": "124/TB-UBND"},
        {"ballot": "bau-cu", "authority": "Chủ tịch UBND tỉnh", "document_no": "124/TB-UBND"},
    ],
)
def test_neither_both_or_half_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ElectedOrAppointed):
        body(**given).read(TM1)
