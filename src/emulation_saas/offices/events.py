"""Who heads a bloc in a year: an agency elected by a ballot, or appointed."""

from typing import ClassVar

from emulation_saas.kernel.authority import Office
from emulation_saas.kernel.events import Event, Visibility
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId


class OfficeEvent(Event, frozen=True, kw_only=True):
    """An office of a bloc went to an agency for a year; it replaces the earlier holder of that office and year."""

    bloc: BlocId
    for_year: int
    office: Office
    agency: AgencyId

    def tags(self) -> list[str]:
        """Return the tags of bloc, year served and agency."""
        return [f"bloc:{self.bloc}", f"year:{self.bloc}/{self.for_year}", f"agency:{self.agency}"]

    def subject(self) -> str | None:
        """Return the bloc's year that is served."""
        return f"blocs/{self.bloc}/years/{self.for_year}"


class OfficeElected(OfficeEvent, frozen=True, kw_only=True):
    """The members elected it by a ballot."""

    type: ClassVar[str] = "office.elected.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    ballot: BallotId

    def tags(self) -> list[str]:
        """Return the tags of bloc, year served, agency and ballot."""
        return [*super().tags(), f"ballot:{self.ballot}"]


class OfficeAppointed(OfficeEvent, frozen=True, kw_only=True):
    """The province appointed it."""

    type: ClassVar[str] = "office.appointed.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    authority: str
    document_no: str


EVENTS = (OfficeElected, OfficeAppointed)
