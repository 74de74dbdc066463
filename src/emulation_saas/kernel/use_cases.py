"""What somebody may try: frozen inputs, the facts it must know, a pure fold, a pure decision."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from eventsourcing.dcb.domain import Selector

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import PersonId

View = TypeVar("View")

__all__ = ["NO_CAUSE", "Acting", "Selector", "UseCase"]

NO_CAUSE: Final = 0
"""In place of a position: what the command names as its cause is not there, so it is refused on the newest head."""


@dataclass(frozen=True)
class Acting:
    """Who asks, and how the asking is told from its own repetition."""

    person: PersonId
    idempotency_key: str | None = None
    fingerprint: bytes = b""
    """SHA-256 over method, path and canonical body; another body under one key is refused."""


@dataclass(frozen=True)
class UseCase(ABC, Generic[View]):
    """One thing somebody may do. Asked again, it records nothing more.

    `initial` and `evolve` are static: a view depends on nothing but the facts selected, so the log may keep views and
    share them between callers.
    """

    time: datetime | None = field(default=None, kw_only=True)
    """When it happened, as entered from paper; never satisfies a deadline. None: when it is recorded."""
    causation: int | None = field(default=None, kw_only=True)
    """The position of the event that led to this: of the ruling that it carries out. None: none is named."""

    @abstractmethod
    def facts(self) -> Sequence[Selector]:
        """Return the selectors of what it must know."""

    @staticmethod
    @abstractmethod
    def initial() -> Any:  # noqa: ANN401 - the view's type cannot be named by a static method of a generic class
        """Return the view before any fact."""

    @staticmethod
    @abstractmethod
    def evolve(view: Any, event: Event) -> Any:  # noqa: ANN401 - as above
        """Return the view after one more fact. Pure; facts come in the log's order."""

    @abstractmethod
    def decide(self, view: View, may: Authority, now: datetime) -> Sequence[Event]:
        """Return what happens, or raise one named rejection. No clock, no I/O, no randomness."""
