"""What decisions must know: folded, immutable views, kept per process and found by tag when new events arrive.

All views of a province stand at one position, `Facts.position`. While a batch is in flight its events are seen through
an overlay; only when the batch is known to be committed does the overlay become the truth.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from emulation_saas.kernel.events import Event
from emulation_saas.kernel.use_cases import Selector, UseCase

VIEWS_MAX: Final = 50_000
"""Views kept per province and process; the least recently used go first and are folded again when asked for."""
VIEW_BYTES_MAX: Final = 32 * 1024 * 1024
"""Bytes of events that the views kept were folded from when they were read. A view takes a few times as much."""
RECENT_MAX: Final = 8_192
"""Events remembered for views that are still being read from the database."""

Key = tuple[Any, ...]
DIRECTORY: Final[Key] = ("directory",)
"""The view that every decision needs: who may do what."""
Fold = Callable[[Any, Event], Any]


@dataclass(frozen=True, slots=True)
class Match:
    """A selector, prepared: which types, which tags, and under which of them it is filed."""

    types: frozenset[type[Event]]
    tags: frozenset[str]
    filed: tuple[object, ...]
    """Under what it is looked up: each type with the last tag, by custom the most particular. Without types or without
    tags the place of those is None."""

    def finds(self, event: Event, tags: Iterable[str]) -> bool:
        """Tell whether the event is selected."""
        return (not self.types or type(event) in self.types) and self.tags.issubset(tags)


def match_of(selector: Selector) -> Match:
    """Prepare a selector."""
    types: frozenset[Any] = frozenset(selector.types)
    last = selector.tags[-1] if selector.tags else None
    return Match(types, frozenset(selector.tags), tuple((each, last) for each in types or (None,)))


def key_of(use_case: UseCase[Any], selectors: Sequence[Selector]) -> Key:
    """Return what names a view: how it is folded, and from what."""
    parts = [(*selector.types, *selector.tags) for selector in selectors]
    return (use_case.evolve, *parts)


class _Kept:
    """One view with what it takes to bring it forward."""

    __slots__ = ("evolve", "is_needed", "matches", "read_bytes", "view")

    def __init__(self, view: object, evolve: Fold, matches: tuple[Match, ...], read_bytes: int) -> None:
        self.view = view
        self.evolve = evolve
        self.matches = matches
        self.read_bytes = read_bytes
        self.is_needed = False


class Facts:
    """The views of one province, all at one position."""

    def __init__(self) -> None:
        """Know nothing, at position 0."""
        self.position = 0
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._read_bytes = 0
        self._filed: dict[object, set[Key]] = {}
        self._pinned: set[Key] = set()
        self._fresh: set[Key] = set()
        self._recent: deque[tuple[int, Event]] = deque(maxlen=RECENT_MAX)

    def __contains__(self, key: Key) -> bool:
        """Tell whether the view is kept."""
        return key in self._kept

    def view(self, key: Key) -> Any:  # noqa: ANN401 - each use case knows its own view's type
        """Return a kept view."""
        self._kept.move_to_end(key)
        return self._kept[key].view

    def keep(
        self,
        key: Key,
        view: object,
        evolve: Fold,
        matches: tuple[Match, ...],
        *,
        at: int,
        read_bytes: int = 0,
        pin: bool = False,
    ) -> bool:
        """Take in a view folded at an earlier position, bringing it forward.

        Args:
            key: its name.
            view: what it was then.
            evolve: how it is folded on.
            matches: from which events.
            at: the position.
            read_bytes: how many bytes of events it was folded from.
            pin: never let it go.

        Returns:
            False when events since then are no longer remembered: it must be read again.
        """
        if at < self.position and (not self._recent or self._recent[0][0] > at + 1):
            return False
        since = list(islice(reversed(self._recent), self.position - at))
        for _, event in reversed(since):
            if _found(matches, event):
                view = evolve(view, event)
        self._drop(key)
        self._kept[key] = _Kept(view, evolve, matches, read_bytes)
        self._read_bytes += read_bytes
        self._fresh.add(key)
        for match in matches:
            for place in match.filed:
                self._filed.setdefault(place, set()).add(key)
        if pin:
            self._pinned.add(key)
        self._evict()
        return True

    def answered(self, key: Key, *, needed: bool) -> None:
        """Say that a command on a view was answered. A view that none has needed yet is let go.

        Else whoever may do nothing could fill the memory, by commands that name what is not his or not there.
        """
        kept = self._kept.get(key)
        if kept is None:
            return
        kept.is_needed |= needed
        if not kept.is_needed:
            self._drop(key)

    def forget(self, types: frozenset[type[Event]]) -> None:
        """Let go of all that was folded from events of these types, and of the events; the directory sees to itself."""
        for key, kept in list(self._kept.items()):
            reads = [match.types for match in kept.matches]
            if key not in self._pinned and any(not read or read & types for read in reads):
                self._drop(key)
        self._recent.clear()

    def begin(self) -> None:
        """Begin a batch: views kept from now on, while it is in flight, are brought forward when it advances."""
        self._fresh.clear()

    def changed_by(self, event: Event, current: dict[Key, Any]) -> None:
        """Put into `current` every view that the event changes, folded on what `current` or the kept view holds."""
        tags = event.tags()
        seen: set[Key] = set()
        places = [(each, tag) for each in (type(event), None) for tag in (*tags, None)]
        for place in places:
            for key in self._filed.get(place, ()):
                kept = self._kept[key]
                if key not in seen and any(match.finds(event, tags) for match in kept.matches):
                    seen.add(key)
                    current[key] = kept.evolve(current.get(key, kept.view), event)

    def advance(self, events: Sequence[Event], changed: dict[Key, Any]) -> None:
        """Make committed events part of what is known: they follow directly on the present position."""
        for key, view in changed.items():
            if key in self._kept and key not in self._fresh:
                self._kept[key].view = view
        for key in self._fresh & self._kept.keys():
            kept = self._kept[key]
            for event in events:
                if _found(kept.matches, event):
                    kept.view = kept.evolve(kept.view, event)
        self._fresh.clear()
        for event in events:
            self.position += 1
            self._recent.append((self.position, event))

    def fold(self, events: Sequence[Event]) -> None:
        """Take in events that another process committed, in order."""
        self.begin()
        changed: dict[Key, Any] = {}
        for event in events:
            self.changed_by(event, changed)
        self.advance(events, changed)

    def start_at(self, position: int) -> None:
        """Begin at a position, before any view is kept."""
        self.position = position

    def _evict(self) -> None:
        while len(self._kept) > VIEWS_MAX or self._read_bytes > VIEW_BYTES_MAX:
            oldest = next((key for key in self._kept if key not in self._pinned), None)
            if oldest is None or oldest == next(reversed(self._kept)):
                return  # the one just kept is asked for now, however large it is
            self._drop(oldest)

    def _drop(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is None:
            return
        self._read_bytes -= kept.read_bytes
        for place in {place for match in kept.matches for place in match.filed}:
            filed = self._filed[place]
            filed.discard(key)
            if not filed:
                del self._filed[place]


def _found(matches: tuple[Match, ...], event: Event) -> bool:
    tags = event.tags()
    return any(match.finds(event, tags) for match in matches)
