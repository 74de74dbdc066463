"""One resource takes either a member's rating or the bloc's in numbers."""

import msgspec
import pytest

from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.ratings.events import Aggregate
from emulation_saas.ratings.routes import AgencyOrAggregate, RatingBody
from emulation_saas.ratings.use_cases import ReceiveAggregateRating, ReceiveRating

TM1 = BlocId("tham-muu-1")
NUMBERS = '"aggregate":{"of":10,"good_or_better":10,"excellent":3}'


def read(fields: str) -> RatingBody:
    return msgspec.json.decode(f'{{{fields},"authority":"Chủ tịch UBND tỉnh"}}'.encode(), type=RatingBody)


def test_agency_with_level_is_a_members_rating() -> None:
    body = read('"agency":"so-noi-vu","level":"good","document_no":"QĐ 45"')
    assert body.receiving(TM1, 2023) == ReceiveRating(
        bloc=TM1,
        year=2023,
        agency=AgencyId("so-noi-vu"),
        level="good",
        authority="Chủ tịch UBND tỉnh",
        document_no="QĐ 45",
    )


def test_aggregate_is_the_blocs_in_numbers_and_may_lack_its_document() -> None:
    assert read(NUMBERS).receiving(TM1, 2023) == ReceiveAggregateRating(
        bloc=TM1,
        year=2023,
        aggregate=Aggregate(of=10, good_or_better=10, excellent=3),
        authority="Chủ tịch UBND tỉnh",
        document_no="",
    )


@pytest.mark.parametrize(
    "fields",
    [
        '"document_no":"QĐ 45"',
        '"agency":"so-noi-vu"',
        '"level":"good"',
        f'"agency":"so-noi-vu","level":"good",{NUMBERS}',
        f'"agency":"so-noi-vu",{NUMBERS}',
        f'"level":"good",{NUMBERS}',
    ],
)
def test_neither_or_both_is_refused(fields: str) -> None:
    with pytest.raises(AgencyOrAggregate):
        read(fields).receiving(TM1, 2023)
