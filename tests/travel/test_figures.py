"""What must hold of every figure of every projection, on any history."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulation_saas.agencies.events import AgencyRegistered
from emulation_saas.ballots.events import BallotOpened
from emulation_saas.blocs.events import BlocEstablished
from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.projecting.figures import Figure, FigureRule, Figures, reasons_of
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.provinces.events import ProvinceOpened
from emulation_saas.years.events import YearOpened
from projections import PROJECTIONS
from tests.projections.histories import histories
from tests.projections.test_laws import by_hand

every_projection = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
law = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
days = st.sampled_from([date(2009, 1, 1), date(2022, 6, 1), date(2023, 12, 31), date(2024, 6, 1), date(2031, 1, 1)])
CREATING: Final = (ProvinceOpened, AgencyRegistered, BlocEstablished, YearOpened, BallotOpened)
"""The events without which there is no document to have figures."""

encode: Final = msgspec.json.Encoder(decimal_format="string").encode


def documents(
    projection: AnyProjection, history: Sequence[AnyRecorded], day: date
) -> Iterator[tuple[str, int, Figures]]:
    """Give each document's key, position and figures."""
    for key, (state, position) in by_hand(projection, history).items():
        yield key, position, projection.figures(state, day)


@every_projection
@law
@given(history=histories, day=days)
def test_figure_rests_on_events_that_its_document_has_read(
    projection: AnyProjection, history: list[AnyRecorded], day: date
) -> None:
    by_position = {each.position: each for each in history}
    for key, position, figures in documents(projection, history, day):
        for name in figures:
            reasons = reasons_of(figures, name)
            assert reasons
            assert reasons == sorted(set(reasons))
            assert reasons[-1] <= position
            for reason in reasons:
                assert isinstance(by_position[reason].event, projection.reads)
                assert key in projection.keys_of(by_position[reason])


@every_projection
@law
@given(history=histories, day=days)
def test_inputs_of_a_figure_are_figures_and_lead_nowhere_back(
    projection: AnyProjection, history: list[AnyRecorded], day: date
) -> None:
    for _, _, figures in documents(projection, history, day):
        for name, figure in figures.items():
            below = list(figure.inputs)
            while below:
                each = below.pop()
                assert each != name
                below += figures[each].inputs


@every_projection
@law
@given(history=histories, day=days)
def test_sum_is_the_sum_of_its_inputs_and_count_their_number(
    projection: AnyProjection, history: list[AnyRecorded], day: date
) -> None:
    for _, _, figures in documents(projection, history, day):
        for figure in figures.values():
            values = [figures[each].value for each in figure.inputs]
            if figure.rule.op == "sum":
                assert Decimal(figure.value) == sum((Decimal(value) for value in values), Decimal(0))
            if figure.rule.op == "count":
                assert figure.value == len(values)
            if figure.rule.op == "rank":
                assert 1 <= figure.value <= len(values)


@every_projection
@law
@given(history=histories, day=days, data=st.data())
def test_what_a_figure_rests_on_is_enough_to_have_it(
    projection: AnyProjection, history: list[AnyRecorded], day: date, data: st.DataObject
) -> None:
    """Why-provenance: folded from those events alone, and those that create documents, it has the same value."""
    for key, _, figures in documents(projection, history, day):
        if not figures:
            continue
        name = data.draw(st.sampled_from(sorted(figures)))
        reasons = set(reasons_of(figures, name))
        few = [each for each in history if each.position in reasons or isinstance(each.event, CREATING)]
        state, _ = by_hand(projection, few)[key]
        assert encode(projection.figures(state, day)[name].value) == encode(figures[name].value)


@every_projection
@law
@given(history=histories, day=days)
def test_figure_can_be_written_and_its_rule_is_named(
    projection: AnyProjection, history: list[AnyRecorded], day: date
) -> None:
    for _, _, figures in documents(projection, history, day):
        for name, figure in figures.items():
            encode(figure.value)
            assert len(name) <= 190
            rule, _, version = figure.rule.name.partition("@")
            assert rule.startswith(f"{projection.name}.")
            assert version.isdecimal()
            assert figure.rule.meaning


@every_projection
def test_figure_that_is_not_there_rests_on_nothing(projection: AnyProjection) -> None:
    assert projection.reasons(projection.initial(), "khac", date(2024, 1, 1)) == []


def test_reasons_of_a_figure_are_those_of_its_inputs_too_each_once() -> None:
    rule = FigureRule("a@1", "a")
    figures = {
        "top": Figure(1, rule, at=(9,), inputs=("left", "right")),
        "left": Figure(1, rule, at=(3,), inputs=("leaf",)),
        "right": Figure(1, rule, inputs=("leaf",)),
        "leaf": Figure(1, rule, at=(1, 3)),
    }
    assert reasons_of(figures, "top") == [1, 3, 9]
    assert reasons_of(figures, "right") == [1, 3]
    assert reasons_of(figures, "none") == []


def test_rules_are_told_apart_and_every_op_is_some_rule_s() -> None:
    modules = [import_module(type(projection).__module__) for projection in PROJECTIONS]
    rules = [rule for module in modules for rule in vars(module).values() if isinstance(rule, FigureRule)]
    assert len({rule.name for rule in rules}) == len(rules)
    assert {rule.op for rule in rules} == {None, "sum", "count", "rank", "latest"}
