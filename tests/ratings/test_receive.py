"""Receiving ratings: of one member, and of the bloc in numbers."""

import pytest
from hypothesis import given as sampled
from hypothesis import strategies as st

from emulation_saas.blocs.events import NotAMember
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import AgencyId
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.ratings.events import Aggregate, AggregateRatingReceived, Level, RatingReceived
from emulation_saas.ratings.use_cases import (
    AggregateContradictsRatings,
    AggregateExceedsMembers,
    AggregateOutOfOrder,
    Ratings,
    ReceiveAggregateRating,
    ReceiveRating,
)
from emulation_saas.years.events import NoSuchYear, YearOver
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, heading, representing, secretary_of
from tests.scoring.bloc_year import OUTSIDER, SNV, STP, TM1, TTR, members, over, the_year

CHAIR = "Chủ tịch UBND tỉnh"
EMPOWERED = [ADMIN, COUNCIL, secretary_of(TM1), heading(TM1, 2023, SNV)]
OTHERS = [NOBODY, AUDITOR, representing(SNV, blocs=[TM1]), secretary_of("tham-muu-2"), heading(TM1, 2024, SNV)]


def rated(level: Level = "excellent", agency: AgencyId = SNV, document_no: str = "QĐ 45") -> RatingReceived:
    return RatingReceived(bloc=TM1, year=2023, agency=agency, level=level, authority=CHAIR, document_no=document_no)


def receive(level: Level = "excellent", agency: AgencyId = SNV, document_no: str = "QĐ 45") -> ReceiveRating:
    return ReceiveRating(bloc=TM1, year=2023, agency=agency, level=level, authority=CHAIR, document_no=document_no)


def counted(of: int, good_or_better: int, excellent: int) -> AggregateRatingReceived:
    aggregate = Aggregate(of=of, good_or_better=good_or_better, excellent=excellent)
    return AggregateRatingReceived(bloc=TM1, year=2023, aggregate=aggregate, authority=CHAIR, document_no="")


def count(of: int, good_or_better: int, excellent: int) -> ReceiveAggregateRating:
    aggregate = Aggregate(of=of, good_or_better=good_or_better, excellent=excellent)
    return ReceiveAggregateRating(bloc=TM1, year=2023, aggregate=aggregate, authority=CHAIR, document_no="")


@pytest.mark.parametrize("may", EMPOWERED)
def test_rating_of_a_member_is_received(may: Authority) -> None:
    given(*the_year).when(receive(), may).then(rated())


@pytest.mark.parametrize("may", OTHERS)
def test_nobody_else_enters_a_rating(may: Authority) -> None:
    given(*the_year).when(receive(), may).then_rejected(NotEmpowered)


def test_later_rating_supersedes() -> None:
    given(*the_year, rated()).when(receive("good"), COUNCIL).then(rated("good"))


def test_same_level_by_another_document_is_another_rating() -> None:
    given(*the_year, rated()).when(receive(document_no="QĐ 46"), COUNCIL).then(rated(document_no="QĐ 46"))


def test_superseded_rating_may_be_received_again() -> None:
    given(*the_year, rated(), rated("good")).when(receive(), COUNCIL).then(rated())


def test_agency_that_left_before_the_year_is_not_rated() -> None:
    given(*the_year).when(receive(agency=OUTSIDER), COUNCIL).then_rejected(NotAMember)


def test_year_must_be_open_for_a_rating() -> None:
    given(*members).when(receive(), COUNCIL).then_rejected(NoSuchYear)
    given(*the_year, over).when(receive(), COUNCIL).then_rejected(YearOver)


def test_rating_of_a_member_is_not_held_against_the_numbers() -> None:
    given(*the_year, counted(3, 3, 0)).when(receive(), COUNCIL).then(rated())


