"""What must hold of every projection, on any history: one fold, whatever is made from it."""
# ruff: noqa: ANN401 - states are of any type here

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.kernel.ids import BallotId, DisputeId
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.projecting.folding import Documents, Folded, fold, fold_keeping, poisons, written
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.projecting.views import Asked, Document, View, Where
from projections import PROJECTIONS
from projections.timeline import Timeline
from tests.projections.histories import AGENCIES, BLOCS, OFFICER_NAME, YEARS, chosen, histories
from tests.scenario import ADMIN

every_projection = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
law = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TODAY: Final = date(2024, 6, 1)

States = dict[str, tuple[Any, int]]


def refuse(text: str) -> float:
    raise AssertionError(text)


without_floats: Final = msgspec.json.Decoder(float_hook=refuse)


def by_hand(projection: AnyProjection, history: Sequence[AnyRecorded]) -> States:
    """Fold as a reader would who knows `evolve` only."""
    states: States = {}
    for recorded in history:
        if isinstance(recorded.event, projection.reads):
            for key in projection.keys_of(recorded):
                state, _ = states.get(key, (projection.initial(), 0))
                states[key] = (projection.evolve(state, recorded), recorded.position)
    return states


def states_of(documents: Documents) -> States:
    return {key: (folded.state, folded.position) for key, folded in documents.items()}


def folded(projection: AnyProjection, history: Sequence[AnyRecorded]) -> States:
    documents: Documents = {}
    fold(projection, documents, history)
    return states_of(documents)


def restored(projection: AnyProjection, documents: Documents) -> Documents:
    """Return documents as they come back from the database."""
    return {
        stored.key: Folded(projection.decode(stored.document), position=stored.position)
        for stored in written(projection, documents, documents)
    }


def asked(view: View[Any], where: Where, *, through: int) -> Asked:
    del view
    return Asked(where=where, may=ADMIN, valid_on=TODAY, names={}, through=through, limit=7)


def answers(projection: AnyProjection, states: States, *, through: int) -> dict[str, Document | None]:
    """Return the answers of all views, for every place that a history speaks of."""
    found: dict[str, Document | None] = {}
    wheres = [
        Where(bloc=bloc, year=year, agency=agency, ballot=BallotId("b-0"), dispute=DisputeId("d-0"))
        for bloc in BLOCS
        for year in YEARS
        for agency in AGENCIES[:2]
    ]
    for view in projection.views:
        for where in wheres:
            ask = asked(view, where, through=through)
            scope = view.scope(ask)
            within = {key: states[key][0] for key in sorted(states) if scope.first <= key <= scope.last}
            found[f"{view.path} {where}"] = view.answer(dict(list(within.items())[: scope.documents_max]), ask)
    return found


@every_projection
@law
@given(history=histories)
def test_batches_do_not_matter(projection: AnyProjection, history: list[AnyRecorded]) -> None:
    expected = by_hand(projection, history)
    for size in (1, 7, 1000):
        documents: Documents = {}
        for first in range(0, len(history), size):
            fold(projection, documents, history[first : first + size])
            documents = restored(projection, documents)
        assert states_of(documents) == expected


@every_projection
@law
@given(history=histories)
def test_state_survives_its_bytes_and_their_order(projection: AnyProjection, history: list[AnyRecorded]) -> None:
    for state, _ in by_hand(projection, history).values():
        document = projection.encode(state)
        assert projection.decode(document) == state
        assert projection.encode(projection.decode(document)) == document


@every_projection
@law
@given(history=histories, data=st.data())
def test_past_is_the_fold_of_what_was_recorded_then(
    projection: AnyProjection, history: list[AnyRecorded], data: st.DataObject
) -> None:
    position = data.draw(st.integers(0, len(history)))
    past = history[:position]
    expected = by_hand(projection, past)
    for key, (state, at) in expected.items():
        selected = chosen(past, Selector(types=list(projection.reads), tags=projection.tags_of(key)))
        assert folded(projection, selected)[key] == (state, at)


@every_projection
@law
@given(history=histories)
def test_events_of_a_document_bear_its_tags(projection: AnyProjection, history: list[AnyRecorded]) -> None:
    for recorded in history:
        if isinstance(recorded.event, projection.reads):
            for key in projection.keys_of(recorded):
                assert set(projection.tags_of(key)) <= set(recorded.event.tags())


@every_projection
@law
@given(history=histories, data=st.data())
def test_snapshot_and_what_came_after_is_now(
    projection: AnyProjection, history: list[AnyRecorded], data: st.DataObject
) -> None:
    position = data.draw(st.integers(0, len(history)))
    documents: Documents = {}
    fold(projection, documents, history[:position])
    documents = restored(projection, documents)
    fold(projection, documents, history[position:])
    assert states_of(documents) == by_hand(projection, history)


