"""What one reader sees of a log: what his powers of now show him, and of that what he selected."""

from collections.abc import Collection, Hashable, Iterable
from typing import Annotated, Final, Protocol

import msgspec
from msgspec import Meta

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import AnyRecorded, Visibility
from emulation_saas.log import Entry

TYPES_MAX: Final = 50
"""Patterns of types that one selection may name."""
TAGS_MAX: Final = 10
"""Tags that one selection may name."""

TypePattern = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9.*-]{1,100}$",
        description="A type's name; `*` stands for any part of it",
        examples=["scoring.*"],
    ),
]
Tag = Annotated[str, Meta(pattern=r"^[a-z][a-z-]{0,39}:[a-z0-9/-]{1,200}$", examples=["bloc:tham-muu-1"])]


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which events somebody wants of those that he may see; the empty one wants them all."""

    types: Annotated[list[TypePattern], Meta(max_length=TYPES_MAX, description="One of these types; none: all")] = []
    tags: Annotated[list[Tag], Meta(max_length=TAGS_MAX, description="All of these tags")] = []

    def wants(self, type_name: str) -> bool:
        """Tell whether events of a type may be among them."""
        return not self.types or any(_fits(type_name, each) for each in self.types)


EVERYTHING: Final = Selection()


class Looking(Protocol):
    """What is asked of a log here."""

    def visibility_of(self, name: str) -> Visibility:
        """Return how visible the events of a type are."""
        ...

    def closed(self, entry: Entry) -> AnyRecorded:
        """Return the event of an entry with its personal fields left sealed."""
        ...


class Sight:
    """What one reader sees. To be made anew whenever his powers may have changed."""

    def __init__(self, log: Looking, may: Authority, selection: Selection = EVERYTHING) -> None:
        """Look at a log with these powers."""
        self._log = log
        self._may = may
        self._selection = selection
        self._tags = frozenset(selection.tags)
        self._by_type: dict[str, bool | None] = {}
        """What is known from a type alone; None: each of its events has to be looked into."""

    def shows(self, entry: Entry) -> bool:
        """Tell whether an event is shown."""
        try:
            shown = self._by_type[entry.type]
        except KeyError:
            shown = self._by_type[entry.type] = self._of_type(entry.type)
        return self._looked_into(entry) if shown is None else shown

    def shows_all(self, types: Iterable[str]) -> bool:
        """Tell whether every event of these types is shown."""
        return all(self._of_type(name) for name in types)

    def alike(self, actors: Collection[str]) -> Hashable:
        """Return what decides what is shown of events by these actors: equal for all who are shown the same."""
        may = self._may
        wanted = tuple(self._selection.types), tuple(self._selection.tags)
        if may.oversees:
            return wanted, True
        takes_part = may.represents or may.blocs or may.secretary_of or may.offices or may.expert_for
        if takes_part or not may.known or may.person in actors:
            return wanted, may
        return wanted, False  # only what is everybody's

    def _of_type(self, name: str) -> bool | None:
        visibility = self._log.visibility_of(name)
        may = self._may
        if not may.known or visibility is Visibility.SEALED or not self._selection.wants(name):
            return False
        if visibility is Visibility.COUNCIL and not may.oversees:
            return False
        if self._tags or (visibility is Visibility.PARTIES and not may.oversees):
            return None
        return True

    def _looked_into(self, entry: Entry) -> bool:
        recorded = self._log.closed(entry)
        if self._tags and not self._tags.issubset(recorded.event.tags()):
            return False
        return self._may.may_see(recorded.event, actor=recorded.actor)


def _fits(name: str, pattern: str) -> bool:
    """Tell whether a type's name is of a pattern, in one pass: as an expression, many `*` would take for ever."""
    first, *others = pattern.split("*")
    if not others:
        return name == pattern
    *between, last = others
    at = len(first)
    for part in between:
        found = name.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return name.startswith(first) and name.endswith(last) and at <= len(name) - len(last)
