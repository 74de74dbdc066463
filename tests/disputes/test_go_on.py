"""A dispute that is pending: evidence, answers, a ruling by somebody who has no part in it, withdrawal."""

from datetime import UTC, datetime
from typing import Any, Final

import pytest
from msgspec import UNSET

from emulation_saas.disputes.docket import STEPS_MAX, DisputeFull, DisputeOver, Docket, NoSuchDispute
from emulation_saas.disputes.use_cases import (
    AddEvidence,
    AnswerDispute,
    RefuseDispute,
    RulerIsDisputed,
    RulerIsFiler,
    UpholdDispute,
    WithdrawDispute,
)
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import PersonId
from emulation_saas.kernel.rejections import NotEmpowered, PaperNeedsTime
from emulation_saas.kernel.use_cases import UseCase
from emulation_saas.scoring.events import Evidence, ReasonNeeded
from emulation_saas.years.events import NoSuchYear, YearOver
from tests.disputes.contested import (
    APPRAISER,
    CONTESTED,
    D1,
    D2,
    EVIDENCE,
    MORE,
    RECORDER,
    being,
    disputed,
    explained,
    filed,
    refused,
    supported,
    taken_back,
    upheld,
)
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, heading, representing, secretary_of
from tests.scoring.bloc_year import SNV, STP, TM1, TTR, members, over, the_year

PAPER: Final = datetime(2024, 1, 20, tzinfo=UTC)
FILER: Final = representing(STP, blocs=[TM1])
WHERE: Final[dict[str, Any]] = {"bloc": TM1, "year": 2023, "dispute": D1}
Step = UseCase[Docket]


def support(*evidence: Evidence, time: datetime | None = None) -> AddEvidence:
    return AddEvidence(**WHERE, evidence=evidence or (MORE,), time=time)


def explain(text: str = "Giải trình") -> AnswerDispute:
    return AnswerDispute(**WHERE, text=text)


def uphold(reasons: str = "Có căn cứ") -> UpholdDispute:
    return UpholdDispute(**WHERE, reasons=reasons)


def refuse(reasons: str = "Không có căn cứ") -> RefuseDispute:
    return RefuseDispute(**WHERE, reasons=reasons)


WITHDRAW: Final = WithdrawDispute(**WHERE)
COURSES: Final[dict[str, tuple[Event, ...]]] = {
    "filed": (filed(),),
    "supported": (filed(), supported()),
    "answered": (filed(), explained()),
}
ENDS: Final[dict[str, tuple[Event, ...]]] = {
    "upheld": (filed(), upheld()),
    "refused": (filed(), refused()),
    "withdrawn": (filed(), taken_back()),
}
EVERY_STEP: Final[list[tuple[Step, Authority]]] = [
    (support(EVIDENCE), FILER),
    (explain("Giải trình thêm"), ADMIN),
    (uphold("Có căn cứ khác"), COUNCIL),
    (refuse("Vẫn không có căn cứ"), COUNCIL),
]


@pytest.mark.parametrize("course", COURSES)
@pytest.mark.parametrize(
    ("step", "may", "event"),
    [
        (support(EVIDENCE, MORE), FILER, supported(EVIDENCE, MORE)),
        (explain("Đã chấm đúng"), ADMIN, explained("Đã chấm đúng")),
        (uphold(), COUNCIL, upheld()),
        (refuse(), COUNCIL, refused()),
        (WITHDRAW, FILER, taken_back()),
    ],
)
def test_pending_dispute_goes_on_or_ends(course: str, step: Step, may: Authority, event: Event) -> None:
    given(*the_year, *COURSES[course]).when(step, may).then(event)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(("step", "may"), EVERY_STEP)
def test_ended_dispute_takes_nothing_more(end: str, step: Step, may: Authority) -> None:
    given(*the_year, *ENDS[end]).when(step, may).then_rejected(DisputeOver)


@pytest.mark.parametrize("end", ["upheld", "refused"])
def test_decided_dispute_is_not_withdrawn(end: str) -> None:
    given(*the_year, *ENDS[end]).when(WITHDRAW, FILER).then_rejected(DisputeOver)


