"""The disputes of a bloc's year: where each stands, what is overdue, who did what in what capacity, corrections."""

from datetime import date
from typing import Any, Final

import pytest
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from emulation_saas.disputes.events import (
    DisputeAnswered,
    DisputedEvent,
    DisputeEvidenceAdded,
    DisputeFiled,
    DisputeRefused,
    DisputeUpheld,
    DisputeWithdrawn,
)
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BlocId, DisputeId, PersonId
from emulation_saas.projecting.rebuild import rebuild
from emulation_saas.scoring.events import RankingFrozen, ScoreAppraised
from emulation_saas.years.events import YearOpened
from projections.capacities import Capacity, OfficeThen, RoleThen, capacity_in
from projections.docket import Docket
from tests.builders import BLOC, DISPUTE, SAMPLES, YEAR
from tests.projections.asking import ask, found, view_of
from tests.projections.histories import BLOCS, EVIDENCE, OFFICER, YEARS
from tests.projections.live import place as province
from tests.projections.live import running, told
from tests.projections.questions import answered, place, reasons
from tests.scenario import SOMEBODY

ADA: Final = AgencyId("ada")
RECORDER: Final = "p-nguoighi22"
DAY: Final = date(2024, 1, 1)
"""The day on which all is recorded."""
LIST: Final = "/disputes"
ONE: Final = "/disputes/{dispute}"
WHO: Final[dict[str, Any]] = {"bloc": BLOC, "year": YEAR, "dispute": DISPUTE, "agency": ADA}

opened = SAMPLES[YearOpened]
appraised = SAMPLES[ScoreAppraised]
answer = DisputeAnswered(**WHO, text="Giải trình")
upheld = DisputeUpheld(**WHO, reasons="Có lý")
refused = DisputeRefused(**WHO, reasons="Vô lý")
withdrawn = DisputeWithdrawn(**WHO)
more = DisputeEvidenceAdded(**WHO, evidence=[EVIDENCE])


def filed(answer_by: date | UnsetType = UNSET, dispute: DisputeId = DISPUTE, year: int = YEAR) -> DisputeFiled:
    contested = DisputedEvent(position=2, type=appraised.type, actor=PersonId(RECORDER), acted_for=[], agency=ADA)
    return DisputeFiled(
        bloc=BLOC,
        year=year,
        dispute=dispute,
        agency=ADA,
        filed_by=PersonId(RECORDER),
        about="score",
        events=[contested],
        text="Chấm sai",
        evidence=[EVIDENCE],
        answer_by=answer_by,
    )


def one(*events: Event, **asked: Any) -> Any:  # noqa: ANN401 - JSON
    return answered(Docket(), opened, appraised, *events, path=ONE, **asked)


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ((), "filed"),
        ((more,), "filed"),
        ((answer,), "answered"),
        ((answer, upheld), "upheld"),
        ((refused,), "refused"),
        ((withdrawn,), "withdrawn"),
    ],
)
def test_dispute_stands_where_its_steps_left_it(steps: tuple[Event, ...], state: str) -> None:
    assert one(filed(), *steps)["state"] == state
    (line,) = answered(Docket(), opened, filed(), *steps, path=LIST)["disputes"]
    assert line == {
        "dispute": DISPUTE,
        "agency": "ada",
        "about": "score",
        "state": state,
        "is_overdue": False,
        "position": 2,
    }


def test_dispute_tells_its_whole_course() -> None:
    document = one(filed(date(2024, 1, 11)), more, answer, upheld)
    assert document["events"] == [
        {"position": 2, "type": appraised.type, "actor": RECORDER, "acted_for": [], "agency": "ada"}
    ]
    assert (document["text"], document["answer_by"], document["position"]) == ("Chấm sai", "2024-01-11", 3)
    assert [brought["position"] for brought in document["evidence"]] == [3, 4]
    assert document["evidence"][0]["evidence"]["sha256"] == EVIDENCE.sha256
    assert document["answers"] == [{"actor": RECORDER, "text": "Giải trình", "position": 5}]
    assert document["decision"] == {"state": "upheld", "actor": RECORDER, "reasons": "Có lý", "position": 6}
    assert document["corrections"] == []


