"""What the log must be told of authority: how to fold it. The fold itself lives in `access` and is handed in."""

from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, runtime_checkable

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.kernel.ids import PersonId
from emulation_saas.kernel.use_cases import Selector
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
    about: Callable[[Collection[PersonId], Sequence[Event]], list[Selector]]
    """What finds the facts that these persons' powers rest on, as far as the facts found so far tell where to look."""

    async def authorities_at(
        self,
        acts: Mapping[tuple[int, PersonId], date],
        read: Callable[[Sequence[Selector]], Awaitable[list[AnyRecorded]]],
    ) -> dict[tuple[int, PersonId], Authority]:
        """Return what persons might do before a position on a day, from only the facts that it rests on."""
        persons = {person for _, person in acts}
        found, asked, wanted = list[AnyRecorded](), list[Selector](), self.about(persons, ())
        while asked != wanted:
            found, asked = await read(wanted), wanted
            wanted = self.about(persons, [fact.event for fact in found])
        facts, directory = deque(found), self.initial()
        powers: dict[tuple[int, PersonId], Authority] = {}
        for position, person in sorted(acts):
            before = list[Event]()
            while facts and facts[0].position < position:
                before.append(facts.popleft().event)
            directory = self.after_all(directory, before)
            powers[position, person] = directory.authority_of(person, on=acts[position, person])
        return powers
