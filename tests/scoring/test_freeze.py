"""The ranking is frozen as a version."""

import pytest

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.scoring.use_cases import FreezeRanking, NothingToRank
from emulation_saas.years.events import NoSuchYear, YearOver
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, heading, representing, secretary_of
from tests.scoring.bloc_year import OUTSIDER, SNV, STP, TM1, TTR, members, over, the_year
from tests.scoring.scores import appraised, claim, frozen, submitted

freeze = FreezeRanking(bloc=TM1, year=2023)
scored = (*the_year, submitted(SNV, claim("movement", "20"), claim("plan", "40.5")), submitted(STP, claim("plan", "0")))


@pytest.mark.parametrize("may", [ADMIN, secretary_of(TM1), heading(TM1, 2023, SNV)])
def test_whoever_runs_the_year_freezes_the_ranking(may: Authority) -> None:
    given(*scored).when(freeze, may).then(frozen(1, (SNV, "60.5", 1), (STP, "0", 2)))


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, representing(SNV, blocs=[TM1]), heading(TM1, 2024, SNV)])
def test_nobody_else_freezes_it(may: Authority) -> None:
    given(*scored).when(freeze, may).then_rejected(NotEmpowered)


def test_member_without_a_score_has_no_rank_and_one_with_zero_has() -> None:
    given(*the_year, submitted(TTR, claim("plan", "0"))).when(freeze, ADMIN).then(frozen(1, (TTR, "0", 1)))


def test_appraised_points_count_instead_of_claimed_ones() -> None:
    history = (*scored, appraised("10"), appraised("50", agency=STP, criterion="plan"))
    given(*history).when(freeze, ADMIN).then(frozen(1, (STP, "50", 1), (SNV, "30", 2)))


def test_appraisals_outlive_a_later_sheet() -> None:
    history = (*the_year, submitted(SNV, claim("plan", "40")), appraised("10"), submitted(SNV, claim("plan", "50")))
    given(*history).when(freeze, ADMIN).then(frozen(1, (SNV, "10", 1)))


def test_equal_points_share_a_rank_and_the_next_is_skipped() -> None:
    sheets = (submitted(SNV, claim("plan", "9")), submitted(TTR, claim("plan", "12.5")))
    tied = submitted(STP, claim("movement", "10"), claim("plan", "2.50"))
    given(*the_year, *sheets, tied).when(freeze, ADMIN).then(
        frozen(1, (STP, "12.5", 1), (TTR, "12.5", 1), (SNV, "9", 3))
    )


def test_scores_of_no_member_are_left_out() -> None:
    given(*scored, submitted(OUTSIDER, claim("plan", "50"))).when(freeze, ADMIN).then(
        frozen(1, (SNV, "60.5", 1), (STP, "0", 2))
    )


def test_changed_scores_give_the_next_version() -> None:
    history = (*scored, frozen(1, (SNV, "60.5", 1), (STP, "0", 2)), frozen(2, (SNV, "60.5", 1)))
    given(*history).when(freeze, ADMIN).then(frozen(3, (SNV, "60.5", 1), (STP, "0", 2)))


def test_nobody_scored_is_no_ranking() -> None:
    given(*the_year).when(freeze, ADMIN).then_rejected(NothingToRank)


def test_year_must_be_open() -> None:
    given(*members).when(freeze, ADMIN).then_rejected(NoSuchYear)
    given(*scored, over).when(freeze, ADMIN).then_rejected(YearOver)
