"""Positions are watched by the client itself."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation_saas.client.faults import MissingPositionError, RepeatedPositionError
from emulation_saas.client.track import Track


def test_every_position_in_order_is_taken() -> None:
    track = Track(3, gapless=True)
    for position in range(4, 20):
        track.take(position)
    track.pass_over(19)
    assert track.position == 19


def test_missing_position_is_named() -> None:
    track = Track(3, gapless=True)
    track.take(4)
    with pytest.raises(MissingPositionError) as raised:
        track.take(6)
    assert (raised.value.expected, raised.value.came) == (5, 6)
    with pytest.raises(MissingPositionError):
        track.pass_over(5)
    assert track.position == 4


@pytest.mark.parametrize("gapless", [True, False])
@pytest.mark.parametrize("came", [1, 3, 4])
def test_position_does_not_come_twice_or_late(came: int, *, gapless: bool) -> None:
    track = Track(3, gapless=gapless)
    track.take(4)
    with pytest.raises(RepeatedPositionError):
        track.take(came)
    with pytest.raises(RepeatedPositionError):
        track.pass_over(came - 1)


def test_selection_may_leave_out_and_says_how_far_it_looked() -> None:
    track = Track(0, gapless=False)
    track.take(5)
    track.pass_over(100)
    with pytest.raises(RepeatedPositionError):
        track.take(100)
    track.take(101)


@given(lost=st.sets(st.integers(1, 50), min_size=1, max_size=5), last=st.just(51))
def test_no_loss_passes_where_every_position_is_to_come(lost: set[int], last: int) -> None:
    track = Track(0, gapless=True)
    came = [position for position in range(1, last + 1) if position not in lost]
    with pytest.raises(MissingPositionError) as raised:
        deque(map(track.take, came), maxlen=0)
    assert raised.value.expected == min(lost)
