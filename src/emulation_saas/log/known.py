"""What one process knows of a province's log at one position: head, frontier, directory, and the views of decisions."""

from collections.abc import Callable, Sequence
from functools import reduce
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from emulation_saas.kernel.events import Event
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.log.batch import Command
from emulation_saas.log.facts import DIRECTORY, Facts, Fold, Key, match_of
from emulation_saas.log.frontier import Frontier
from emulation_saas.log.keyring import Keyring
from emulation_saas.log.powers import AuthorityFold, Directory
from emulation_saas.log.reading import Head, Reader
from emulation_saas.log.sealing import NONE_ERASED

if TYPE_CHECKING:
    from emulation_saas.postgres.database import Connection

TAIL_MAX: Final = 8_000
"""Who is this many events behind folds the views anew instead of reading the tail."""


class Known:
    """Everything that is committed, as far as this process has read or written it."""

    def __init__(
        self, reader: Reader, fold: AuthorityFold, *, keyring: Keyring, personal_types: frozenset[type[Event]]
    ) -> None:
        """Know nothing yet."""
        self._reader = reader
        self._fold = fold
        self._keyring = keyring
        self._personal_types = personal_types
        self._erasures = NONE_ERASED
        self.facts = Facts()
        self.head: Head | None = None
        """None: it must be read again."""
        self.frontier = Frontier()
        self.checked_at = 0.0
        """The monotonic instant at which nothing newer had been committed."""

    @property
    def directory(self) -> Directory:
        """Who may do what."""
        directory: Directory = self.facts.view(DIRECTORY)
        return directory

    def is_as_of(self, since: float, position: int) -> bool:
        """Tell whether it is what was committed at a monotonic instant or later, and at a position or later."""
        return self.checked_at >= since and self.facts.position >= position

    def has(self, commands: Sequence[Command]) -> bool:
        """Tell whether these can be decided without reading anything."""
        return self.head is not None and all(command.view in self.facts for command in commands)

    async def catch_up(self, connection: "Connection", *, lock: bool = False) -> Head:
        """Read the head and fold what others committed since; the lock of deciding is held."""
        asked_at = monotonic()
        head = await self._reader.head(connection, lock=lock)
        position = self.facts.position
        if position == 0 or head.position - position > TAIL_MAX:
            self.facts = Facts()
            self.facts.start_at(head.position)
        elif head.position > position:
            rows = await self._reader.after(connection, position, through=head.position)
            self.facts.fold([recorded.event for recorded in await self._reader.recorded(rows)])
        if DIRECTORY not in self.facts:
            selectors = [Selector(types=list(self._fold.reads))]
            await self.load(
                connection, DIRECTORY, selectors, self._fold.initial(), self._fold.after, self._fold.after_all
            )
        self._forget_erased()
        self.head, self.frontier, self.checked_at = head, Frontier(head.position, head.frontier), asked_at
        return head

    async def load(
        self,
        connection: "Connection",
        key: Key,
        selectors: Sequence[Selector],
        initial: object,
        evolve: Fold,
        evolve_all: Callable[[Any, Sequence[Event]], Any] | None = None,
    ) -> None:
        """Fold a view from the log, unless it is kept; all events at once, where that can be done."""
        matches = tuple(match_of(selector) for selector in selectors)
        items = self._reader.items_of(selectors)
        while key not in self.facts:
            at = self.facts.position
            rows = await self._reader.matching(connection, items, 0, through=at)
            events = [recorded.event for recorded in await self._reader.recorded(rows)]
            view = reduce(evolve, events, initial) if evolve_all is None else evolve_all(initial, events)
            read_bytes = sum(len(row["body"]) for row in rows)
            self.facts.keep(key, view, evolve, matches, at=at, read_bytes=read_bytes, pin=key == DIRECTORY)

    async def load_missing(self, connection: "Connection", commands: Sequence[Command]) -> None:
        """Fold the views that these commands need and that are not kept."""
        for command in commands:
            use_case = command.use_case
            await self.load(connection, command.view, use_case.facts(), use_case.initial(), use_case.evolve)

    def take(
        self, head: Head, frontier: Frontier, events: Sequence[Event], changed: dict[Key, Any], *, asked_at: float
    ) -> None:
        """Take in what this process has committed itself; nothing newer was there when it was asked to."""
        self.facts.advance(events, changed)
        self._forget_erased()
        self.head, self.frontier, self.checked_at = head, frontier, asked_at

    def _forget_erased(self) -> None:
        """Once somebody was erased, hold nothing that may name him: views are folded anew, without his keys."""
        erasures = self.directory.erasures
        if erasures is not self._erasures:
            self._erasures = erasures
            self._keyring.erased(erasures)
            self.facts.forget(self._personal_types)
