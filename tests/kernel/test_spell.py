"""Numbers, instants and handles are spelled one way."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation_saas.kernel.clock import day_of, parse_moment, spell_instant, spell_recorded, start_of
from emulation_saas.kernel.ids import HANDLE_PATTERN, PERSON_PATTERN, is_handle, mint_person
from emulation_saas.kernel.numbers import POINTS_PATTERN, spell_points

CANONICAL = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{0,5}[1-9])?")


@given(st.decimals(min_value=-(10**15) + 1, max_value=10**15 - 1, places=6, allow_nan=False, allow_infinity=False))
def test_points_are_spelled_canonically_and_exactly(points: Decimal) -> None:
    text = spell_points(points)
    assert CANONICAL.fullmatch(text)
    assert text != "-0"
    assert Decimal(text) == points


@given(st.from_regex(POINTS_PATTERN))
def test_what_a_body_may_say_can_be_spelled(text: str) -> None:
    assert Decimal(spell_points(Decimal(text))) == Decimal(text)


@pytest.mark.parametrize(
    ("points", "text"),
    [
        ("18.50", "18.5"),
        ("-0", "0"),
        ("0.000000", "0"),
        ("100", "100"),
        ("1E+2", "100"),
        ("-0.50", "-0.5"),
        ("007", "7"),
    ],
)
def test_points_have_one_spelling(points: str, text: str) -> None:
    assert spell_points(Decimal(points)) == text


@pytest.mark.parametrize("points", ["NaN", "Infinity", "1e15", "-1e15", "0.0000001", "1e-7"])
def test_points_out_of_bounds_are_refused(points: str) -> None:
    with pytest.raises(ValueError, match="not a decimal"):
        spell_points(Decimal(points))


def test_day_begins_at_midnight_in_vietnam() -> None:
    assert start_of(date(2024, 1, 30)) == datetime(2024, 1, 29, 17, tzinfo=UTC)
    assert day_of(datetime(2024, 1, 29, 17, tzinfo=UTC)) == date(2024, 1, 30)
    assert day_of(datetime(2024, 1, 29, 16, 59, 59, tzinfo=UTC)) == date(2024, 1, 29)


def test_instant_is_cut_to_the_second_and_not_rounded() -> None:
    instant = datetime(2024, 1, 30, 9, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=7)))
    assert spell_instant(instant) == "2024-01-30T02:00:00Z"
    assert spell_recorded(instant) == "2024-01-30T02:00:00.999999Z"


def test_early_years_keep_four_digits() -> None:
    assert spell_instant(datetime(33, 4, 3, tzinfo=UTC)) == "0033-04-03T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-01-30", datetime(2024, 1, 29, 17, tzinfo=UTC)),
        ("2024-01-30T09:00:00+07:00", datetime(2024, 1, 30, 2, tzinfo=UTC)),
        ("2024-01-30t02:00:00z", datetime(2024, 1, 30, 2, tzinfo=UTC)),
    ],
)
def test_moment_is_a_day_or_an_instant(text: str, instant: datetime) -> None:
    assert parse_moment(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024",
        "2024-02-30",
        "2024-01-30T09:00:00",
        "2024-01-30T09:00:00.5Z",
        "2024-01-30 ",
        "0001-01-01",
        "\uff12024-01-30",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2024-01-30T25:00:00Z",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_moment(text)


@pytest.mark.parametrize("text", ["a", "khoi-1", "a" * 40, "-"])
def test_handle_is_lower_case_digits_and_hyphens(text: str) -> None:
    assert is_handle(text)
    assert re.search(HANDLE_PATTERN, text)


@pytest.mark.parametrize("text", ["", "A", "a" * 41, "a\n", "á", "a b", "a/b", "a\0"])
def test_anything_else_is_no_handle(text: str) -> None:
    assert not is_handle(text)
    assert not re.search(HANDLE_PATTERN, text)


def test_minted_persons_differ_and_fit_their_pattern() -> None:
    minted = {mint_person() for _ in range(200)}
    assert len(minted) == 200
    assert all(re.search(PERSON_PATTERN, person) for person in minted)