@pytest.mark.parametrize(
    ("course", "step", "may"),
    [
        ((filed(), supported(), refused()), support(), FILER),
        ((filed(), explained(), upheld()), explain(), ADMIN),
        ((filed(), upheld()), uphold(), COUNCIL),
        ((filed(), refused()), refuse(), COUNCIL),
        ((filed(), taken_back()), WITHDRAW, FILER),
    ],
)
def test_step_taken_already_is_taken_once(course: tuple[Event, ...], step: Step, may: Authority) -> None:
    given(*the_year, *course).when(step, may).then_recorded_nothing()


def test_other_disputes_do_not_matter() -> None:
    given(*the_year, filed(), filed(dispute=D2), upheld(D2)).when(uphold(), COUNCIL).then(upheld())


@pytest.mark.parametrize(("step", "may"), [*EVERY_STEP, (WITHDRAW, FILER)])
def test_year_must_be_open(step: Step, may: Authority) -> None:
    given(*the_year, filed(), over).when(step, may).then_rejected(YearOver)


@pytest.mark.parametrize(
    ("step", "may"), [(support(), ADMIN), (explain(), ADMIN), (uphold(), COUNCIL), (refuse(), COUNCIL)]
)
def test_step_is_taken_in_a_dispute_that_is_there(step: Step, may: Authority) -> None:
    given(*the_year, filed(dispute=D2)).when(step, may).then_rejected(NoSuchDispute)
    given(*members).when(step, may).then_rejected(NoSuchYear)


@pytest.mark.parametrize(("step", "may"), [(support(), FILER), (explain(), being(APPRAISER)), (WITHDRAW, FILER)])
def test_whether_a_dispute_exists_is_not_told_to_everybody(step: Step, may: Authority) -> None:
    given(*the_year).when(step, may).then_rejected(NotEmpowered)


# Evidence


def test_whoever_runs_the_year_enters_evidence_from_paper() -> None:
    given(*the_year, filed()).when(support(time=PAPER), secretary_of(TM1)).then(supported())
    given(*the_year, filed()).when(support(), secretary_of(TM1)).then_rejected(PaperNeedsTime)


@pytest.mark.parametrize("may", [NOBODY, AUDITOR, COUNCIL, representing(SNV), heading(TM1, 2024, SNV)])
def test_nobody_else_brings_evidence(may: Authority) -> None:
    given(*the_year, filed()).when(support(time=PAPER), may).then_rejected(NotEmpowered)


# Answers


@pytest.mark.parametrize(
    "may", [being(APPRAISER), representing(SNV), ADMIN, secretary_of(TM1), heading(TM1, 2023, TTR)]
)
def test_who_is_disputed_or_runs_the_year_answers(may: Authority) -> None:
    given(*the_year, filed()).when(explain(), may).then(explained())


@pytest.mark.parametrize(
    "may", [NOBODY, Authority(person=APPRAISER), AUDITOR, COUNCIL, FILER, being(PersonId("p-nguoikhac22"), TTR)]
)
def test_nobody_else_answers(may: Authority) -> None:
    given(*the_year, filed()).when(explain(), may).then_rejected(NotEmpowered)


def test_answer_says_something() -> None:
    given(*the_year, filed()).when(explain("\u2060 "), ADMIN).then_rejected(ReasonNeeded)


def test_several_answers_are_taken() -> None:
    given(*the_year, filed(), explained()).when(explain("Giải trình lần hai"), ADMIN).then(
        explained("Giải trình lần hai")
    )


@pytest.mark.parametrize(("step", "may", "event"), [(support(), FILER, supported()), (explain(), ADMIN, explained())])
def test_dispute_takes_so_many_steps_and_is_then_to_be_decided(step: Step, may: Authority, event: Event) -> None:
    steps = [explained(f"Giải trình {number}") for number in range(STEPS_MAX)]
    given(*the_year, filed(), *steps[1:]).when(step, may).then(event)
    given(*the_year, filed(), *steps).when(step, may).then_rejected(DisputeFull)
    given(*the_year, filed(), *steps).when(uphold(), COUNCIL).then(upheld())
    given(*the_year, filed(), *steps).when(WITHDRAW, FILER).then(taken_back())


