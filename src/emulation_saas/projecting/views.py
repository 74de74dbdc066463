"""What is asked of documents: under which path, by whom, on which day, and which document answers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Final, Generic, TypeVar, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event, Official
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId, DisputeId, PersonId

S = TypeVar("S")

WHOLE: Final = "all"
"""The key of the one document of a province-wide projection."""
KEY_END: Final = "~"
"""Sorts after every character of a handle and after `/`."""

Position = Annotated[int, Meta(ge=1, description="Position in the province's log of the event this rests on")]
Act = tuple[int, PersonId]
"""That somebody did something: the position, and who."""
Names = Mapping[tuple[int, PersonId], str | None]
"""Names of officials, by the position of the event that names them. None once the person's key is gone."""


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """The document stands still: the event at this position could not be folded into it."""

    position: Annotated[int, Meta(ge=1)]
    reason: str


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. Absent optionals are omitted; numbers of points are strings."""

    quarantined: Quarantined | UnsetType = UNSET
    """Only there when something is wrong: the document is served as it was before that position."""
    redacted: (
        Annotated[list[str], Meta(description="JSON pointers to the names here that are null as they were erased")]
        | UnsetType
    ) = UNSET


class Listing(Document, frozen=True, kw_only=True):
    """A page of a list. Without `next` it is the last one."""

    next: Annotated[str, Meta(description="The cursor of the next page")] | UnsetType = UNSET


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person in an office, as the document named them; the name is null once it was erased."""

    person: PersonId
    name: str | None
    office: str


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of a view's path; those that its path does not name are empty."""

    bloc: BlocId = BlocId("")
    year: int = 0
    agency: AgencyId = AgencyId("")
    ballot: BallotId = BallotId("")
    dispute: DisputeId = DisputeId("")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Everything that a document is made from but the state."""

    where: Where
    may: Authority
    valid_on: date
    """The calendar day, in Vietnam, on which names, memberships and offices are asked for."""
    names: Names
    powers: Mapping[Act, Authority] = field(default_factory=dict[Act, Authority])
    """What those might do, when they did it, whose acts the view tells."""
    through: int
    """The position at which the answer is true."""
    after: str = ""
    """Where a page begins: after this handle, or this position. Empty: at the beginning."""
    limit: int = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Which documents a view is made from: those whose keys lie between two keys, both included."""

    first: str
    last: str
    tags: tuple[str, ...] = ()
    """Tags that all events of these documents bear. For one document its projection knows them."""
    documents_max: int = 1000

    @property
    def is_one(self) -> bool:
        """Whether it is exactly one document."""
        return self.first == self.last


def everybody(where: Where, may: Authority) -> bool:
    """Tell whether a public document may be read: by anybody with a role in the province."""
    del where
    return may.known


def parties(where: Where, may: Authority) -> bool:
    """Tell whether a bloc's own document may be read: by its parties, and by those who oversee the province."""
    return may.known and (may.oversees or may.is_party_to(where.bloc))


def overseers(where: Where, may: Authority) -> bool:
    """Tell whether what is of all blocs may be read: by those who oversee the province."""
    del where
    return may.known and may.oversees


def reminded(where: Where, may: Authority) -> bool:
    """Tell whether what is due in a bloc may be read: by its parties, and by integrators, who remind them."""
    return parties(where, may) or may.is_integrator


def reminded_everywhere(where: Where, may: Authority) -> bool:
    """Tell whether what is due in all blocs may be read."""
    return overseers(where, may) or may.is_integrator


@dataclass(frozen=True, kw_only=True)
class View(ABC, Generic[S]):
    """One resource that is answered from documents."""

    path: str
    """Below `/v1/provinces/{province}`."""
    summary: str
    document: type[Document]
    key: str
    """The keys of the documents that it is made from, with the path's parameters: `{bloc}/{year}`. Where it is made
    from several, the last part has a name of its own."""
    about: str = ""
    """Which of their figures are its own: the one of this name and those below it, all by default: `{year}`."""
    may_read: Callable[[Where, Authority], bool] = everybody
    is_dated: bool = False
    """Whether the answer depends on `valid_on`."""
    is_paged: bool = False
    """Whether it answers in pages; its document has a field `next`."""
    is_append_only: bool = False
    """Whether what its documents said at a position can be read from what they say now, by `Asked.through`."""
    is_personal: bool = False
    """Whether the answer depends on who asks, beyond whether he may."""
    persons: tuple[type[Event], ...] = ()
    """The events whose officials it names. Names are no part of a state: they are opened from the log when read."""

    acts: Callable[[Mapping[str, S], Where], Collection[Act]] | None = None
    """The acts that it tells with the powers by which they were done; those are folded from the log when read."""

    @abstractmethod
    def scope(self, asked: Asked) -> Scope:
        """Return which documents it is made from."""

    @abstractmethod
    def answer(self, states: Mapping[str, S], asked: Asked) -> Document | None:
        """Return the answer made from these documents' states, or None where there is nothing to answer."""


@dataclass(frozen=True, kw_only=True)
class DocumentView(View[S]):
    """What is answered from one document."""

    render: Callable[[S, Asked], Document | None]

    def scope(self, asked: Asked) -> Scope:
        """Return the one key."""
        key = spelled(self.key, asked.where)
        return Scope(first=key, last=key)

    def answer(self, states: Mapping[str, S], asked: Asked) -> Document | None:
        """Return the document as it is shown, or None where it does not exist."""
        state = states.get(spelled(self.key, asked.where))
        return None if state is None else self.render(state, asked)


@dataclass(frozen=True, kw_only=True)
class CollectionView(View[S]):
    """What is answered from several documents, in the order of their keys."""

    spans: Callable[[Asked], Scope]
    render: Callable[[Mapping[str, S], Asked], Document | None]

    def scope(self, asked: Asked) -> Scope:
        """Return the span of keys."""
        return self.spans(asked)

    def answer(self, states: Mapping[str, S], asked: Asked) -> Document | None:
        """Return what is made from all of them."""
        return self.render(states, asked)


def spelled(template: str, where: Where) -> str:
    """Return a path, key or figure with the parameters in their places."""
    return template.format_map(msgspec.structs.asdict(where))


def page_below(folder: str, tag: str, asked: Asked) -> Scope:
    """Return a page of the documents whose keys are a folder and a handle, and one more than it shows.

    Args:
        folder: ends with `/`.
        tag: that all events of these documents bear.
        asked: says after which handle the page begins, and how long it is.
    """
    first = (
        f"{folder}{asked.after} " if asked.after else folder
    )  # a space sorts before all that a handle may go on with
    return Scope(first=first, last=f"{folder}{KEY_END}", tags=(tag,), documents_max=asked.limit + 1)


def officials_of(event: Event) -> list[Official]:
    """Return the officials that an event names."""
    parts: list[object] = []
    for value in msgspec.structs.asdict(event).values():
        parts += cast("list[object]", value) if isinstance(value, list) else [value]
    return [part for part in parts if isinstance(part, Official)]
