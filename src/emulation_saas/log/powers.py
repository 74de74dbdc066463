"""What the log must be told of authority: how to fold it. The fold itself lives in `access` and is handed in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, runtime_checkable

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import PersonId
from emulation_saas.log.sealing import Erasures


@runtime_checkable
class Directory(Protocol):
    """Who is who, who may do what, and who has been erased, at one position."""

    @property
    def erasures(self) -> Erasures:
        """How often each person has been erased."""
        ...

    def person_of(self, issuer: str, sub: str) -> PersonId | None:
        """Return the person bound to a token's issuer and subject."""
        ...

    def authority_of(self, person: PersonId, *, on: date) -> Authority:
        """Return what a person may do on a day; nothing for somebody unknown."""
        ...


@dataclass(frozen=True)
class AuthorityFold:
    """How the directory is folded from the log."""

    reads: Sequence[type[Event]]
    initial: Callable[[], Any]
    after: Callable[[Any, Event], Any]
    after_all: Callable[[Any, Sequence[Event]], Any]
    """The same of many events at once."""
