"""Deadlines: those that the log sets, how each stands on a day, and who has still to meet it."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from emulation_saas.ballots.events import BallotClosed, BallotOpened, VoteCast
from emulation_saas.blocs.events import BlocEstablished, MemberAdmitted, MemberWithdrawn
from emulation_saas.disputes.events import (
    DisputeAnswered,
    DisputedEvent,
    DisputeFiled,
    DisputeRefused,
    DisputeUpheld,
    DisputeWithdrawn,
)
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.scoring.events import SelfScoreSubmitted
from emulation_saas.years.events import Rules, YearClosed, YearOpened
from projections import PROJECTIONS
from projections.deadlines import Deadlines
from tests.builders import BALLOT, BLOC, DISPUTE, FULL_SAMPLES, PERSON, SAMPLES, YEAR
from tests.projections.histories import BLOCS
from tests.projections.live import place as province
from tests.projections.live import running, told
from tests.projections.questions import answered, place, reasons
from tests.travel.asked import HERE, serving

ADA, BEA, EVE = (AgencyId(each) for each in ("ada", "bea", "eve"))
NOON: Final = datetime(2023, 11, 30, 5, 0, tzinfo=UTC)
"""Of the last day of November, in Vietnam."""
LAST_DAY: Final = date(2023, 11, 30)
DAY_AFTER: Final = date(2023, 12, 1)
OF_YEAR: Final = "{year}/deadlines"
COMING: Final = "/deadlines"

established = replace(SAMPLES[BlocEstablished], effective_on=date(2020, 1, 1))


def opened(closes_at: datetime = NOON, bloc: BlocId = BLOC) -> YearOpened:
    sample = SAMPLES[YearOpened]
    assert isinstance(sample, YearOpened)
    rules = Rules(
        legal_basis="QC",
        self_scores_close_at=closes_at,
        leaders_max=1,
        self_vote=True,
        disputes_suspend_nominations=False,
    )
    return replace(sample, bloc=bloc, rules=rules)


def admitted(agency: AgencyId, bloc: BlocId = BLOC) -> MemberAdmitted:
    return MemberAdmitted(bloc=bloc, agency=agency, effective_on=date(2020, 1, 1), legal_basis="QĐ 2")


def scored(agency: AgencyId) -> SelfScoreSubmitted:
    return SelfScoreSubmitted(bloc=BLOC, year=YEAR, agency=agency, points=[])


def vote(agency: AgencyId) -> VoteCast:
    return VoteCast(bloc=BLOC, year=YEAR, ballot=BALLOT, agency=agency, choices=[])


balloted = replace(FULL_SAMPLES[BallotOpened], roll=[ADA, BEA], closes_at=NOON)
counted_on_paper = SAMPLES[BallotOpened]
ballot_closed = SAMPLES[BallotClosed]
year_closed = SAMPLES[YearClosed]
contested = DisputedEvent(position=2, type="x.y.v1", actor=PERSON, acted_for=[BEA], agency=ADA)
WHO: Final[dict[str, Any]] = {"bloc": BLOC, "year": YEAR, "dispute": DISPUTE, "agency": ADA}
filed = DisputeFiled(
    **WHO, filed_by=PERSON, about="score", events=[contested], text="Sai", evidence=[], answer_by=LAST_DAY
)


def one(*events: Event, on: date = LAST_DAY) -> Any:  # noqa: ANN401 - JSON
    """Return the only deadline of the year."""
    (deadline,) = answered(Deadlines(), *events, path=OF_YEAR, on=on)["deadlines"]
    return deadline


SCORING: Final = [established, admitted(ADA), admitted(BEA), opened()]


def test_self_score_waits_for_the_members_of_the_year_that_have_none() -> None:
    assert one(*SCORING, scored(BEA)) == {
        "bloc": BLOC,
        "year": YEAR,
        "what": "self-score",
        "due_on": "2023-11-30",
        "due_at": "2023-11-30T05:00:00Z",
        "state": "coming",
        "concerns": [ADA, BEA],
        "waiting_for": [ADA],
        "position": 4,
    }


@pytest.mark.parametrize(
    ("events", "on", "state", "waiting_for"),
    [
        ([], LAST_DAY, "coming", [ADA, BEA]),
        ([], DAY_AFTER, "over", [ADA, BEA]),
        ([scored(ADA), scored(BEA)], LAST_DAY, "met", []),
        ([scored(ADA), scored(BEA), scored(ADA)], DAY_AFTER, "met", []),
        ([scored(ADA), year_closed], LAST_DAY, "over", [BEA]),
        ([scored(ADA), admitted(EVE)], LAST_DAY, "coming", [BEA, EVE]),
        (
            [
                scored(ADA),
                MemberWithdrawn(
                    bloc=BLOC, agency=BEA, effective_on=date(2022, 1, 1), legal_basis="QĐ 3", because="hợp nhất"
                ),
            ],
            LAST_DAY,
            "met",
            [],
        ),
    ],
)
def test_self_scores_stand_so(events: list[Event], on: date, state: str, waiting_for: list[AgencyId]) -> None:
    deadline = one(*SCORING, *events, on=on)
    assert (deadline["state"], deadline["waiting_for"]) == (state, waiting_for)


def test_what_ends_at_midnight_is_due_on_the_day_before() -> None:
    midnight = datetime(2023, 11, 30, 17, 0, tzinfo=UTC)
    assert one(established, admitted(ADA), opened(midnight))["due_on"] == "2023-11-30"


@pytest.mark.parametrize(
    ("events", "on", "state", "waiting_for"),
    [
        ([vote(BEA)], LAST_DAY, "coming", [ADA]),
        ([vote(BEA)], DAY_AFTER, "over", [ADA]),
        ([vote(BEA), vote(ADA)], LAST_DAY, "met", []),
        ([vote(BEA), ballot_closed], LAST_DAY, "over", [ADA]),
    ],
)
def test_ballot_waits_for_those_on_its_roll(
    events: list[Event], on: date, state: str, waiting_for: list[AgencyId]
) -> None:
    deadline = one(SAMPLES[YearOpened], balloted, *events, on=on)
    assert (deadline["what"], deadline["ballot"], deadline["position"]) == ("vote", BALLOT, 2)
    assert (deadline["state"], deadline["waiting_for"], deadline["concerns"]) == (state, waiting_for, [ADA, BEA])


@pytest.mark.parametrize(
    ("events", "on", "state", "waiting_for"),
    [
        ([], LAST_DAY, "coming", [ADA, BEA]),
        ([], DAY_AFTER, "over", [ADA, BEA]),
        ([DisputeAnswered(**WHO, text="Giải trình")], DAY_AFTER, "met", []),
        ([DisputeUpheld(**WHO, reasons="Có lý")], LAST_DAY, "met", []),
        ([DisputeRefused(**WHO, reasons="Vô lý")], LAST_DAY, "met", []),
        ([DisputeWithdrawn(**WHO)], LAST_DAY, "met", []),
    ],
)
def test_dispute_waits_for_those_whose_doing_is_contested(
    events: list[Event], on: date, state: str, waiting_for: list[AgencyId]
) -> None:
    deadline = one(SAMPLES[YearOpened], filed, *events, on=on)
    assert (deadline["what"], deadline["dispute"]) == ("dispute-answer", DISPUTE)
    assert "due_at" not in deadline
    assert (deadline["state"], deadline["waiting_for"], deadline["concerns"]) == (state, waiting_for, [ADA, BEA])


def test_what_has_no_term_is_no_deadline() -> None:
    untimed = replace(filed, answer_by=UNSET)
    events = [SAMPLES[YearOpened], counted_on_paper, scored(ADA), vote(ADA), ballot_closed, untimed]
    assert answered(Deadlines(), *events, path=OF_YEAR)["deadlines"] == []


def test_year_that_was_never_opened_has_no_document() -> None:
    assert answered(Deadlines(), *SCORING, path=OF_YEAR, where=place(year=YEAR + 1)) is None


def test_earliest_comes_first() -> None:
    late = replace(filed, answer_by=DAY_AFTER)
    found = answered(Deadlines(), late, balloted, *SCORING, path=OF_YEAR)["deadlines"]
    assert [each["what"] for each in found] == ["vote", "self-score", "dispute-answer"]


def test_what_is_coming_is_told_of_all_blocs_in_pages_of_blocs() -> None:
    other = BlocId("khac")
    events = [
        *SCORING,
        replace(established, bloc=other),
        admitted(EVE, other),
        opened(datetime(2023, 11, 29, 5, 0, tzinfo=UTC), other),
    ]
    whole = answered(Deadlines(), *events, path=COMING, on=date(2023, 11, 29))
    assert [each["bloc"] for each in whole["deadlines"]] == [other, BLOC]
    assert "next" not in whole
    first = answered(Deadlines(), *events, path=COMING, on=LAST_DAY, limit=1)
    assert (first["deadlines"], first["next"]) == ([], other)
    second = answered(Deadlines(), *events, path=COMING, on=LAST_DAY, limit=1, after=other)
    assert [each["bloc"] for each in second["deadlines"]] == [BLOC]
    assert "next" not in second


def test_figure_rests_on_what_set_it_and_on_what_met_it() -> None:
    why = reasons(Deadlines(), BLOC, *SCORING, scored(ADA), balloted, ballot_closed, scored(ADA), ballot_closed)
    assert why(f"{YEAR}/self-score") == [4]
    assert why(f"{YEAR}/self-score/done/{ADA}") == [4, 8]
    assert why(f"{YEAR}/ballots/{BALLOT}") == [6]
    assert why(f"{YEAR}/ballots/{BALLOT}/ended") == [6, 7]


async def test_deadlines_are_told_over_http_as_of_any_moment_and_explained(database_url: str, tmp_path: Path) -> None:
    async with province(database_url) as there, running(there, PROJECTIONS), serving(there, tmp_path) as client:
        head = await there.tell(*told(11, steps=0), admitted(ADA, BLOCS[0]))
        await there.reached(head)
        coming = await client.get(f"{HERE}/deadlines", params={"valid_on": "2024-01-01"})
        assert coming.status_code == 200
        assert {each["bloc"] for each in coming.json()["deadlines"]} == set(BLOCS)
        then = await client.get(f"{HERE}/deadlines", params={"valid_on": "2024-01-01", "as_of": head})
        assert then.json() == coming.json()
        assert (await client.get(f"{HERE}/deadlines", params={"valid_on": "2025-01-01"})).json() == {"deadlines": []}
        first = coming.json()["deadlines"][0]
        path = f"/blocs/{first['bloc']}/years/{first['year']}/deadlines"
        figure = f"{first['year']}/self-score"
        why = await client.get(f"{HERE}/explain", params={"path": path, "figure": figure})
        assert why.status_code == 200
        assert str(first["position"]) in why.text