@pytest.mark.parametrize("may", EMPOWERED)
def test_numbers_are_received_and_name_nobody(may: Authority) -> None:
    given(*the_year).when(count(3, 3, 1), may).then(counted(3, 3, 1))


@pytest.mark.parametrize("may", OTHERS)
def test_nobody_else_enters_numbers(may: Authority) -> None:
    given(*the_year).when(count(3, 3, 1), may).then_rejected(NotEmpowered)


def test_later_numbers_supersede() -> None:
    given(*the_year, counted(3, 3, 1)).when(count(3, 2, 1), COUNCIL).then(counted(3, 2, 1))


def test_year_must_be_open_for_numbers() -> None:
    given(*members).when(count(3, 3, 1), COUNCIL).then_rejected(NoSuchYear)
    given(*the_year, over).when(count(3, 3, 1), COUNCIL).then_rejected(YearOver)


@pytest.mark.parametrize(("good_or_better", "excellent"), [(2, 3), (4, 1)])
def test_excellent_are_among_the_good_and_these_among_all(good_or_better: int, excellent: int) -> None:
    given(*the_year).when(count(3, good_or_better, excellent), COUNCIL).then_rejected(AggregateOutOfOrder)


def test_everybody_may_be_excellent() -> None:
    given(*the_year).when(count(3, 3, 3), COUNCIL).then(counted(3, 3, 3))


def test_numbers_count_no_more_than_the_members_of_the_year() -> None:
    given(*the_year).when(count(4, 3, 1), COUNCIL).then_rejected(AggregateExceedsMembers)


@pytest.mark.parametrize(
    ("known", "good_or_better", "excellent"),
    [
        (("excellent", "excellent"), 3, 1),  # fewer excellent than are known
        (("good", "excellent"), 1, 1),  # fewer good or better than are known
        (("good", "satisfactory"), 2, 2),  # more excellent than are left
        (("failed", "satisfactory"), 2, 0),  # more good or better than are left
    ],
)
def test_numbers_that_known_ratings_make_impossible_are_refused(
    known: tuple[Level, Level], good_or_better: int, excellent: int
) -> None:
    history = (*the_year, rated(known[0], SNV), rated(known[1], STP))
    given(*history).when(count(3, good_or_better, excellent), COUNCIL).then_rejected(AggregateContradictsRatings)


def test_only_the_rating_that_stands_counts_against_numbers() -> None:
    history = (*the_year, rated("excellent"), rated("good"))
    given(*history).when(count(3, 3, 0), COUNCIL).then(counted(3, 3, 0))


def test_rating_of_no_member_says_nothing_against_numbers() -> None:
    given(*the_year, rated("excellent", OUTSIDER)).when(count(3, 3, 0), COUNCIL).then(counted(3, 3, 0))


def test_excellent_member_may_be_the_one_whom_numbers_leave_out() -> None:
    given(*the_year, rated("excellent")).when(count(2, 2, 0), COUNCIL).then(counted(2, 2, 0))


def test_more_excellent_members_than_numbers_leave_out_contradict_them() -> None:
    history = (*the_year, rated("excellent", SNV), rated("excellent", STP))
    given(*history).when(count(2, 2, 0), COUNCIL).then_rejected(AggregateContradictsRatings)


levels = st.sampled_from(["excellent", "good", "satisfactory", "failed"])


@sampled(truth=st.tuples(levels, levels, levels), known=st.sets(st.integers(0, 2)), of=st.integers(1, 3))
def test_true_numbers_contradict_no_rating_of_a_member(
    truth: tuple[Level, Level, Level], known: set[int], of: int
) -> None:
    agencies = (SNV, STP, TTR)
    view = Ratings(single={agencies[place]: rated(truth[place], agencies[place]) for place in known})
    true = Aggregate(
        of=of,
        good_or_better=sum(level in {"excellent", "good"} for level in truth[:of]),
        excellent=sum(level == "excellent" for level in truth[:of]),
    )
    assert view.allows(true, agencies)
