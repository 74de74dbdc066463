"""What a version of a projection reads never changes: it is sealed in `released_projections.json`.

Releases of one version keep the same documents, and each passes over types that it does not know: what only the newer
one reads would be missing for ever from the documents that the older one has moved on. So when a test here fails: raise
the projection's version, then add it by `python -m tests.law.released`.
"""

from collections.abc import Sequence
from typing import ClassVar, Final

import pytest

from emulation_saas.agencies.events import AgencyRenamed
from emulation_saas.kernel.events import Event
from emulation_saas.log import Registry
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.wiring import EVENT_TYPES
from projections import PROJECTIONS
from projections.roster import Roster
from tests.law.released import FILE_OF_PROJECTIONS, add_new, reads_of, released

HELD: Final = released(FILE_OF_PROJECTIONS)


class Moved(AgencyRenamed, frozen=True, kw_only=True):
    """What the next release brings."""

    type: ClassVar[str] = "agency.moved.v1"


class RenamedAtFirst(AgencyRenamed, frozen=True, kw_only=True):
    """An earlier shape of a type that is read."""

    type: ClassVar[str] = "agency.renamed.v0"
    becomes: ClassVar[str | None] = AgencyRenamed.type


class OneMore(Roster):
    """Reads it in the version that was released without."""

    reads = (*Roster.reads, Moved)


class OneLess(Roster):
    """Reads no names."""

    reads = tuple(read for read in Roster.reads if read is not AgencyRenamed)


class Raised(OneMore):
    """Reads it in a version of its own."""

    version = Roster.version + 1


def faults(projections: Sequence[AnyProjection], event_types: Sequence[type[Event]] = EVENT_TYPES) -> list[str]:
    """Return the versions that are not sealed, or read something else than when they were."""
    found = reads_of(projections, Registry(event_types))
    return [version for version, names in found.items() if HELD.get(version) != names]


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda each: each.name)
def test_version_reads_what_it_read_when_it_was_released(projection: AnyProjection) -> None:
    assert not faults([projection]), "raise its version, then add it: python -m tests.law.released"


@pytest.mark.parametrize("changed", [OneMore(), OneLess(), Raised()], ids=lambda each: type(each).__name__)
def test_change_of_what_is_read_is_seen_until_it_is_sealed_in_a_version_of_its_own(changed: AnyProjection) -> None:
    assert faults([changed], [*EVENT_TYPES, Moved]) == [f"roster.v{changed.version}"]
    added = add_new(HELD, reads_of([changed], Registry([*EVENT_TYPES, Moved])))
    assert added["roster.v1"] == HELD["roster.v1"]
    assert (added == HELD) == (changed.version == Roster.version)


def test_another_shape_of_what_is_read_is_seen() -> None:
    assert faults([Roster()], [*EVENT_TYPES, RenamedAtFirst]) == ["roster.v1"]
