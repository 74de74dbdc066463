"""Deciding a batch: each command in order, seeing what those before it did, until its events are bytes.

Nothing here waits but for keys of personal fields; they must be there before the bytes are made. So where one is
missing, the rest of the batch is decided only to learn which keys it needs; then they are made together.
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
from emulation_saas.log.room import Room
from emulation_saas.log.sealing import Opener, PersonVersion, version_of

if TYPE_CHECKING:
    from emulation_saas.log.powers import Directory

Overlay = dict[Key, Any]
"""Views as the batch in flight has changed them."""


class Drafter:
    """Turns the commands of one province into a draft of what to append."""

    def __init__(self, province: ProvinceId, codec: Codec, keyring: Keyring, room: Room) -> None:
        """Write for this province, sealing with its keys, into the room that it has."""
        self._province = province
        self._codec = codec
        self._keyring = keyring
        self._room = room

    async def draft(
        self, facts: Facts, frontier: Frontier, commands: list[Command], now: datetime
    ) -> tuple[list[Decided], Draft, Overlay]:
        """Decide the commands on the facts as they stand; where keys are missing, make them and decide anew.

        Every view that the commands need is kept in the facts.
        """
        opener: Opener | None = None
        while True:
            facts.begin()
            draft = Draft(self._province, self._codec, frontier, room=self._room, now=now)
            overlay: Overlay = {}
            decided: list[Decided] = []
            missing: set[PersonVersion] = set()
            for command in commands:
                directory: Directory = overlay[DIRECTORY] if DIRECTORY in overlay else facts.view(DIRECTORY)
                each = _decided(facts, overlay, directory, command, now)
                sealing = None if opener is None else opener.after(directory.erasures)
                missing |= self._missing(each, directory, opener)
                if missing:
                    _follow(facts, overlay, each)
                else:
                    decided.append(each if each.rejection else _written(facts, overlay, draft, each, sealing))
            if not missing:
                return decided, draft, overlay
            opener = await self._keyring.opener(needed=missing)

    def _missing(self, decided: Decided, directory: "Directory", opener: Opener | None) -> set[PersonVersion]:
        """Return the keys that what was decided needs and that are not there."""
        persons = {person for event in decided.events for person in self._codec.persons_of(event)}
        needed = {(person, version_of(person, directory.erasures)) for person in persons}
        return needed if opener is None else {key for key in needed if not opener.knows(key)}


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
    _follow(facts, overlay, each)
    return each


def _follow(facts: Facts, overlay: Overlay, each: Decided) -> None:
    for event in each.events:
        facts.changed_by(event, overlay)
