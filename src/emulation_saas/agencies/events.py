"""What happens to an agency: it is registered under a permanent handle and bears names by date."""

from datetime import date
from typing import ClassVar

from msgspec import UNSET, UnsetType

from emulation_saas.kernel.events import Event, Visibility
from emulation_saas.kernel.ids import AgencyId


class AgencyEvent(Event, frozen=True, kw_only=True):
    """A fact about one agency."""

    agency: AgencyId

    def tags(self) -> list[str]:
        """Return the tag of the agency."""
        return [f"agency:{self.agency}"]

    def subject(self) -> str | None:
        """Return the agency."""
        return f"agencies/{self.agency}"


class AgencyRegistered(AgencyEvent, frozen=True, kw_only=True):
    """An agency became known to the province."""

    type: ClassVar[str] = "agency.registered.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    name: str
    aliases: list[str]
    code: str | UnsetType = UNSET
    effective_on: date


class AgencyRenamed(AgencyEvent, frozen=True, kw_only=True):
    """From a day on, the agency bears another name."""

    type: ClassVar[str] = "agency.renamed.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    name: str
    effective_on: date
    legal_basis: str


class AgencyAliasAdded(AgencyEvent, frozen=True, kw_only=True):
    """Documents also write the agency's name this way."""

    type: ClassVar[str] = "agency.alias-added.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    alias: str


EVENTS = (AgencyRegistered, AgencyRenamed, AgencyAliasAdded)