# Rulings

RULINGS: Final = [(uphold(), upheld()), (refuse(), refused())]


@pytest.mark.parametrize(("ruling", "event"), RULINGS)
@pytest.mark.parametrize("may", [ADMIN, COUNCIL, secretary_of(TM1), heading(TM1, 2023, TTR)])
def test_council_or_whoever_runs_the_year_decides(ruling: Step, event: Event, may: Authority) -> None:
    given(*the_year, filed()).when(ruling, may).then(event)


@pytest.mark.parametrize(("ruling", "_"), RULINGS)
@pytest.mark.parametrize("may", [NOBODY, AUDITOR, representing(TTR), FILER, heading(TM1, 2024, TTR), being(APPRAISER)])
def test_nobody_else_decides(ruling: Step, _: Event, may: Authority) -> None:
    given(*the_year, filed()).when(ruling, may).then_rejected(NotEmpowered)


@pytest.mark.parametrize(("ruling", "_"), RULINGS)
@pytest.mark.parametrize("may", [heading(TM1, 2023, STP), being(PersonId("p-nguoikhac22"), STP, council=True)])
def test_nobody_decides_a_dispute_of_his_own_agency(ruling: Step, _: Event, may: Authority) -> None:
    given(*the_year, filed()).when(ruling, may).then_rejected(RulerIsFiler)


@pytest.mark.parametrize(("ruling", "_"), RULINGS)
@pytest.mark.parametrize(
    "may",
    [
        being(APPRAISER, council=True),
        being(APPRAISER, admin=True),
        heading(TM1, 2023, SNV),
        being(PersonId("p-nguoikhac22"), SNV, council=True),
    ],
)
def test_nobody_decides_about_what_he_did_or_what_concerns_his_agency(ruling: Step, _: Event, may: Authority) -> None:
    given(*the_year, filed()).when(ruling, may).then_rejected(RulerIsDisputed)


@pytest.mark.parametrize(("ruling", "_"), RULINGS)
@pytest.mark.parametrize("may", [heading(TM1, 2023, TTR), being(PersonId("p-nguoikhac22"), TTR, council=True)])
def test_nobody_decides_about_what_a_colleague_did(ruling: Step, _: Event, may: Authority) -> None:
    by_a_colleague = filed(disputed(115, CONTESTED, UNSET, acted_for=[TTR]))
    given(*the_year, by_a_colleague).when(ruling, may).then_rejected(RulerIsDisputed)
    given(*the_year, by_a_colleague).when(explain(), representing(TTR)).then(explained())


@pytest.mark.parametrize(("ruling", "_"), RULINGS)
@pytest.mark.parametrize("may", [being(RECORDER, council=True), being(RECORDER, admin=True)])
def test_who_filed_it_never_decides_whatever_he_is_now(ruling: Step, _: Event, may: Authority) -> None:
    given(*the_year, filed()).when(ruling, may).then_rejected(RulerIsFiler)


def test_actor_of_one_of_several_events_does_not_decide() -> None:
    another = disputed(116, CONTESTED, TTR)
    given(*the_year, filed(disputed(115, CONTESTED), another)).when(uphold(), heading(TM1, 2023, TTR)).then_rejected(
        RulerIsDisputed
    )


@pytest.mark.parametrize("reasons", ["", " \n", "\ufeff"])
def test_ruling_gives_reasons(reasons: str) -> None:
    for ruling in (uphold(reasons), refuse(reasons)):
        given(*the_year, filed()).when(ruling, COUNCIL).then_rejected(ReasonNeeded)


@pytest.mark.parametrize("may", [NOBODY, ADMIN, COUNCIL, AUDITOR, secretary_of(TM1), representing(SNV)])
def test_only_the_filing_agency_withdraws(may: Authority) -> None:
    given(*the_year, filed()).when(WITHDRAW, may).then_rejected(NotEmpowered)
