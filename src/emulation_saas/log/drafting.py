"""Deciding a batch: each command in order, seeing what those before it did, until its events are bytes.

Nothing here waits but for keys of personal fields; they must be there before the bytes are made.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from emulation_saas.kernel.authority import operator
from emulation_saas.kernel.clock import day_of
from emulation_saas.kernel.ids import OPERATOR, ProvinceId
from emulation_saas.log.batch import Command, Decided, Draft, decide
from emulation_saas.log.codec import Codec
from emulation_saas.log.facts import DIRECTORY, Facts, Key
from emulation_saas.log.frontier import Frontier
from emulation_saas.log.keyring import Keyring
from emulation_saas.log.sealing import Opener

if TYPE_CHECKING:
    from emulation_saas.log.powers import Directory

Overlay = dict[Key, Any]
"""Views as the batch in flight has changed them."""


class Drafter:
    """Turns the commands of one province into a draft of what to append."""

    def __init__(self, province: ProvinceId, codec: Codec, keyring: Keyring) -> None:
        """Write for this province, sealing with its keys."""
        self._province = province
        self._codec = codec
        self._keyring = keyring

    async def draft(
        self, facts: Facts, frontier: Frontier, commands: list[Command], now: datetime
    ) -> tuple[list[Decided], Draft, Overlay]:
        """Decide the commands on the facts as they stand; where a key is missing, make it and decide anew.

        Every view that the commands need is kept in the facts.
        """
        opener: Opener | None = None
        while True:
            facts.begin()
            draft = Draft(self._province, self._codec, frontier, now)
            overlay: Overlay = {}
            decided: list[Decided] = []
            persons: set[str] = set()
            for command in commands:
                directory: Directory = overlay[DIRECTORY] if DIRECTORY in overlay else facts.view(DIRECTORY)
                each = _decided(facts, overlay, directory, command, now)
                sealing = None if opener is None else opener.after(directory.erasures)
                for event in each.events:
                    persons |= {person for person in self._codec.persons_of(event) if not _knows(sealing, person)}
                if persons:
                    break
                decided.append(each if each.rejection else _written(facts, overlay, draft, each, sealing))
            else:
                return decided, draft, overlay
            opener = await self._keyring.opener(persons=persons, erasures=directory.erasures)


def _decided(facts: Facts, overlay: Overlay, directory: "Directory", command: Command, now: datetime) -> Decided:
    view = overlay[command.view] if command.view in overlay else facts.view(command.view)
    person = command.acting.person
    may = operator() if person == OPERATOR else directory.authority_of(person, on=day_of(now))
    return decide(command, view, may, now)


def _written(facts: Facts, overlay: Overlay, draft: Draft, each: Decided, opener: Opener | None) -> Decided:
    try:
        draft.write(each, opener)
    except Exception as error:  # noqa: BLE001 - cannot be written, or a bug: either is told to its own caller only
        return Decided(each.command, [], error)
    for event in each.events:
        facts.changed_by(event, overlay)
    return each


def _knows(opener: Opener | None, person: str) -> bool:
    return opener is not None and opener.knows(person)
