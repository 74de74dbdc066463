"""A nomination is yielded, suspended, resumed, forwarded: every state against every step."""

from typing import Final

import pytest

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BlocId, NominationId
from emulation_saas.kernel.rejections import NotEmpowered, Rejection
from emulation_saas.kernel.use_cases import UseCase
from emulation_saas.nominations.proposals import Proposals
from emulation_saas.nominations.states import (
    NominationIsForwarded,
    NominationIsSuspended,
    NominationIsYielded,
    NominationNotSuspended,
)
from emulation_saas.nominations.use_cases import (
    ForwardNomination,
    NoSuchNomination,
    ResumeNomination,
    SuspendNomination,
    YieldNomination,
)
from emulation_saas.scoring.events import ReasonNeeded
from emulation_saas.years.events import NoSuchYear, YearOver
from tests.nominations.proposed import N1, forwarded, made, resumed, suspended, yielded
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, heading, representing, secretary_of
from tests.scoring.bloc_year import SNV, STP, TM1, TTR, members, over, the_year

Step = UseCase[Proposals]


def give_way(because: str = "") -> YieldNomination:
    return YieldNomination(bloc=TM1, year=2023, nomination=N1, because=because)


def suspend(because: str = "Đang có đơn thư") -> SuspendNomination:
    return SuspendNomination(bloc=TM1, year=2023, nomination=N1, because=because)


def resume(because: str = "Đơn đã giải quyết") -> ResumeNomination:
    return ResumeNomination(bloc=TM1, year=2023, nomination=N1, because=because)


def forward(document_no: str = "12/TTr") -> ForwardNomination:
    return ForwardNomination(bloc=TM1, year=2023, nomination=N1, document_no=document_no)


STATES: Final[dict[str, tuple[Event, ...]]] = {
    "made": (made(),),
    "suspended": (made(), suspended()),
    "resumed": (made(), suspended(), resumed()),
    "yielded": (made(), yielded()),
    "forwarded": (made(), forwarded()),
}
EVERY_STEP: Final = [give_way(), suspend(), resume(), forward()]


@pytest.mark.parametrize("state", ["made", "resumed"])
@pytest.mark.parametrize(
    ("step", "event"), [(give_way(), yielded()), (suspend(), suspended()), (forward(), forwarded())]
)
def test_made_or_resumed_nomination_goes_on(state: str, step: Step, event: Event) -> None:
    given(*the_year, *STATES[state]).when(step, ADMIN).then(event)


def test_suspended_nomination_is_resumed() -> None:
    given(*the_year, *STATES["suspended"]).when(resume(), ADMIN).then(resumed())


def test_nomination_may_be_suspended_again_for_the_same_reason() -> None:
    given(*the_year, *STATES["resumed"]).when(suspend(), ADMIN).then(suspended())


@pytest.mark.parametrize(
    ("state", "step", "rejection"),
    [
        ("suspended", give_way(), NominationIsSuspended),
        ("suspended", suspend("Đơn khác"), NominationIsSuspended),
        ("suspended", forward(), NominationIsSuspended),
        ("made", resume(), NominationNotSuspended),
        ("resumed", resume("Lý do khác"), NominationNotSuspended),
        ("yielded", resume(), NominationNotSuspended),
        ("forwarded", resume(), NominationNotSuspended),
        ("yielded", give_way("Lý do khác"), NominationIsYielded),
        ("yielded", suspend(), NominationIsYielded),
        ("yielded", forward(), NominationIsYielded),
        ("forwarded", give_way(), NominationIsForwarded),
        ("forwarded", suspend(), NominationIsForwarded),
        ("forwarded", forward("13/TTr"), NominationIsForwarded),
    ],
)
def test_other_steps_are_refused(state: str, step: Step, rejection: type[Rejection]) -> None:
    given(*the_year, *STATES[state]).when(step, ADMIN).then_rejected(rejection)


@pytest.mark.parametrize(
    ("state", "step"),
    [("suspended", suspend()), ("resumed", resume()), ("yielded", give_way()), ("forwarded", forward())],
)
def test_step_taken_already_is_taken_once(state: str, step: Step) -> None:
    given(*the_year, *STATES[state]).when(step, ADMIN).then_recorded_nothing()


@pytest.mark.parametrize("because", ["", " ", "\ufeff"])
def test_suspending_and_resuming_give_a_reason(because: str) -> None:
    given(*the_year, *STATES["made"]).when(suspend(because), ADMIN).then_rejected(ReasonNeeded)
    given(*the_year, *STATES["suspended"]).when(resume(because), ADMIN).then_rejected(ReasonNeeded)


@pytest.mark.parametrize("may", [ADMIN, secretary_of(TM1), heading(TM1, 2023, STP), representing(TTR)])
def test_nominee_or_whoever_runs_the_year_yields(may: Authority) -> None:
    given(*the_year, made()).when(give_way("Năm trước đã nhận"), may).then(yielded("Năm trước đã nhận"))


@pytest.mark.parametrize("may", [ADMIN, COUNCIL, secretary_of(TM1), heading(TM1, 2023, STP)])
def test_council_or_whoever_runs_the_year_suspends_and_resumes(may: Authority) -> None:
    given(*the_year, *STATES["made"]).when(suspend(), may).then(suspended())
    given(*the_year, *STATES["suspended"]).when(resume(), may).then(resumed())


@pytest.mark.parametrize("may", [ADMIN, secretary_of(TM1), heading(TM1, 2023, STP)])
def test_whoever_runs_the_year_forwards(may: Authority) -> None:
    given(*the_year, made()).when(forward(), may).then(forwarded())


@pytest.mark.parametrize(
    ("step", "may"),
    [
        *((step, may) for step in EVERY_STEP for may in (NOBODY, AUDITOR, representing(SNV), heading(TM1, 2024, STP))),
        *((step, representing(TTR)) for step in EVERY_STEP[1:]),
        (give_way(), COUNCIL),
        (forward(), COUNCIL),
    ],
)
def test_nobody_else_takes_a_step(step: Step, may: Authority) -> None:
    given(*the_year, *STATES["suspended"]).when(step, may).then_rejected(NotEmpowered)


def test_whether_a_nomination_exists_is_not_told_to_everybody() -> None:
    given(*the_year).when(give_way(), representing(TTR)).then_rejected(NotEmpowered)


@pytest.mark.parametrize("step", EVERY_STEP)
@pytest.mark.parametrize(
    "elsewhere",
    [(), (made(nomination=NominationId("khac"), agency=AgencyId("so-noi-vu")),), (made(bloc=BlocId("tham-muu-2")),)],
)
def test_step_is_taken_on_a_nomination_of_that_year(step: Step, elsewhere: tuple[Event, ...]) -> None:
    given(*the_year, *elsewhere).when(step, ADMIN).then_rejected(NoSuchNomination)


@pytest.mark.parametrize("step", EVERY_STEP)
def test_year_must_be_open(step: Step) -> None:
    given(*members).when(step, ADMIN).then_rejected(NoSuchYear)
    given(*the_year, *STATES["suspended"], over).when(step, ADMIN).then_rejected(YearOver)
