"""Who may read what: every view by every role, in one table; a view that is not in it fails."""

from typing import Final

import pytest

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Visibility
from emulation_saas.kernel.ids import OPERATOR, AgencyId, BlocId
from projections import PROJECTIONS
from projections.timeline import Entry, Timeline, may_see
from tests.builders import AGENCY, BLOC, FULL_SAMPLES, SAMPLES, YEAR
from tests.projections.histories import recorded
from tests.projections.questions import DAY, HERE, answered, place
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, SOMEBODY, representing, secretary_of

ROLES: Final[dict[str, Authority]] = {
    "nobody": NOBODY,
    "operator": Authority(person=OPERATOR, is_operator=True),
    "integrator": Authority(person=SOMEBODY, known=True, is_integrator=True),
    "member": representing(AGENCY, blocs=[BLOC]),
    "member elsewhere": representing("khac", blocs=["khoi-khac"]),
    "expert": Authority(person=SOMEBODY, known=True, expert_for=frozenset({f"{BLOC}/cai-cach"})),
    "expert elsewhere": Authority(person=SOMEBODY, known=True, expert_for=frozenset({"khoi-khac/cai-cach"})),
    "secretary": secretary_of(BLOC),
    "secretary elsewhere": secretary_of("khoi-khac"),
    "head": Authority(person=SOMEBODY, known=True, offices=frozenset({(BLOC, YEAR, "head")})),
    "admin": ADMIN,
    "council": COUNCIL,
    "auditor": AUDITOR,
}
EVERYBODY: Final = set(ROLES) - {"nobody", "operator"}
OVERSEERS: Final = {"admin", "council", "auditor"}
PARTIES: Final = {"member", "expert", "secretary", "head", "admin", "council", "auditor"}
BLOC_YEAR: Final = "/blocs/{bloc}/years/{year}"
TABLE: Final[dict[str, set[str]]] = {
    "/": EVERYBODY,
    "/agencies": EVERYBODY,
    "/agencies/{agency}": EVERYBODY,
    "/blocs": EVERYBODY,
    "/blocs/{bloc}": EVERYBODY,
    "/blocs/{bloc}/offices": EVERYBODY,
    "/blocs/{bloc}/years": EVERYBODY,
    BLOC_YEAR: EVERYBODY,
    f"{BLOC_YEAR}/pledge": EVERYBODY,
    f"{BLOC_YEAR}/offices": EVERYBODY,
    f"{BLOC_YEAR}/standings": PARTIES,
    f"{BLOC_YEAR}/ratings": PARTIES,
    f"{BLOC_YEAR}/ballots": PARTIES,
    f"{BLOC_YEAR}/ballots/{{ballot}}/tally": PARTIES,
    f"{BLOC_YEAR}/nominations": PARTIES,
    f"{BLOC_YEAR}/deadlines": PARTIES | {"integrator"},
    "/deadlines": OVERSEERS | {"integrator"},
    f"{BLOC_YEAR}/disputes": PARTIES,
    f"{BLOC_YEAR}/disputes/{{dispute}}": PARTIES,
    f"{BLOC_YEAR}/timeline": PARTIES,
}
VIEWS: Final = {view.path: view for projection in PROJECTIONS for view in projection.views}


def test_table_names_every_view() -> None:
    assert set(TABLE) == set(VIEWS)


@pytest.mark.parametrize("path", TABLE)
def test_view_is_read_by_these_roles_and_no_other(path: str) -> None:
    assert {role for role, may in ROLES.items() if VIEWS[path].may_read(HERE, may)} == TABLE[path]


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
def test_document_shows_nothing_that_its_readers_may_not_see(projection: object) -> None:
    """A document for everybody rests on public events only, one for parties on nothing more secret than theirs."""
    for each in PROJECTIONS:
        if each is not projection or each.name == "timeline":  # which is filtered entry by entry
            continue
        seen = {event_type.visibility for event_type in each.reads}
        for view in each.views:
            allowed = {Visibility.PUBLIC} if TABLE[view.path] == EVERYBODY else {Visibility.PUBLIC, Visibility.PARTIES}
            assert seen <= allowed


def test_timeline_tells_each_caller_what_the_event_itself_would_let_him_see() -> None:
    for sample in (*SAMPLES.values(), *FULL_SAMPLES.values()):
        if type(sample) in Timeline.reads:
            (told,) = recorded([sample], actor="p-khacnguoi2")
            entry = Entry(told.position, sample.type, told.time, told.recorded_at, told.actor, sample.tags())
            for role, may in ROLES.items():
                assert may_see(entry, may) == may.may_see(sample, actor=told.actor), (role, sample.type)


def test_timeline_shows_no_type_that_is_no_longer_known() -> None:
    (told,) = recorded([SAMPLES[Timeline.reads[0]]])
    entry = Entry(told.position, "year.forgotten.v1", told.time, told.recorded_at, told.actor, [f"bloc:{BLOC}"])
    assert not may_see(entry, ADMIN)


def test_timeline_leaves_out_what_the_caller_may_not_see() -> None:
    stranger = representing(AGENCY)
    events = [
        SAMPLES[event_type] for event_type in Timeline.reads if f"year:{BLOC}/{YEAR}" in SAMPLES[event_type].tags()
    ]
    shown = answered(Timeline(), *events, path="/timeline", may=stranger)["events"]
    visible = [event.type for event in events if stranger.may_see(event, actor="p-nguoighi22")]
    assert [event["type"] for event in shown] == visible
    assert 0 < len(visible) < len(events)


def test_timeline_reads_everything_that_belongs_to_a_year() -> None:
    of_years = {
        event_type
        for event_type, sample in [*SAMPLES.items(), *FULL_SAMPLES.items()]
        if any(tag.startswith("year:") for tag in sample.tags())
    }
    assert of_years == set(Timeline.reads)


def test_figure_of_a_timeline_is_an_entry() -> None:
    (told,) = recorded([SAMPLES[Timeline.reads[0]]], first=7)
    state = Timeline().evolve(Timeline().initial(), told)
    assert (Timeline().reasons(state, "7", DAY), Timeline().reasons(state, "8", DAY)) == ([7], [])


def test_place_that_is_no_ones_is_nobodys() -> None:
    assert not VIEWS[f"{BLOC_YEAR}/standings"].may_read(place(bloc=""), representing(AgencyId(""), blocs=[BlocId("x")]))