def test_who_withdraws_gives_no_reasons() -> None:
    assert one(filed(), withdrawn)["decision"] == {"state": "withdrawn", "actor": RECORDER, "position": 4}


def test_corrections_are_the_events_that_name_the_ruling() -> None:
    ranked = SAMPLES[RankingFrozen]
    story = (filed(), upheld, appraised, appraised, ranked, appraised)
    document = one(*story, causes={6: 4, 7: 4, 8: 3})
    assert document["corrections"] == [
        {"type": appraised.type, "position": 6},
        {"type": ranked.type, "position": 7},
    ]
    why = reasons(Docket(), BLOC, opened, appraised, *story, causes={6: 4, 7: 4, 8: 3})
    assert why(f"disputes/{YEAR}/{DISPUTE}") == [3, 4]
    assert why(f"disputes/{YEAR}/{DISPUTE}/corrections") == [3, 4, 6, 7]
    assert why("disputes/khac") == why("khac") == []


def test_each_correction_belongs_to_the_dispute_whose_ruling_it_names() -> None:
    other = DisputeId("kien-nghi-2")
    other_upheld = DisputeUpheld(bloc=BLOC, year=YEAR, dispute=other, agency=ADA, reasons="Có lý")
    story = (filed(), filed(dispute=other), upheld, other_upheld, appraised)
    assert one(*story, causes={7: 6})["corrections"] == []
    assert len(one(*story, causes={7: 6}, where=place(dispute=other))["corrections"]) == 1


@pytest.mark.parametrize(
    ("on", "steps", "is_overdue"),
    [
        (DAY, (), False),
        (date(2024, 1, 2), (), False),
        (date(2024, 1, 3), (), True),
        (date(2024, 1, 3), (more,), True),
        (date(2024, 1, 3), (answer,), False),
        (date(2024, 1, 3), (refused,), False),
        (date(2024, 1, 3), (withdrawn,), False),
    ],
)
def test_answer_is_overdue_from_the_day_after_its_term(on: date, steps: tuple[Event, ...], *, is_overdue: bool) -> None:
    story = (opened, filed(date(2024, 1, 2)), *steps)
    assert answered(Docket(), *story, path=LIST, on=on)["disputes"][0]["is_overdue"] is is_overdue
    assert answered(Docket(), *story, path=ONE, on=on)["is_overdue"] is is_overdue


def test_late_answer_was_overdue_until_it_was_recorded() -> None:
    story = (opened, filed(date(2023, 12, 29)), answer)
    days = [date(2023, 12, 29), date(2023, 12, 30), date(2023, 12, 31), DAY]
    shown = [answered(Docket(), *story, path=ONE, on=day)["is_overdue"] for day in days]
    assert shown == [False, True, True, False]


def test_without_a_term_nothing_is_overdue() -> None:
    assert not one(filed(), on=date(2030, 1, 1))["is_overdue"]


def test_each_year_tells_its_own_disputes() -> None:
    later = replace(opened, year=YEAR + 1)
    story = (opened, later, filed(), filed(dispute=DisputeId("kien-nghi-2"), year=YEAR + 1))
    for year, dispute in ((YEAR, DISPUTE), (YEAR + 1, "kien-nghi-2")):
        shown = answered(Docket(), *story, path=LIST, where=place(year=year))
        assert [line["dispute"] for line in shown["disputes"]] == [dispute]
    assert answered(Docket(), *story, path=ONE, where=place(year=YEAR + 1)) is None
    assert answered(Docket(), opened, path=LIST)["disputes"] == []
    assert answered(Docket(), opened, path=LIST, where=place(year=YEAR + 2)) is None


