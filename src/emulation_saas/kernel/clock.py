"""Instants and calendar days: UTC inside, Asia/Ho_Chi_Minh where people count days."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from time import monotonic
from typing import Final

VIETNAM: Final = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""Fixed since 1975 and without summer time, so no time zone database is needed."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")


def utc_now() -> datetime:
    """Return this machine's clock. Only the edges may call it; decisions are given their `now`."""
    return datetime.now(UTC)


def aged(clock: datetime, read_at_s: float) -> datetime:
    """Return what a clock shows now by what it showed at a moment of the monotonic clock: it may have jumped since."""
    return clock + timedelta(seconds=monotonic() - read_at_s)


def day_of(instant: datetime) -> date:
    """Return the calendar day of an instant, where the provinces are."""
    return instant.astimezone(VIETNAM).date()


def start_of(day: date) -> datetime:
    """Return the instant at which a calendar day begins in Vietnam."""
    return datetime(day.year, day.month, day.day, tzinfo=VIETNAM).astimezone(UTC)


@lru_cache(maxsize=256)
def spell_instant(instant: datetime) -> str:
    """Spell an instant to the second, cut and not rounded: `2024-01-30T02:00:00Z`."""
    return f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


@lru_cache(maxsize=256)
def spell_recorded(instant: datetime) -> str:
    """Spell an instant with the six fraction digits that only `recordedtime` has."""
    return f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def parse_moment(text: str) -> datetime:
    """Read a day (its start in Vietnam) or an RFC 3339 instant without a fraction.

    Raises:
        ValueError: it is neither, or it names no real day.
    """
    try:
        if _DAY.fullmatch(text):
            return start_of(date.fromisoformat(text))
        if _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error
    msg = f"neither a day nor an instant without a fraction: {text!r}"
    raise ValueError(msg)
