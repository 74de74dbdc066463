"""What `Retry-After` says is understood in both of its spellings, and nothing else is."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from emulation_saas.client.pauses import TOLD_MAX_S, Pauses, retry_after_s


@pytest.mark.parametrize(("told", "seconds"), [("0", 0.0), ("120", 120.0), (" 7 ", 7.0)])
def test_seconds_are_understood(told: str, seconds: float) -> None:
    assert retry_after_s({"retry-after": told}) == seconds


def test_date_is_understood() -> None:
    until = datetime.now(UTC) + timedelta(minutes=2)
    for told in (format_datetime(until, usegmt=True), format_datetime(until.replace(tzinfo=None))):
        assert retry_after_s({"retry-after": told}) == pytest.approx(120, abs=5)
    past = format_datetime(datetime(1994, 11, 15, tzinfo=UTC), usegmt=True)
    assert retry_after_s({"retry-after": past}) == 0.0


@pytest.mark.parametrize("told", ["", "soon", "-1", "1.5", "9" * 40, "٣"])
def test_anything_else_says_nothing(told: str) -> None:
    assert retry_after_s({"retry-after": told}) is None
    assert retry_after_s({}) is None


def test_nobody_is_sent_away_for_days() -> None:
    assert Pauses().next_s(10.0**8) <= TOLD_MAX_S + Pauses().least_s
