"""What was done about personal data: persons erased or on hold, a day of the access log digested."""

from datetime import date
from typing import ClassVar

from emulation_saas.kernel.events import Event, Visibility
from emulation_saas.kernel.ids import PersonId


class _PersonEvent(Event, frozen=True, kw_only=True):
    """A fact about one person's data."""

    person: PersonId

    def tags(self) -> list[str]:
        """Return the tag of the person."""
        return [f"person:{self.person}"]

    def subject(self) -> str | None:
        """Return the person."""
        return f"persons/{self.person}"


class PersonErased(_PersonEvent, frozen=True, kw_only=True):
    """The personal keys of a person came to their end. Public, so that holders of copies know to delete theirs."""

    type: ClassVar[str] = "privacy.person-erased.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    kids: list[str]
    """Ids of the keys, sorted; at least one."""
    legal_basis: str
    document_no: str


class HoldPlaced(_PersonEvent, frozen=True, kw_only=True):
    """A person's data must be kept for now: retention by law, or a case that is open."""

    type: ClassVar[str] = "privacy.hold-placed.v1"
    visibility: ClassVar[Visibility] = Visibility.COUNCIL
    legal_basis: str
    because: str


class HoldLifted(_PersonEvent, frozen=True, kw_only=True):
    """A person's data need not be kept any longer."""

    type: ClassVar[str] = "privacy.hold-lifted.v1"
    visibility: ClassVar[Visibility] = Visibility.COUNCIL
    because: str


class AccessLogDigested(Event, frozen=True, kw_only=True):
    """A finished day of the access log was digested; its lines can no longer be changed unseen."""

    type: ClassVar[str] = "privacy.access-log-digested.v1"
    visibility: ClassVar[Visibility] = Visibility.COUNCIL
    day: date
    """Counted in Vietnam."""
    entries: int
    sha256: str
    """In hex, over the day's lines as `privacy.access_log` spells them."""

    def tags(self) -> list[str]:
        """Return the tag of the day."""
        return [f"day:{self.day}"]

    def subject(self) -> str | None:
        """Return the day of the access log."""
        return f"access-log/{self.day}"


EVENTS = (PersonErased, HoldPlaced, HoldLifted, AccessLogDigested)
