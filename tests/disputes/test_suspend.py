"""A pending dispute about a nomination lets it rest, where the year's rules say so."""

from typing import Any, Final

import pytest
from msgspec.structs import replace

from emulation_saas.disputes.events import DisputeFiled, Disputes
from emulation_saas.disputes.use_cases import RefuseDispute, UpholdDispute, WithdrawDispute
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import NominationId
from emulation_saas.kernel.use_cases import UseCase
from emulation_saas.nominations.states import NominationIsDisputed
from emulation_saas.nominations.use_cases import ForwardNomination, ResumeNomination, SuspendNomination
from tests.disputes.contested import (
    D1,
    D2,
    RECORDER,
    at,
    disputed,
    file,
    filed,
    refused,
    resumed_by,
    suspended_by,
    taken_back,
    upheld,
)
from tests.nominations.proposed import N1, acclaimed, forwarded, made, resumed, suspended, yielded
from tests.scenario import ADMIN, COUNCIL, given, representing
from tests.scoring.bloc_year import STP, TM1, TTR, members, opened, the_year

FILER: Final = replace(representing(STP, blocs=[TM1]), person=RECORDER)
LETTING_REST: Final[tuple[Event, ...]] = (*members, opened(disputes_suspend_nominations=True))
FILING: Final = file(at(50, made()), about="nomination")
WHICH: Final[dict[str, Any]] = {"bloc": TM1, "year": 2023, "nomination": N1}
FIRST: Final[dict[str, Any]] = {"bloc": TM1, "year": 2023, "dispute": D1}
REFUSE: Final = RefuseDispute(**FIRST, reasons="Không có căn cứ")
RESUME: Final = ResumeNomination(**WHICH, because="Đơn đã giải quyết")
FORWARD: Final = ForwardNomination(**WHICH, document_no="12/TTr")


def about_it(dispute: Any = D1, *, holds: bool = True) -> DisputeFiled:  # noqa: ANN401 - a handle
    """Return a dispute about the nomination, which holds it or not."""
    more: dict[str, Any] = {"nomination": N1} if holds else {}
    return filed(disputed(50, made(), TTR), about="nomination", dispute=dispute, **more)


@pytest.mark.parametrize("course", [(made(),), (made(), suspended(), resumed())])
def test_filing_suspends_a_nomination_that_stands_as_made(course: tuple[Event, ...]) -> None:
    given(*LETTING_REST, *course).when(FILING, FILER).then(about_it(), suspended_by())


def test_filing_suspends_nothing_where_the_rules_are_silent() -> None:
    given(*the_year, made()).when(FILING, FILER).then(about_it(holds=False))


@pytest.mark.parametrize("course", [(made(), suspended()), (made(), yielded()), (made(), forwarded())])
def test_filing_suspends_no_nomination_that_stands_otherwise(course: tuple[Event, ...]) -> None:
    given(*LETTING_REST, *course).when(FILING, FILER).then(about_it(holds=False))


def test_dispute_about_the_acclaim_suspends_nothing() -> None:
    acclaim = file(at(51, acclaimed()), about="nomination")
    given(*LETTING_REST, made(), acclaimed()).when(acclaim, FILER).then(
        filed(disputed(51, acclaimed(), TTR), about="nomination")
    )


def test_second_dispute_holds_what_the_first_suspended() -> None:
    second = file(at(50, made()), about="nomination", dispute=D2)
    given(*LETTING_REST, made(), about_it(), suspended_by()).when(second, FILER).then(about_it(D2))


RESTING: Final[tuple[Event, ...]] = (*LETTING_REST, made(), about_it(), suspended_by())


@pytest.mark.parametrize(("end", "event"), [(REFUSE, refused()), (WithdrawDispute(**FIRST), taken_back())])
def test_nomination_goes_on_when_its_dispute_is_refused_or_withdrawn(end: UseCase[Any], event: Event) -> None:
    may = FILER if isinstance(end, WithdrawDispute) else COUNCIL
    given(*RESTING).when(end, may).then(event, resumed_by())


def test_nomination_goes_on_resting_when_its_dispute_is_upheld() -> None:
    given(*RESTING).when(UpholdDispute(**FIRST, reasons="Có căn cứ"), COUNCIL).then(upheld())


@pytest.mark.parametrize("other", [(), (upheld(D2),)])
def test_nomination_rests_as_long_as_another_dispute_holds_it(other: tuple[Event, ...]) -> None:
    given(*RESTING, about_it(D2), *other).when(REFUSE, COUNCIL).then(refused())


def test_last_dispute_to_be_refused_lets_it_go_on() -> None:
    given(*RESTING, about_it(D2), refused(D2)).when(REFUSE, COUNCIL).then(refused(), resumed_by())


def test_dispute_that_did_not_suspend_it_does_not_resume_it() -> None:
    by_hand = (*LETTING_REST, made(), suspended(), about_it(holds=False))
    given(*by_hand).when(REFUSE, COUNCIL).then(refused())


def test_upheld_dispute_holds_nothing_more_once_the_nomination_was_resumed() -> None:
    history = (*RESTING, upheld(), resumed(), about_it(D2), suspended_by(D2))
    second = RefuseDispute(bloc=TM1, year=2023, dispute=D2, reasons="Không có căn cứ")
    given(*history).when(second, COUNCIL).then(refused(D2), resumed_by(D2))


# By hand


@pytest.mark.parametrize("step", [RESUME, FORWARD])
def test_nomination_that_a_pending_dispute_holds_is_neither_resumed_nor_forwarded(step: UseCase[Any]) -> None:
    given(*RESTING).when(step, ADMIN).then_rejected(NominationIsDisputed)
    given(*RESTING, about_it(D2), upheld()).when(step, ADMIN).then_rejected(NominationIsDisputed)


def test_it_is_resumed_by_hand_once_the_dispute_was_upheld() -> None:
    given(*RESTING, upheld()).when(RESUME, ADMIN).then(resumed())


def test_it_is_forwarded_once_the_dispute_was_refused() -> None:
    given(*RESTING, refused(), resumed_by()).when(FORWARD, ADMIN).then(forwarded())


@pytest.mark.parametrize("step", [RESUME, FORWARD])
def test_dispute_that_holds_nothing_is_in_the_way_of_nothing(step: UseCase[Any]) -> None:
    resting = (suspended(),) if step is RESUME else ()
    done = resumed() if step is RESUME else forwarded()
    given(*the_year, made(), *resting, about_it(holds=False)).when(step, ADMIN).then(done)


def test_suspending_what_a_dispute_suspended_for_the_same_reason_records_nothing() -> None:
    again = SuspendNomination(**WHICH, because=f"dispute:{D1}")
    given(*RESTING).when(again, ADMIN).then_recorded_nothing()


def test_only_the_nomination_concerned_is_held() -> None:
    disputes = Disputes().after(about_it())
    assert disputes.holds(N1)
    assert not disputes.holds(NominationId("co-tinh"))
    assert disputes.after(made()) == disputes
    other = replace(resumed(), nomination=NominationId("co-tinh"))
    assert disputes.after(other) == disputes
