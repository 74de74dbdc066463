"""What happened: an immutable fact with a stable type name, its tags and its subject.

Released types never change. A new shape is a new type; the old one says which type it became (`becomes`) and
how (`upcast`), and is read for ever.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import msgspec
from eventsourcing.dcb.domain import Decision

from emulation_saas.kernel.ids import BlocId, PersonId


class Visibility(Enum):
    """Who may read the events of a type; a property of the type, not of its bytes."""

    PUBLIC = "public"
    """Everybody with a role in the province."""
    PARTIES = "parties"
    """The actor, those who represent an agency or lead a bloc it names, and those who oversee the province."""
    COUNCIL = "council"
    """Those who oversee the province: its council, its administrators and its auditors."""
    SEALED = "sealed"
    """Nobody by role; it exists for the proof and for decisions."""


@dataclass(frozen=True)
class Personal:
    """Marks a field that is sealed before the bytes are made: `name: Annotated[str | None, Personal("person")]`.

    `subject` names the sibling field that holds the person's id. A reader sees None once the key is gone.
    """

    subject: str


class Official(msgspec.Struct, frozen=True, kw_only=True):
    """A person in an office, as a document names them."""

    person: PersonId
    name: Annotated[str | None, Personal("person")]
    office: str

    def is_same(self, asked: "Official") -> bool:
        """Compare name and office: the person's id may have been minted anew. An erased name contradicts no name."""
        return self.office == asked.office and self.name in {None, asked.name}


class Event(msgspec.Struct, Decision, frozen=True, kw_only=True):
    """A fact of one province. Its type's name is not part of its data."""

    type: ClassVar[str]
    visibility: ClassVar[Visibility]
    becomes: ClassVar[str | None] = None
    """For a type no longer written: the type that `upcast` gives."""

    def tags(self) -> list[str]:
        """Return the tags by which it is found: handles and opaque ids, never names."""
        raise NotImplementedError  # pragma: no cover - a law test shows that every type has its own

    def subject(self) -> str | None:
        """Return the path of what it is about; None for the province itself."""
        raise NotImplementedError  # pragma: no cover - a law test shows that every type has its own

    def upcast(self) -> "Event":
        """Return the same fact in the newest shape."""
        return self


class YearEvent(Event, frozen=True, kw_only=True):
    """A fact that belongs to a bloc's year."""

    bloc: BlocId
    year: int

    def tags(self) -> list[str]:
        """Return the tags of bloc and year; subclasses add theirs."""
        return [f"bloc:{self.bloc}", f"year:{self.bloc}/{self.year}"]

    def subject(self) -> str | None:
        """Return the bloc's year."""
        return f"blocs/{self.bloc}/years/{self.year}"


E_co = TypeVar("E_co", bound=Event, covariant=True)


class Recorded(msgspec.Struct, Generic[E_co], frozen=True, kw_only=True):
    """An event as it stands in the log: what, where, when, by whom."""

    event: E_co = msgspec.field(name="data")
    id: str
    """The position, spelled as the log spells it."""
    recorded_at: datetime = msgspec.field(name="recordedtime")
    time: datetime
    actor: str
    command_id: str = msgspec.field(name="commandid")
    causation_id: str | None = msgspec.field(name="causationid", default=None)

    @property
    def position(self) -> int:
        """Its place in the province's log, 1-based and gapless."""
        return int(self.id)

    @property
    def causation(self) -> int | None:
        """The position of the event that led to this one, where the command named one."""
        return None if self.causation_id is None else int(self.causation_id)


AnyRecorded = Recorded[Any]
