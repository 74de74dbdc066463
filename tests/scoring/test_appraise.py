"""Others appraise what a member claims."""

from decimal import Decimal

import pytest

from emulation_saas.blocs.events import NotAMember
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import AgencyId
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.scoring.events import ReasonNeeded, Stage
from emulation_saas.scoring.use_cases import (
    AppraisedAtHigherStage,
    AppraiseScore,
    NoSuchCriterion,
    OwnAgency,
    PointsOutOfRange,
)
from emulation_saas.years.events import NoSuchYear, YearOver
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, SOMEBODY, given, heading, representing, secretary_of
from tests.scoring.bloc_year import CLOSES_AT, OUTSIDER, SNV, STP, TM1, TTR, members, over, the_year
from tests.scoring.scores import appraised, claim, frozen, submitted

SECRETARY = secretary_of(TM1)
EXPERT = Authority(person=SOMEBODY, known=True, expert_for=frozenset({"tham-muu-1/plan"}))
MAY: dict[Stage, Authority] = {"bloc": SECRETARY, "expert": EXPERT, "council": COUNCIL}

history = (*the_year, submitted(SNV, claim("movement", "20"), claim("plan", "40")), submitted(STP, claim("plan", "45")))
ranked = (*history, frozen(1, (SNV, "60", 1), (STP, "45", 2)))


def appraise(
    points: str = "35",
    *,
    agency: AgencyId = SNV,
    criterion: str = "plan",
    stage: Stage = "bloc",
    reasons: str = "Theo báo cáo",
) -> AppraiseScore:
    return AppraiseScore(
        bloc=TM1, year=2023, agency=agency, criterion=criterion, points=Decimal(points), reasons=reasons, stage=stage
    )


@pytest.mark.parametrize("points", ["0", "35", "50.5"])
def test_score_is_appraised_lower_or_higher_than_claimed(points: str) -> None:
    given(*history).when(appraise(points), SECRETARY).then(appraised(points))


@pytest.mark.parametrize("points", ["-1", "50.500001"])
def test_appraised_points_are_in_range(points: str) -> None:
    given(*history).when(appraise(points), SECRETARY).then_rejected(PointsOutOfRange)


@pytest.mark.parametrize("criterion", ["tasks", "unheard-of"])
def test_only_leaves_are_appraised(criterion: str) -> None:
    given(*history).when(appraise(criterion=criterion), SECRETARY).then_rejected(NoSuchCriterion)


def test_what_was_not_claimed_may_be_appraised() -> None:
    given(*the_year).when(appraise(), SECRETARY).then(appraised("35"))


@pytest.mark.parametrize("reasons", ["", " \n", "\ufeff"])
def test_appraisal_gives_its_reasons(reasons: str) -> None:
    given(*history).when(appraise(reasons=reasons), SECRETARY).then_rejected(ReasonNeeded)


def test_deadline_of_self_scores_binds_no_appraiser() -> None:
    given(*history).when(appraise(), SECRETARY, now=CLOSES_AT).then(appraised("35"))


@pytest.mark.parametrize(
    ("stage", "may"),
    [
        ("bloc", SECRETARY),
        ("bloc", heading(TM1, 2023, STP)),
        ("bloc", ADMIN),
        ("expert", EXPERT),
        ("council", COUNCIL),
        ("council", ADMIN),
    ],
)
def test_each_stage_has_its_appraisers(stage: Stage, may: Authority) -> None:
    given(*history).when(appraise(stage=stage), may).then(appraised("35", stage=stage))


@pytest.mark.parametrize(
    ("stage", "may"),
    [
        ("bloc", NOBODY),
        ("bloc", AUDITOR),
        ("bloc", COUNCIL),
        ("bloc", EXPERT),
        ("bloc", representing(STP, blocs=[TM1])),
        ("bloc", heading(TM1, 2024, STP)),
        ("expert", SECRETARY),
        ("expert", ADMIN),
        ("expert", COUNCIL),
        ("expert", Authority(person=SOMEBODY, known=True, expert_for=frozenset({"tham-muu-1/reform"}))),
        ("expert", Authority(person=SOMEBODY, known=True, expert_for=frozenset({"tham-muu-2/plan"}))),
        ("council", SECRETARY),
        ("council", EXPERT),
    ],
)
def test_nobody_appraises_at_a_stage_not_his(stage: Stage, may: Authority) -> None:
    given(*history).when(appraise(stage=stage), may).then_rejected(NotEmpowered)


def test_nobody_appraises_an_agency_he_represents() -> None:
    given(*history).when(appraise(), heading(TM1, 2023, SNV)).then_rejected(OwnAgency)


def test_representative_who_is_also_expert_does_not_appraise_his_own() -> None:
    both = Authority(
        person=SOMEBODY, known=True, represents=frozenset({SNV}), expert_for=frozenset({"tham-muu-1/plan"})
    )
    given(*history).when(appraise(stage="expert"), both).then_rejected(OwnAgency)


def test_year_must_be_open() -> None:
    given(*members).when(appraise(), SECRETARY).then_rejected(NoSuchYear)
    given(*history, over).when(appraise(), SECRETARY).then_rejected(YearOver)


def test_only_members_are_appraised() -> None:
    given(*history).when(appraise(agency=OUTSIDER), SECRETARY).then_rejected(NotAMember)


@pytest.mark.parametrize(
    ("standing", "stage"), [("bloc", "bloc"), ("bloc", "expert"), ("bloc", "council"), ("expert", "council")]
)
def test_same_or_higher_stage_supersedes(standing: Stage, stage: Stage) -> None:
    earlier = appraised("30", stage=standing)
    given(*history, earlier).when(appraise(stage=stage), MAY[stage]).then(appraised("35", stage=stage))


@pytest.mark.parametrize(("standing", "stage"), [("expert", "bloc"), ("council", "bloc"), ("council", "expert")])
def test_lower_stage_supersedes_nothing(standing: Stage, stage: Stage) -> None:
    earlier = appraised("30", stage=standing)
    given(*history, earlier).when(appraise(stage=stage), MAY[stage]).then_rejected(AppraisedAtHigherStage)


def test_higher_stage_is_of_that_criterion_and_member_only() -> None:
    elsewhere = (appraised("1", criterion="reform", stage="council"), appraised("1", agency=STP, stage="council"))
    given(*history, *elsewhere).when(appraise(), SECRETARY).then(appraised("35"))


def test_same_points_for_other_reasons_are_another_appraisal() -> None:
    again = appraise(reasons="Theo kiểm tra")
    given(*history, appraised("35")).when(again, SECRETARY).then(appraised("35", reasons="Theo kiểm tra"))


def test_appraisal_after_a_freeze_brings_the_next_version() -> None:
    given(*ranked).when(appraise("20"), SECRETARY).then(appraised("20"), frozen(2, (STP, "45", 1), (SNV, "40", 2)))


def test_appraisal_after_a_freeze_may_bring_a_member_in() -> None:
    given(*ranked).when(appraise("45", agency=TTR), SECRETARY).then(
        appraised("45", agency=TTR), frozen(2, (SNV, "60", 1), (STP, "45", 2), (TTR, "45", 2))
    )


def test_appraisal_that_confirms_brings_a_version_that_rests_on_it() -> None:
    given(*ranked).when(appraise("40"), SECRETARY).then(appraised("40"), frozen(2, (SNV, "60", 1), (STP, "45", 2)))
