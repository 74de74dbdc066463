"""Filing a dispute: by whom, against which events, until when it is to be answered."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pytest
from msgspec import UNSET, structs

from emulation_saas.ballots.events import BallotOpened
from emulation_saas.blocs.events import MemberWithdrawn, NotAMember
from emulation_saas.disputes.docket import DISPUTES_MAX, TooManyDisputes
from emulation_saas.disputes.events import About, DisputedEvent
from emulation_saas.disputes.grounds import (
    KINDS,
    DisputedEventOfAnotherKind,
    DisputedEventUnknown,
    SeveralNominations,
)
from emulation_saas.disputes.use_cases import DisputeHandleTaken
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import BlocId, DisputeId, NominationId
from emulation_saas.kernel.rejections import NotEmpowered, PaperNeedsTime
from emulation_saas.log.events import Unknown
from emulation_saas.provinces.events import ProvinceOpened
from emulation_saas.ratings.events import AggregateRatingReceived, RatingReceived
from emulation_saas.scoring.events import ReasonNeeded
from emulation_saas.years.events import NoSuchYear, YearOver
from tests.builders import SAMPLES
from tests.disputes.contested import (
    APPRAISER,
    CONTESTED,
    D2,
    EVIDENCE,
    MORE,
    at,
    disputed,
    file,
    refused,
    upheld,
)
from tests.disputes.contested import filed as filed_by_another
from tests.nominations.proposed import acclaimed, counted, made
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, NOW, given, heading, representing, secretary_of
from tests.scoring.bloc_year import OUTSIDER, SNV, STP, TM1, TTR, admitted, members, opened, over, the_year
from tests.scoring.scores import appraised, frozen, submitted

FILER = representing(STP, blocs=[TM1])
filed = partial(filed_by_another, filed_by=FILER.person)
PAPER = datetime(2024, 1, 8, 17, 30, tzinfo=UTC)
"""On the next day already, where the provinces are."""


def test_member_contests_an_event_of_the_year() -> None:
    given(*the_year).when(file(), FILER).then(filed())


@pytest.mark.parametrize("may", [ADMIN, secretary_of(TM1), heading(TM1, 2023, TTR)])
def test_whoever_runs_the_year_enters_it_from_paper(may: Authority) -> None:
    given(*the_year).when(file(time=PAPER), may).then(filed())
    given(*the_year).when(file(), may).then_rejected(PaperNeedsTime)


@pytest.mark.parametrize(
    "may", [NOBODY, COUNCIL, AUDITOR, representing(SNV, blocs=[TM1]), heading(TM1, 2024, SNV), secretary_of("khac")]
)
def test_nobody_else_files_it(may: Authority) -> None:
    given(*the_year).when(file(time=PAPER), may).then_rejected(NotEmpowered)


def test_only_members_of_the_year_file_disputes() -> None:
    given(*the_year).when(file(agency=OUTSIDER), representing(OUTSIDER, blocs=[TM1])).then_rejected(NotAMember)


def test_year_must_be_open() -> None:
    given(*members).when(file(), FILER).then_rejected(NoSuchYear)
    given(*the_year, over).when(file(), FILER).then_rejected(YearOver)


@pytest.mark.parametrize("text", ["", " \n", "\u200b\u200b"])
def test_dispute_says_what_is_wrong(text: str) -> None:
    given(*the_year).when(file(text=text), FILER).then_rejected(ReasonNeeded)


def test_evidence_is_kept_by_its_hash() -> None:
    given(*the_year).when(file(evidence=(EVIDENCE,)), FILER).then(filed(evidence=[EVIDENCE]))


RATED = RatingReceived(bloc=TM1, year=2023, agency=SNV, level="good", authority="UBND", document_no="1")
NUMBERS = SAMPLES[AggregateRatingReceived]
LEFT = MemberWithdrawn(bloc=TM1, agency=STP, effective_on=date(2023, 7, 1), legal_basis="QĐ", because="sáp nhập")
CAN_BE_CONTESTED: list[tuple[About, Event, Any]] = [
    ("score", submitted(SNV), SNV),
    ("score", frozen(1), UNSET),
    ("rating", RATED, SNV),
    ("rating", NUMBERS, UNSET),
    ("vote", counted(TTR), UNSET),
    ("vote", SAMPLES[BallotOpened], UNSET),
    ("nomination", made(), TTR),
    ("nomination", acclaimed(), TTR),
    ("membership", LEFT, STP),
    ("membership", admitted(TTR), TTR),
]


@pytest.mark.parametrize(("about", "event", "agency"), CAN_BE_CONTESTED)
def test_contested_event_is_named_with_whom_it_is_of(about: About, event: Event, agency: Any) -> None:  # noqa: ANN401 - an agency, or none
    filing = file(at(7, event), about=about)
    given(*the_year).when(filing, FILER).then(filed(disputed(7, event, agency), about=about))


@pytest.mark.parametrize(("about", "event", "_"), CAN_BE_CONTESTED)
@pytest.mark.parametrize("other", list(KINDS))
def test_dispute_is_about_what_its_events_are_about(about: About, event: Event, _: object, other: About) -> None:
    if other != about:
        is_here = other == "membership" or about != "membership"
        rejection = DisputedEventOfAnotherKind if is_here else DisputedEventUnknown
        given(*the_year).when(file(at(7, event), about=other), FILER).then_rejected(rejection)


def test_several_events_are_named_in_their_order() -> None:
    ranked = frozen(1)
    given(*the_year).when(file(at(115, CONTESTED), at(116, ranked)), FILER).then(
        filed(disputed(115, CONTESTED), disputed(116, ranked, UNSET))
    )


@pytest.mark.parametrize("elsewhere", [ProvinceOpened(province="bac-song"), Unknown()])
def test_event_of_no_bloc_is_unknown(elsewhere: Event) -> None:
    given(*the_year).when(file(at(115, elsewhere)), FILER).then_rejected(DisputedEventUnknown)


def test_event_of_another_bloc_or_year_is_unknown() -> None:
    other_year = counted(TTR, year=2022)
    other_bloc = counted(TTR, bloc=BlocId("tham-muu-2"))
    for event in (other_year, other_bloc):
        given(*the_year).when(file(at(115, event), about="vote"), FILER).then_rejected(DisputedEventUnknown)


def test_position_at_which_there_is_nothing_is_unknown() -> None:
    nowhere = replace(file(), positions=(115, 10_000))
    given(*the_year).when(nowhere, FILER).then_rejected(DisputedEventUnknown)


def test_event_that_the_filer_may_not_see_is_unknown() -> None:
    stranger = representing(STP)  # of the year, and no party of the bloc any more
    given(*the_year).when(file(), stranger).then_rejected(DisputedEventUnknown)
    own = appraised("40", agency=STP)
    given(*the_year).when(file(at(9, own)), stranger).then(filed(disputed(9, own, STP)))


def test_dispute_about_a_nomination_is_about_one() -> None:
    other = made(nomination=NominationId("co-tinh"))
    both = file(at(7, made()), at(8, other), about="nomination")
    given(*the_year).when(both, FILER).then_rejected(SeveralNominations)
    same = file(at(7, made()), at(8, made()), about="nomination")
    given(*the_year).when(same, FILER).then(
        filed(disputed(7, made(), TTR), disputed(8, made(), TTR), about="nomination")
    )


def test_term_runs_from_the_day_of_filing_in_vietnam() -> None:
    late_evening = datetime(2024, 1, 30, 17, 0, tzinfo=UTC)
    history = (*members, opened(dispute_answer_days=10))
    given(*history).when(file(), FILER, now=NOW).then(filed(answer_by=date(2024, 2, 9)))
    given(*history).when(file(), FILER, now=late_evening).then(filed(answer_by=date(2024, 2, 10)))


def test_term_of_what_was_filed_on_paper_runs_from_the_day_on_paper() -> None:
    history = (*members, opened(dispute_answer_days=10))
    given(*history).when(file(time=PAPER), ADMIN).then(filed(answer_by=date(2024, 1, 19)))


def test_who_files_by_himself_cannot_have_filed_earlier() -> None:
    history = (*members, opened(dispute_answer_days=10))
    given(*history).when(file(time=PAPER), FILER).then(filed(answer_by=date(2024, 2, 9)))


def test_dispute_filed_again_on_another_day_is_the_same() -> None:
    history = (*members, opened(dispute_answer_days=10), filed(answer_by=date(2024, 2, 1)))
    given(*history).when(file(), FILER).then_recorded_nothing()
    given(*history, refused()).when(file(), FILER).then_recorded_nothing()


def test_dispute_filed_again_by_another_person_is_the_same() -> None:
    given(*the_year, filed_by_another()).when(file(), FILER).then_recorded_nothing()


def test_agencies_for_which_the_contested_was_done_are_kept() -> None:
    filing = file(acted_for={115: {TTR, SNV}})
    given(*the_year).when(filing, FILER).then(filed(disputed(115, CONTESTED, acted_for=[SNV, TTR])))


@pytest.mark.parametrize(
    "namesake",
    [
        filed(text="Việc khác"),
        filed(agency=SNV),
        filed(evidence=[MORE]),
        filed(DisputedEvent(position=9, type=CONTESTED.type, actor=APPRAISER, acted_for=[], agency=SNV)),
    ],
)
def test_handle_is_never_reused(namesake: Event) -> None:
    given(*the_year, namesake).when(file(), FILER).then_rejected(DisputeHandleTaken)


def test_handle_of_another_bloc_is_taken_too() -> None:
    elsewhere = structs.replace(filed(), bloc=BlocId("tham-muu-2"))
    given(*the_year, elsewhere).when(file(), FILER).then_rejected(DisputeHandleTaken)


def test_agency_files_so_many_disputes_a_year_and_no_more() -> None:
    def nth(number: int) -> Event:
        return filed(dispute=DisputeId(f"d-{number}"))

    before = [nth(number) for number in range(DISPUTES_MAX - 1)]
    given(*the_year, *before).when(file(), FILER).then(filed())
    given(*the_year, *before, nth(99)).when(file(), FILER).then_rejected(TooManyDisputes)
    given(*the_year, *before, filed(dispute=D2, agency=SNV)).when(file(), FILER).then(filed())


def test_what_was_decided_may_be_contested_anew() -> None:
    given(*the_year, filed(dispute=D2), upheld(D2)).when(file(), FILER).then(filed())


def test_dispute_is_tagged_with_bloc_year_agency_and_itself() -> None:
    assert filed().tags() == ["bloc:tham-muu-1", "year:tham-muu-1/2023", "agency:so-tu-phap", "dispute:kien-nghi-1"]
    assert filed().subject() == "blocs/tham-muu-1/years/2023"
