"""Exact numbers: points as decimals, shares as fractions. A float never comes near a score."""

from decimal import Decimal
from typing import Annotated, Final

import msgspec
from msgspec import Meta

POINTS_PATTERN: Final = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?$(?!\n)"
POINTS_END: Final = 10**15
"""Points, and totals of points, are less than this: at most 15 digits stand before the point."""
INTEGER_MAX: Final = 2**53
"""Integers in events lie within this, either sign, so that every JSON reader sees the same number."""

PointsText = Annotated[str, Meta(pattern=POINTS_PATTERN, description="A decimal number as a string", examples=["18.5"])]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Year = Annotated[int, Meta(ge=1948, le=2200, description="Competition year", examples=[2023])]

_MICRO: Final = Decimal("0.000001")


def spell_points(points: Decimal) -> str:
    """Spell a decimal the one way the log knows: no exponent, no trailing zero, never `-0`.

    Raises:
        ValueError: it is not finite, has over 15 digits before or over 6 after the point.
    """
    text = str(points)
    if text.isdigit() and (text[0] != "0" or len(text) == 1) and len(text) <= 15:  # noqa: PLR2004 - the common case
        return text
    if not points.is_finite() or abs(points) >= POINTS_END or points % _MICRO:
        msg = f"not a decimal of at most 15 digits before and 6 after the point: {points}"
        raise ValueError(msg)
    text = format(points, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", "", "-"} else text


class Share(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fraction with 0 < num <= den, as in `{"num": 2, "den": 3}`."""

    num: Annotated[int, Meta(ge=1, le=1000)]
    den: Annotated[int, Meta(ge=1, le=1000)]
