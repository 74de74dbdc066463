"""The closed registry of event types: a name stands for a shape, for ever. Nothing is imported by a stored name."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar, cast

import msgspec

from emulation_saas.kernel.events import AnyRecorded, Event, Recorded
from emulation_saas.log.events import Unknown
from emulation_saas.log.shapes import Shape, shape_of

E = TypeVar("E", bound=Event)


class UnknownTypeError(Exception):
    """An event is of no type that this release knows, so it is not written."""


class Entry(Generic[E]):
    """One registered type, how it is written and how it is read."""

    def __init__(self, event_type: type[E]) -> None:
        """Prepare reading and writing once, so that each event costs little."""
        self.event_type = event_type
        self.shape: Shape = shape_of(event_type)
        # Built at run time, so named as a value: what is decoded, and what is converted into once fields were opened.
        self.envelope: type[Recorded[E]] = cast("Any", Recorded)[event_type]
        self.decoder = msgspec.json.Decoder(self.envelope)
        self.is_past = event_type.becomes is not None


class Registry:
    """All event types of the service by name."""

    def __init__(self, event_types: Iterable[type[Event]]) -> None:
        """Register the types.

        Raises:
            ValueError: two types have one name, or one becomes a type that is not here.
        """
        self._entries: dict[str, Entry[Any]] = {}
        every: list[type[Event]] = [*event_types, Unknown]
        for event_type in every:
            if event_type.type in self._entries:
                msg = f"two event types are called {event_type.type}"
                raise ValueError(msg)
            self._entries[event_type.type] = Entry(event_type)
        self.plain_decoders: dict[str, Callable[[bytes], AnyRecorded]] = {
            name: entry.decoder.decode
            for name, entry in self._entries.items()
            if not entry.shape.is_personal and not entry.is_past
        }
        """How bytes are read that need no key and no upcast: nearly all."""
        self._names: dict[type[Event], list[str]] = {}
        for name, entry in self._entries.items():
            self._names.setdefault(self._newest(entry).event_type, []).append(name)

    def _newest(self, entry: Entry[Any]) -> Entry[Any]:
        while entry.event_type.becomes is not None:
            if entry.event_type.becomes not in self._entries:
                msg = f"{entry.event_type.type} becomes {entry.event_type.becomes}, which is not registered"
                raise ValueError(msg)
            entry = self._entries[entry.event_type.becomes]
        return entry

    @property
    def types(self) -> Sequence[type[Event]]:
        """Every registered type but the one for unknown ones."""
        return [entry.event_type for entry in self._entries.values() if entry.event_type is not Unknown]

    @property
    def personal_types(self) -> frozenset[type[Event]]:
        """The types that hold personal fields, as they are read."""
        return frozenset(self._newest(entry).event_type for entry in self._entries.values() if entry.shape.is_personal)

    def names_of(self, event_type: type[Event]) -> list[str]:
        """Return the stored names that are read as this type: its own and those of earlier shapes."""
        return self._names.get(event_type, [event_type.type])

    def entry_of(self, event: Event) -> Entry[Any]:
        """Return how an event is written.

        Raises:
            UnknownTypeError: the type is not registered, or is one that is only read.
        """
        entry = self._entries.get(event.type)
        if entry is None or entry.event_type is not type(event) or entry.is_past or entry.event_type is Unknown:
            raise UnknownTypeError(event.type)
        return entry

    def find(self, name: str) -> Entry[Any] | None:
        """Return the entry of a stored name, or None when a later release wrote it."""
        return self._entries.get(name)


def in_newest_shape(recorded: AnyRecorded) -> AnyRecorded:
    """Return the recorded event with its fact in the newest shape."""
    event = recorded.event
    while event.becomes is not None:
        event = event.upcast()
    return recorded if event is recorded.event else msgspec.structs.replace(recorded, event=event)
