"""The fold: the one place where events become documents. Live, rebuilt, as of a position: all of them call this.

An event that cannot be folded quarantines the document it belongs to. The document keeps its last good state, and takes
no event from that position on; every other document goes on. As the fold is pure, whoever folds the same events finds
the same quarantine.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, Final, Generic

import msgspec

from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.projecting.projection import WHOLE, AnyProjection, Projection, State

DOCUMENT_BYTES_MAX: Final = 16 * 1024 * 1024
"""A document larger than this is quarantined rather than written again with every event."""
SNAPSHOT_EVERY: Final = 1_000
"""A province-wide document is kept as of every position that this divides."""
REASON_MAX: Final = 300
NEVER: Final = 2**62


class DocumentTooLargeError(Exception):
    """A document takes so many bytes that it is not kept."""


class Folded(msgspec.Struct, Generic[State]):
    """One document while it is being folded."""

    state: State
    position: int = 0
    """Of the last event that changed it; 0 for a document that has only ever been in quarantine."""
    stored_at: int = 0
    """Its position as it is stored; 0 for one that is not."""
    stopped_at: int = NEVER
    """It takes no event from this position on."""
    reason: str = ""

    @property
    def is_quarantined(self) -> bool:
        """Whether an event could not be folded into it."""
        return self.stopped_at != NEVER


Documents = dict[str, Folded[Any]]
"""The documents of one projection, by key."""


class Stored(msgspec.Struct, frozen=True):
    """One document as it is stored."""

    key: str
    position: int
    document: bytes


class Poison(msgspec.Struct, frozen=True):
    """An event that could not be folded into a document."""

    projection: str
    version: int
    key: str
    position: int
    reason: str


def fold(projection: Projection[State], documents: Documents, recorded: Iterable[AnyRecorded]) -> set[str]:
    """Fold events, in order, into the documents to which they belong, in place.

    Returns:
        The keys of the documents that changed or went into quarantine.
    """
    read_types, keys_of, evolve = projection.read_types, projection.keys_of, projection.evolve
    touched: set[str] = set()
    last: dict[str, AnyRecorded] = {}
    for each in recorded:
        if type(each.event) not in read_types:
            continue
        for key in keys_of(each):
            folded = documents.get(key)
            if folded is None:
                folded = documents[key] = Folded(projection.initial())
            elif folded.stopped_at != NEVER and each.position >= folded.stopped_at:
                if folded.position == 0:
                    touched.add(key)  # so that there is a document on which the quarantine can be seen
                continue
            try:
                folded.state = evolve(folded.state, each)
            except Exception as error:  # noqa: BLE001 - whatever it is, it must stop nothing but this document
                folded.stopped_at, folded.reason = each.position, reason_of(error)
                touched.add(key)
            else:
                last[key] = each
    for key, changed_by in last.items():  # here and not above: a position is read from text
        documents[key].position = changed_by.position
    return touched.union(last)


def fold_keeping(
    projection: AnyProjection, documents: Documents, recorded: Sequence[AnyRecorded], *, after: int, through: int
) -> tuple[set[str], list[Stored]]:
    """Fold the events of a span of positions, keeping snapshots of a province-wide document on the way.

    Args:
        projection: what is folded.
        documents: folded up to `after`; changed in place.
        recorded: events that lie in the span, in order; those that no document reads may be missing.
        after: the position before the span.
        through: the last position of the span.

    Returns:
        The keys of the documents that changed, and the snapshots. A document in quarantine gives none.
    """
    if not projection.is_province_wide:
        return fold(projection, documents, recorded), []
    touched: set[str] = set()
    kept: list[Stored] = []
    begin = 0
    for cut in range(after - after % SNAPSHOT_EVERY + SNAPSHOT_EVERY, through + 1, SNAPSHOT_EVERY):
        end = bisect_right(recorded, cut, key=_position)
        touched |= fold(projection, documents, recorded[begin:end])
        begin = end
        folded = documents.get(WHOLE)
        if folded is not None and not folded.is_quarantined:
            kept.append(Stored(WHOLE, cut, projection.encode(folded.state)))
    return touched | fold(projection, documents, recorded[begin:]), kept


def written(projection: AnyProjection, documents: Documents, keys: Iterable[str]) -> list[Stored]:
    """Return documents as they are stored, in the order of their keys.

    A document that cannot be written goes into quarantine from where it is stored, and is not among them.
    """
    stored: list[Stored] = []
    for key in sorted(keys):
        folded = documents[key]
        try:
            document = _bounded(projection.encode(folded.state))
        except Exception as error:  # noqa: BLE001 - as above
            folded.stopped_at, folded.reason = folded.stored_at + 1, reason_of(error)
        else:
            stored.append(Stored(key, folded.position, document))
    return stored


def _bounded(document: bytes) -> bytes:
    if len(document) > DOCUMENT_BYTES_MAX:
        raise DocumentTooLargeError(len(document))
    return document


def poisons(projection: AnyProjection, documents: Documents, keys: Iterable[str]) -> list[Poison]:
    """Return the quarantines among some documents."""
    return [
        Poison(projection.name, projection.version, key, documents[key].stopped_at, documents[key].reason)
        for key in sorted(keys)
        if documents[key].is_quarantined
    ]


def reason_of(error: Exception) -> str:
    """Return what is shown of an exception: its kind and the beginning of its text."""
    return f"{type(error).__name__}: {error}"[:REASON_MAX].replace("\x00", "")


def _position(recorded: AnyRecorded) -> int:
    return recorded.position
