"""Names by date: what is called how, on which day."""

from collections.abc import Iterable
from datetime import date
from typing import TypeVar

import msgspec

from emulation_saas.projecting.views import Position

N = TypeVar("N", bound="NameFrom")


class NameFrom(msgspec.Struct, frozen=True, kw_only=True):
    """A name, and the day from which it is borne."""

    name: str
    effective_on: date
    position: Position


def borne_on(names: Iterable[N], day: date) -> N | None:
    """Return the name that is borne on a day: the last to take effect until then."""
    return max((name for name in names if name.effective_on <= day), key=lambda name: name.effective_on, default=None)
