"""Where documents come from: the stored ones while they say what was true at a position, else a fold of the log.

As of a position: the stored documents where they have not changed since; else they are folded from the events that
their tags select, a province-wide one from its last snapshot on. Both are the same fold, so both give the same.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from emulation_saas.http.bodies import moment
from emulation_saas.http.exchange import note_read
from emulation_saas.http.reads import NAMES
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.log import ProvinceLog
from emulation_saas.postgres.database import Database
from emulation_saas.projecting.folding import Documents, Folded, fold
from emulation_saas.projecting.paths import Named, find_document
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.projecting.redacting import shown_in
from emulation_saas.projecting.refusals import AsOfBeyondHead, AsOfInFuture
from emulation_saas.projecting.replaying import SLICE
from emulation_saas.projecting.storing import Span, Store
from emulation_saas.projecting.views import Act, Asked, Document, Names, Quarantined, Scope, View, Where, officials_of

SETTLED_AFTER: Final = timedelta(seconds=5)
"""The log may still grow at an instant that is nearer than this."""


@dataclass(frozen=True, slots=True)
class When:
    """Which past is asked for: a position, or None for the present."""

    position: int | None = None
    is_named: bool = False
    """Whether the caller named the position itself."""
    is_settled: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """Documents, and the position at which they are true."""

    through: int
    documents: Documents


class Finder:
    """Finds documents of any province, now and as of any position."""

    def __init__(self, database: Database, projections: Sequence[AnyProjection] = ()) -> None:
        """Look here, for documents of these projections where they are asked for by path."""
        self._database = database
        self.projections = projections

    def named(self, path: str, may: Authority) -> Named:
        """Return what is answered at a path below the province.

        Raises:
            NoSuchDocument, NotEmpowered: see `find_document`.
        """
        return find_document(self.projections, path, may)

    async def find(
        self, log: ProvinceLog, question: tuple[AnyProjection, View[Any]], scope: Scope, position: int | None
    ) -> Found:
        """Return the documents of a scope as of a position, or (None) as they are now, by whoever keeps them up."""
        projection, view = question
        async with self._database.in_province(log.province) as connection:
            span = await Store(connection, log.province).span(projection, scope)
        if position is None and span is not None:
            return Found(span.checkpoint, span.documents)
        if position is None:  # not built yet: the log has the answer, too
            return await self.fold(log, projection, scope, (await log.head()).position)
        if span is not None and _still_holds(view, span, position):
            return Found(position, span.documents)
        return await self.fold(log, projection, scope, position)

    async def fold(self, log: ProvinceLog, projection: AnyProjection, scope: Scope, position: int) -> Found:
        """Fold the documents of a scope as they were at a position."""
        documents: Documents = {}
        after = 0
        if projection.is_province_wide:
            async with self._database.in_province(log.province) as connection:
                for kept in await Store(connection, log.province).snapshots(projection, scope, at=position):
                    documents[kept.key] = Folded(projection.decode(kept.document), position=kept.position)
                    after = kept.position
        while after < position:
            events = await events_of(log, projection, scope, after=after, through=position, limit=SLICE)
            fold(projection, documents, events)
            after = events[-1].position if len(events) == SLICE else position
            await asyncio.sleep(0)
        return Found(position, within(documents, scope))


async def when_of(log: ProvinceLog, as_of: str | None, now: datetime) -> When:
    """Return which past is meant: a position, an instant up to now, or none.

    Raises:
        AsOfBeyondHead, AsOfInFuture, NoSuchMoment: it is no place in the log.
    """
    if as_of is None:
        return When()
    if as_of.isascii() and as_of.isdigit():
        position = int(as_of)
        if position > (await log.head()).position:
            raise AsOfBeyondHead
        return When(position, is_named=True)
    instant = moment(as_of)
    if instant > now:
        raise AsOfInFuture
    return When(await log.position_at(instant), is_settled=now - instant >= SETTLED_AFTER)


def scope_of(projection: AnyProjection, view: View[Any], asked: Asked) -> Scope:
    """Return which documents a question is about, with the tags that all their events bear."""
    scope = view.scope(asked)
    return replace(scope, tags=tuple(projection.tags_of(scope.first))) if scope.is_one else scope


def within(documents: Documents, scope: Scope) -> Documents:
    """Return those of the documents that a scope is about, in the order of their keys."""
    keys = sorted(key for key in documents if scope.first <= key <= scope.last)[: scope.documents_max]
    return {key: documents[key] for key in keys}


async def events_of(
    log: ProvinceLog,
    projection: AnyProjection,
    scope: Scope,
    *,
    after: int = 0,
    through: int,
    limit: int | None = None,
) -> list[AnyRecorded]:
    """Return the events that the documents of a scope are folded from; some may be of their neighbours."""
    selector = Selector(types=list(projection.reads), tags=list(scope.tags))
    return await log.recorded([selector], after=after, through=through, limit=limit)


def acts_of(view: View[Any], documents: Documents, where: Where) -> set[Act]:
    """Return the acts that the answer made from documents tells of, with the powers by which they were done."""
    return set() if view.acts is None else set(view.acts(_states(documents), where))


def rendered(view: View[Any], documents: Documents, asked: Asked) -> Document | None:
    """Return the answer that is made from documents; where it shows names, that is put on record.

    It says what stopped the first of the documents that stands still, and which names are gone.
    """
    document = view.answer(_states(documents), asked)
    if document is None:
        return None
    stopped = stopped_of(documents, asked.through)
    if stopped is not None:
        document = msgspec.structs.replace(document, quarantined=stopped)
    if view.persons:
        shown = shown_in(document)
        if shown.redacted:
            document = msgspec.structs.replace(document, redacted=shown.redacted)
        if shown.has_names:
            note_read(NAMES)
    return document


def _states(documents: Documents) -> dict[str, Any]:
    return {key: folded.state for key, folded in documents.items()}


def stopped_of(documents: Documents, through: int) -> Quarantined | None:
    """Return what stopped the first of the documents that stands still."""
    for folded in documents.values():
        if folded.stopped_at <= through:
            return Quarantined(position=folded.stopped_at, reason=folded.reason)
    return None


async def names_of(log: ProvinceLog, view: View[Any], scope: Scope, through: int) -> Names:
    """Return the names that an answer shows, opened from the log as far as there are keys."""
    if not view.persons:
        return {}
    selector = Selector(types=list(view.persons), tags=list(scope.tags))
    return names_in(view, await log.recorded([selector], through=through))


def names_in(view: View[Any], recorded: Iterable[AnyRecorded]) -> Names:
    """Return the names that an answer shows, of those that stand in these events."""
    return {
        (each.position, official.person): official.name
        for each in recorded
        if isinstance(each.event, view.persons)
        for official in officials_of(each.event)
    }


def _still_holds(view: View[Any], span: Span, position: int) -> bool:
    """Tell whether the stored documents say what was true at a position."""

    def held(folded: Folded[Any]) -> bool:
        if folded.position == 0:  # it has only ever been in quarantine, and before that was not there
            return folded.stopped_at <= position
        return view.is_append_only or folded.position <= position

    return span.checkpoint >= position and all(map(held, span.documents.values()))
