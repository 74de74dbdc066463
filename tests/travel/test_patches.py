"""Patches: applied by the book they make the one value of the other, and they say what moved and what changed."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulation_saas.projecting.patches import Touches, changes_between, leaves_of, patch_between
from tests.travel.patching import applied

scalars = st.none() | st.integers(-1, 2) | st.sampled_from(["", "a", "a/b", "~", "~1"])
names = st.sampled_from(["agency", "points", "a/b", "~0", "", "position"])
rows = st.lists(st.fixed_dictionaries({"agency": st.sampled_from("abcdef"), "points": st.integers(0, 3)}), max_size=6)
values = st.recursive(
    scalars | rows, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)


def patch_of(before: Any, after: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any JSON
    """Return a patch as it is sent."""
    patch: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(patch_between(before, after)))
    return patch


def spelled(value: Any) -> bytes:  # noqa: ANN401 - any JSON
    return msgspec.json.encode(value, order="sorted")


@settings(max_examples=500, deadline=None)
@given(before=values, after=values)
def test_patch_makes_the_one_of_the_other(before: Any, after: Any) -> None:  # noqa: ANN401 - any JSON
    assert spelled(applied(patch_of(before, after), before)) == spelled(after)


@given(value=values)
def test_what_is_the_same_needs_no_patch(value: Any) -> None:  # noqa: ANN401 - any JSON
    assert patch_of(value, value) == []


@settings(max_examples=200, deadline=None)
@given(before=values, after=values)
def test_every_operation_touches_something_of_either_side(before: Any, after: Any) -> None:  # noqa: ANN401 - any JSON
    there = leaves_of(before, "") | leaves_of(after, "")
    for change in changes_between(before, after):
        assert change.leaves
        assert {leaf.removesuffix("#") for leaf in change.leaves} <= {leaf.removesuffix("#") for leaf in there}


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ({"a": 1}, {"a": 2}, [{"op": "replace", "path": "/a", "value": 2}]),
        ({"a": 1}, {}, [{"op": "remove", "path": "/a"}]),
        ({}, {"a/b~": None}, [{"op": "add", "path": "/a~1b~0", "value": None}]),
        (None, {"a": 1}, [{"op": "replace", "path": "", "value": {"a": 1}}]),
        (True, 1, [{"op": "replace", "path": "", "value": 1}]),
        (["x", "y"], ["y"], [{"op": "remove", "path": "/0"}]),
        ([1, 2], [2], [{"op": "replace", "path": "", "value": [2]}]),
        (
            [{"agency": "a", "rank": 1}, {"agency": "b", "rank": 2}],
            [{"agency": "b", "rank": 1}, {"agency": "a", "rank": 2}],
            [
                {"op": "move", "path": "/0", "from": "/1"},
                {"op": "replace", "path": "/0/rank", "value": 1},
                {"op": "replace", "path": "/1/rank", "value": 2},
            ],
        ),
        (
            [{"agency": "a"}],
            [{"agency": "b"}, {"agency": "a"}],
            [{"op": "add", "path": "/0", "value": {"agency": "b"}}],
        ),
        (
            [{"agency": "a"}, {"agency": "a"}],
            [{"agency": "a"}],
            [{"op": "replace", "path": "", "value": [{"agency": "a"}]}],
        ),
    ],
)
def test_patch_is_the_one_that_a_reader_expects(before: Any, after: Any, patch: list[Any]) -> None:  # noqa: ANN401 - any JSON
    assert patch_of(before, after) == patch


places = st.frozensets(st.lists(st.sampled_from("ab"), max_size=3).map(lambda parts: "".join(f"/{p}" for p in parts)))


@given(steps=st.lists(places, max_size=5), asked=places)
def test_step_touches_what_it_lies_within_and_what_lies_within_it(
    steps: list[frozenset[str]], asked: frozenset[str]
) -> None:
    touches = Touches()
    for number, leaves in enumerate(steps):
        touches.add(number, leaves)
    assert touches.of(asked) == [
        number
        for number, leaves in enumerate(steps)
        if any(
            f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/") for one in leaves for other in asked
        )
    ]


def test_row_is_touched_by_what_concerns_it_and_by_nothing_else() -> None:
    row, other = frozenset({"/standings/ada/points"}), frozenset({"/standings/ben/points"})
    touches = Touches()
    steps = [row, other, frozenset({"/standings/ada"}), frozenset({"/standings#"}), frozenset({"/standings/adam"})]
    for number, leaves in enumerate(steps):
        touches.add(number, leaves)
    assert touches.of(row) == [0, 2]
    assert touches.of(frozenset({"/standings/ada"})) == [0, 2]
    assert touches.of(frozenset({"/standings"})) == [0, 1, 2, 4]
    assert touches.of(frozenset({"/standings#"})) == [3]
    assert touches.of(frozenset({"/pledge"})) == []
    assert touches.of(frozenset()) == []