@every_projection
@law
@given(history=histories)
def test_nothing_personal_and_no_float_is_stored(projection: AnyProjection, history: list[AnyRecorded]) -> None:
    for state, _ in by_hand(projection, history).values():
        document = projection.encode(state)
        assert OFFICER_NAME not in document.decode()
        without_floats.decode(document)


@every_projection
@law
@given(history=histories)
def test_every_answer_can_be_written_and_says_what_its_type_says(
    projection: AnyProjection, history: list[AnyRecorded]
) -> None:
    for document in answers(projection, by_hand(projection, history), through=len(history)).values():
        if document is not None:
            body = msgspec.json.encode(document)
            assert msgspec.json.encode(msgspec.json.decode(body, type=type(document))) == body
            without_floats.decode(body)


@every_projection
@law
@given(history=histories, data=st.data())
def test_answer_rests_on_its_documents_only(
    projection: AnyProjection, history: list[AnyRecorded], data: st.DataObject
) -> None:
    """Events that a view's tags do not select change nothing in its answer."""
    position = data.draw(st.integers(0, len(history)))
    past = history[:position]
    whole = answers(projection, by_hand(projection, past), through=position)
    for view in projection.views:
        where = Where(
            bloc=BLOCS[0], year=YEARS[0], agency=AGENCIES[0], ballot=BallotId("b-0"), dispute=DisputeId("d-0")
        )
        scope = view.scope(asked(view, where, through=position))
        if scope.is_one:
            scope = replace(scope, tags=tuple(projection.tags_of(scope.first)))
        selected = chosen(past, Selector(types=list(projection.reads), tags=scope.tags))
        alone = answers(projection, by_hand(projection, selected), through=position)
        assert alone[f"{view.path} {where}"] == whole[f"{view.path} {where}"]


@law
@given(history=histories, data=st.data())
def test_timeline_of_the_past_can_be_read_from_now(history: list[AnyRecorded], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(history)))
    then = answers(Timeline(), by_hand(Timeline(), history[:position]), through=position)
    now = answers(Timeline(), by_hand(Timeline(), history), through=position)
    assert now == then


@law
@given(history=histories, size=st.integers(1, 40), every=st.integers(1, 9))
def test_snapshots_on_the_way_are_the_past(history: list[AnyRecorded], size: int, every: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("emulation_saas.projecting.folding.SNAPSHOT_EVERY", every)
        for projection in PROJECTIONS:
            documents: Documents = {}
            kept: dict[int, bytes] = {}
            for after in range(0, len(history), size):
                part = history[after : after + size]
                read = [each for each in part if isinstance(each.event, projection.reads)]
                through = part[-1].position
                _, snapshots = fold_keeping(projection, documents, read, after=after, through=through)
                kept |= {snapshot.position: snapshot.document for snapshot in snapshots}
            assert states_of(documents) == by_hand(projection, history)
            for position, document in kept.items():
                ((state, _),) = by_hand(projection, history[:position]).values()
                assert projection.decode(document) == state
            if projection.is_province_wide:
                first = next(each.position for each in history if isinstance(each.event, projection.reads))
                assert set(kept) == {at for at in range(every, len(history) + 1, every) if at >= first}


@law
@given(history=histories, data=st.data())
def test_poisoned_event_stops_its_document_and_nothing_else(history: list[AnyRecorded], data: st.DataObject) -> None:
    """Whatever the batches are, each document takes what came before its poison, and the others take everything."""
    for projection in PROJECTIONS:
        read = [each.position for each in history if isinstance(each.event, projection.reads)]
        if not read:
            continue
        bad = data.draw(st.sampled_from(read))
        poisoned = _Poisoned(projection, bad)
        size = data.draw(st.integers(1, 50))
        documents: Documents = {}
        found: set[tuple[str, int]] = set()
        for first in range(0, len(history), size):
            touched = fold(poisoned, documents, history[first : first + size])  # type: ignore[arg-type] # it acts as one
            found |= {(poison.key, poison.position) for poison in poisons(projection, documents, touched)}
        keys = set(projection.keys_of(history[bad - 1]))
        assert found == {(key, bad) for key in keys}
        whole, before = by_hand(projection, history), by_hand(projection, history[: bad - 1])
        for key, (state, at) in states_of(documents).items():
            assert (state, at) == (before.get(key, (projection.initial(), 0)) if key in keys else whole[key])


class _Poisoned:
    """A projection that cannot fold one event."""

    def __init__(self, projection: AnyProjection, position: int) -> None:
        self._projection = projection
        self._position = position

    def __getattr__(self, name: str) -> Any:
        return getattr(self._projection, name)

    def evolve(self, state: Any, recorded: AnyRecorded) -> Any:
        if recorded.position == self._position:
            raise KeyError(recorded.position)
        return self._projection.evolve(state, recorded)
