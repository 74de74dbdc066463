"""With every key destroyed a log has the same bytes, the same root, and the same figures: only names are gone."""

import secrets
from typing import Final
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from msgspec import json

from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.kernel.ids import PersonId, ProvinceId
from emulation_saas.log import Codec, Registry
from emulation_saas.log.codec import Place
from emulation_saas.log.events import Unknown
from emulation_saas.log.frontier import Frontier, leaf_hash
from emulation_saas.log.sealing import Opener, derive
from emulation_saas.projecting.digesting import digest_of
from emulation_saas.projecting.views import officials_of
from emulation_saas.wiring import EVENT_TYPES
from projections import PROJECTIONS
from tests.projections.histories import OFFICER_NAME, histories
from tests.projections.test_laws import by_hand

PROVINCE: Final = ProvinceId(UUID("0190c3f2-0000-7000-8000-000000000001"))
CODEC: Final = Codec(Registry(EVENT_TYPES))
SHREDDED: Final = Opener(PROVINCE, {}, {})


known: Final = histories.map(lambda told: [each for each in told if not isinstance(each.event, Unknown)])
"""Histories without events of a later release, which this one does not write."""


def holder_of(history: list[AnyRecorded]) -> Opener:
    """Return an opener with a key for everybody whom a history names."""
    persons = {person for recorded in history for person in CODEC.persons_of(recorded.event)}
    keys = {(person, 1): derive(secrets.token_bytes(32)) for person in persons}
    return Opener(PROVINCE, keys, {kid: encryption for encryption, kid in keys.values()})


def stored(history: list[AnyRecorded], opener: Opener) -> list[tuple[str, bytes]]:
    """Return the names of the types and the bytes of a history, as they are stored."""
    return [(recorded.event.type, CODEC.encode(recorded.event, place_of(recorded), opener)) for recorded in history]


def place_of(recorded: AnyRecorded) -> Place:
    return Place(
        province=PROVINCE,
        position=recorded.position,
        recorded_at=recorded.recorded_at,
        time=recorded.time,
        actor=PersonId(recorded.actor),
        command_id=UUID(int=7),
        salt=secrets.token_bytes(16),
    )


def root_of(bodies: list[tuple[str, bytes]]) -> bytes:
    frontier = Frontier()
    for _, body in bodies:
        frontier.append(leaf_hash(body))
    return frontier.root()


def read(bodies: list[tuple[str, bytes]], opener: Opener) -> list[AnyRecorded]:
    return [CODEC.decode(name, body, opener) for name, body in bodies]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=known)
def test_no_figure_and_no_root_depends_on_a_key(history: list[AnyRecorded]) -> None:
    opener = holder_of(history)
    bodies = stored(history, opener)
    root = root_of(bodies)
    opened, shredded = read(bodies, opener), read(bodies, SHREDDED)
    for projection in PROJECTIONS:  # what a document shows besides names is made from its state alone
        assert by_hand(projection, shredded) == by_hand(projection, opened)
    assert digest_of(PROJECTIONS, shredded) == digest_of(PROJECTIONS, opened)
    assert root_of(bodies) == root
    text = json.encode([recorded.event for recorded in shredded]).decode()
    assert OFFICER_NAME not in text


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=known)
def test_with_the_keys_names_are_what_was_told(history: list[AnyRecorded]) -> None:
    opener = holder_of(history)
    opened = read(stored(history, opener), opener)
    assert [officials_of(each.event) for each in opened] == [officials_of(each.event) for each in history]
