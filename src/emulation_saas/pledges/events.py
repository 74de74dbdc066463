"""What happens to a bloc's pledge of the year: a text, and the signature of each member's named officer."""

from typing import ClassVar

from emulation_saas.kernel.events import Official, Visibility, YearEvent
from emulation_saas.kernel.ids import AgencyId


class PledgeDrafted(YearEvent, frozen=True, kw_only=True):
    """The pledge has this text; it may be replaced until somebody signs."""

    type: ClassVar[str] = "pledge.drafted.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    text: str


class PledgeSigned(YearEvent, frozen=True, kw_only=True):
    """A member signed the pledge by its officer."""

    type: ClassVar[str] = "pledge.signed.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    agency: AgencyId
    signed_by: Official

    def tags(self) -> list[str]:
        """Return the tags of bloc, year, agency and officer."""
        return [*super().tags(), f"agency:{self.agency}", f"person:{self.signed_by.person}"]


EVENTS = (PledgeDrafted, PledgeSigned)
