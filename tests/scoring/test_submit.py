"""A member scores itself."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec import UNSET

from emulation_saas.blocs.events import NotAMember
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import AgencyId
from emulation_saas.kernel.rejections import NotEmpowered, PaperNeedsTime
from emulation_saas.scoring.events import Evidence, SelfScore
from emulation_saas.scoring.use_cases import (
    CriterionTwice,
    NoSuchCriterion,
    PointsOutOfRange,
    RankingAlreadyFrozen,
    SelfScoringOver,
    SubmitSelfScore,
)
from emulation_saas.years.events import NoSuchYear, YearOver
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, heading, representing, secretary_of
from tests.scoring.bloc_year import CLOSES_AT, OUTSIDER, SNV, STP, TM1, members, opened, over, the_year
from tests.scoring.scores import claim, frozen, submitted

ON_PAPER = datetime(2024, 1, 5, tzinfo=UTC)
HIMSELF = representing(SNV, blocs=[TM1])


def submit(*claims: SelfScore, agency: AgencyId = SNV, time: datetime | None = None) -> SubmitSelfScore:
    return SubmitSelfScore(bloc=TM1, year=2023, agency=agency, points=claims or (claim("plan", "40"),), time=time)


def test_member_scores_itself_and_may_leave_criteria_out() -> None:
    given(*the_year).when(submit(), HIMSELF).then(submitted(SNV, claim("plan", "40")))


def test_sheet_is_kept_in_the_order_of_its_criteria() -> None:
    sheet = submit(claim("plan", "1"), claim("movement", "2"))
    given(*the_year).when(sheet, HIMSELF).then(submitted(SNV, claim("movement", "2"), claim("plan", "1")))


def test_later_sheet_replaces_the_whole_earlier_one() -> None:
    earlier = submitted(SNV, claim("movement", "30"), claim("plan", "50"))
    given(*the_year, earlier).when(submit(), HIMSELF).then(submitted(SNV, claim("plan", "40")))


def test_same_points_with_another_explanation_are_another_sheet() -> None:
    sheet = submit(claim("plan", "40", "Báo cáo 12"))
    history = (*the_year, submitted(SNV, claim("plan", "40")))
    given(*history).when(sheet, HIMSELF).then(submitted(SNV, claim("plan", "40", "Báo cáo 12")))


def test_evidence_is_kept_with_its_claim() -> None:
    paper = Evidence(sha256="0" * 64, title="Báo cáo", media_type="application/pdf", size=12, held_by=SNV)
    backed = SelfScore(criterion="plan", points=Decimal(40), explanation="", evidence=[paper])
    given(*the_year).when(submit(backed), HIMSELF).then(submitted(SNV, backed))


@pytest.mark.parametrize("points", ["0", "50.5"])
def test_zero_and_the_maximum_are_in_range(points: str) -> None:
    given(*the_year).when(submit(claim("plan", points)), HIMSELF).then(submitted(SNV, claim("plan", points)))


@pytest.mark.parametrize("points", ["-0.000001", "50.500001"])
def test_points_outside_of_range_are_refused(points: str) -> None:
    given(*the_year).when(submit(claim("plan", points)), HIMSELF).then_rejected(PointsOutOfRange)


@pytest.mark.parametrize("criterion", ["tasks", "unheard-of"])
def test_only_leaves_of_the_scheme_are_scored(criterion: str) -> None:
    given(*the_year).when(submit(claim(criterion, "1")), HIMSELF).then_rejected(NoSuchCriterion)


def test_criterion_stands_on_a_sheet_once() -> None:
    given(*the_year).when(submit(claim("plan", "1"), claim("plan", "2")), HIMSELF).then_rejected(CriterionTwice)


@pytest.mark.parametrize("may", [secretary_of(TM1), ADMIN, heading(TM1, 2023, STP)])
def test_whoever_runs_the_year_enters_a_sheet_from_paper(may: Authority) -> None:
    given(*the_year).when(submit(time=ON_PAPER), may).then(submitted(SNV, claim("plan", "40")))


def test_sheet_from_paper_says_when_it_was_made() -> None:
    given(*the_year).when(submit(), secretary_of(TM1)).then_rejected(PaperNeedsTime)


@pytest.mark.parametrize(
    "may",
    [NOBODY, COUNCIL, AUDITOR, representing(STP, blocs=[TM1]), secretary_of("tham-muu-2"), heading(TM1, 2024, STP)],
)
def test_nobody_else_scores_a_member(may: Authority) -> None:
    given(*the_year).when(submit(time=ON_PAPER), may).then_rejected(NotEmpowered)


def test_until_the_deadline_there_is_time() -> None:
    last = CLOSES_AT - timedelta(microseconds=1)
    given(*the_year).when(submit(), HIMSELF, now=last).then(submitted(SNV, claim("plan", "40")))


def test_deadline_itself_is_too_late() -> None:
    given(*the_year).when(submit(), HIMSELF, now=CLOSES_AT).then_rejected(SelfScoringOver)


def test_paper_satisfies_no_deadline() -> None:
    given(*the_year).when(submit(time=ON_PAPER), ADMIN, now=CLOSES_AT).then_rejected(SelfScoringOver)


def test_without_a_deadline_there_is_time_until_the_year_closes() -> None:
    history = (*members, opened(closes_at=UNSET))
    given(*history).when(submit(), HIMSELF, now=CLOSES_AT).then(submitted(SNV, claim("plan", "40")))
    given(*history, over).when(submit(), HIMSELF, now=CLOSES_AT).then_rejected(YearOver)


def test_unopened_year_takes_no_scores() -> None:
    given(*members).when(submit(), HIMSELF).then_rejected(NoSuchYear)


def test_agency_that_left_before_the_year_is_not_scored() -> None:
    given(*the_year).when(submit(agency=OUTSIDER), representing(OUTSIDER)).then_rejected(NotAMember)


def test_agency_outside_the_bloc_learns_nothing_of_the_ranking() -> None:
    history = (*the_year, frozen(1, (SNV, "30", 1)))
    given(*history).when(submit(agency=OUTSIDER), representing(OUTSIDER), now=CLOSES_AT).then_rejected(NotAMember)


@pytest.mark.parametrize("agency", [SNV, STP])
def test_once_the_ranking_is_frozen_no_sheet_is_taken(agency: AgencyId) -> None:
    history = (*the_year, submitted(SNV, claim("plan", "30")), frozen(1, (SNV, "30", 1)))
    given(*history).when(submit(agency=agency), representing(agency)).then_rejected(RankingAlreadyFrozen)