def test_capacity_is_that_of_the_contested_act_and_of_the_ruling() -> None:
    secretary = Authority(person=SOMEBODY, known=True, secretary_of=frozenset({BLOC}))
    council = Authority(person=SOMEBODY, known=True, is_council=True)
    powers = {(2, PersonId(RECORDER)): secretary, (4, PersonId(RECORDER)): council}
    document = one(filed(), upheld, powers=powers)
    assert document["events"][0]["capacity"] == {"roles": [{"role": "bloc-secretary"}], "offices": []}
    assert document["decision"]["capacity"] == {"roles": [{"role": "council-member"}], "offices": []}


def test_capacity_tells_what_matters_in_the_bloc_and_nothing_else() -> None:
    elsewhere = BlocId("khoi-khac")
    then = Authority(
        person=SOMEBODY,
        known=True,
        is_admin=True,
        is_auditor=True,
        represents=frozenset({ADA}),
        secretary_of=frozenset({BLOC, elsewhere}),
        expert_for=frozenset({f"{BLOC}/cai-cach", f"{elsewhere}/cai-cach"}),
        offices=frozenset({(BLOC, 2024, "deputy"), (elsewhere, 2024, "head")}),
        blocs=frozenset({BLOC}),
    )
    assert capacity_in(BLOC, then) == Capacity(
        roles=[
            RoleThen(role="province-admin"),
            RoleThen(role="bloc-secretary"),
            RoleThen(role="member-representative", agency=ADA),
            RoleThen(role="expert", criterion="cai-cach"),
        ],
        offices=[OfficeThen(office="deputy", for_year=2024)],
    )
    assert capacity_in(BlocId("ngoai"), Authority(person=SOMEBODY, represents=frozenset({ADA}))) == Capacity(
        roles=[], offices=[]
    )
    assert capacity_in(BLOC, Authority(person=SOMEBODY, is_council=True)).roles == [RoleThen(role="council-member")]


async def test_dispute_is_read_from_a_real_log_now_and_as_it_was(database_url: str) -> None:
    async with province(database_url) as there, running(there):
        await there.reached(await there.tell(*told(31, steps=400)))
        question = view_of(Docket(), LIST)
        shown = await found(there, question)
        assert len(shown["disputes"]) > 1
        history = await there.history()
        second = [each.position for each in history if isinstance(each.event, DisputeFiled)][1]
        for position in (second - 1, second, history[-1].position):
            filed_by_then = [
                each.event.dispute
                for each in history[:position]
                if isinstance(each.event, DisputeFiled) and (each.event.bloc, each.event.year) == (BLOCS[0], YEARS[0])
            ]
            then = await found(there, question, as_of=str(position))
            assert [line["dispute"] for line in then["disputes"]] == filed_by_then
        await rebuild(there.log, there.database, Docket())
        assert await found(there, question) == shown


async def test_capacity_is_folded_from_the_log_as_it_stood_before_the_act(database_url: str) -> None:
    async with province(database_url) as there:
        before = await there.log.authorities_at([(3, OFFICER.person)])
        assert not before[3, OFFICER.person].known
        history = await there.history()
        granted = next(each for each in history if each.event.type == "access.role-granted.v1")
        admin = granted.event.person
        at, after = granted.position, granted.position + 1
        powers = await there.log.authorities_at([(after, admin), (at, admin), (after, OFFICER.person)])
        assert (powers[at, admin].is_admin, powers[after, admin].is_admin) == (False, True)
        assert await there.log.authorities_at([]) == {}
        position = await there.tell(opened, appraised)
        contested = DisputedEvent(position=position, type=appraised.type, actor=admin, acted_for=[])
        await there.tell(
            DisputeFiled(**WHO, filed_by=admin, about="score", events=[contested], text="Chấm sai", evidence=[]),
        )
        answer = await ask(there, view_of(Docket(), ONE), place(), as_of=str(position + 1))
        assert b'"capacity":{"roles":[{"role":"province-admin"}],"offices":[]}' in answer.body
        assert await found(there, view_of(Docket(), ONE), place(dispute="khac")) is None
        assert await found(there, view_of(Docket(), ONE), place(bloc="khac")) is None
