"""How a question is answered: now, as of a position or an instant, on a day, and not before a position.

Now: the stored documents, true at their projection's checkpoint. As of a position: the stored documents where they have
not changed since; else they are folded from the events that their tags select, a province-wide one from its last
snapshot on. Both are the same fold, so both give the same answer. Rights are today's, whatever is asked.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from time import monotonic
from typing import Any, Final

import msgspec
from msgspec import UNSET

from emulation_saas.http.bodies import moment
from emulation_saas.http.exchange import note_read
from emulation_saas.http.paging import Page, cursor
from emulation_saas.http.reads import NAMES
from emulation_saas.http.refusals import BadCursor
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import day_of, utc_now
from emulation_saas.kernel.ids import is_handle
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.log import ProvinceLog
from emulation_saas.postgres.database import Database
from emulation_saas.projecting.folding import Documents, Folded, fold
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.projecting.redacting import Shown, shown_in
from emulation_saas.projecting.refusals import AsOfBeyondHead, AsOfInFuture, NoSuchDocument, ProjectionBehind
from emulation_saas.projecting.storing import Span, Store
from emulation_saas.projecting.views import (
    Asked,
    Listing,
    Names,
    Quarantined,
    Scope,
    View,
    Where,
    everybody,
    officials_of,
)

WAIT_MAX_S: Final = 5.0
"""How long a read waits for the documents to reach `min_position`."""
WAIT_FIRST_S: Final = 0.01
WAIT_STEP_MAX_S: Final = 0.1
SETTLED_AFTER: Final = timedelta(seconds=5)
"""The log may still grow at an instant that is nearer than this."""

_encode: Final = msgspec.json.Encoder(decimal_format="string").encode


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """What a caller may say besides the path."""

    as_of: str | None = None
    """A position, or an instant up to now."""
    min_position: int = 0
    """For the present only: what was true at a position does not change."""
    valid_on: date | None = None
    page: Page = Page()  # noqa: RUF009 - frozen


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """An answer, and what HTTP must know of it."""

    body: bytes
    position: int
    """At which it is true."""
    tag: str
    """The last change's position, the projection's version, and a digest of the body: all of it, the next page's
    cursor too."""
    is_settled: bool
    """False when the log may still grow at the instant asked for."""
    is_final: bool
    """Whether the same question gives this answer for ever, and to everybody: what is not for all is asked for again,
    as who may read it today need not tomorrow."""
    has_names: bool = False
    """Whether it shows names of persons, which no cache may keep: they may be erased."""


@dataclass(frozen=True, slots=True)
class _When:
    """Which past is asked for: a position, or None for the present."""

    position: int | None = None
    is_named: bool = False
    """Whether the caller named the position itself."""
    is_settled: bool = True


@dataclass(frozen=True, slots=True)
class _Found:
    """Documents, and the position at which they are true."""

    through: int
    documents: Documents


class Reader:
    """Answers questions about any province, from its documents and its log."""

    def __init__(self, database: Database, *, wait_max_s: float = WAIT_MAX_S) -> None:
        """Read documents from here."""
        self._database = database
        self._wait_max_s = wait_max_s

    async def read(
        self, log: ProvinceLog, may: Authority, question: tuple[AnyProjection, View[Any]], where: Where, query: Query
    ) -> Reading:
        """Answer a question.

        Args:
            log: of the province that is asked about.
            may: what the caller may do today.
            question: the view that is asked for, with the projection that it is of.
            where: the parameters of the path.
            query: the parameters of the query.

        Raises:
            NotEmpowered: the caller may not read this.
            AsOfBeyondHead, AsOfInFuture, NoSuchMoment, BadCursor: it cannot be asked so.
            NoSuchDocument: there is nothing of the kind.
            ProjectionBehind: the documents did not reach `min_position` in time.
        """
        projection, view = question
        if not view.may_read(where, may):
            raise NotEmpowered
        listed = f"{view.path} {where} {query.as_of} {query.valid_on}"
        paged_at, after = query.page.start(listed)
        now = utc_now()
        when = await _when(log, query.as_of, now) if paged_at is None else await _on_page(log, paged_at, after or "")
        asked = Asked(
            where=where,
            may=may,
            valid_on=query.valid_on or day_of(now),
            names={},
            through=0,
            after=after or "",
            limit=query.page.limit,
        )
        scope = view.scope(asked)
        if scope.is_one:
            scope = replace(scope, tags=tuple(projection.tags_of(scope.first)))
        found = await self._find(log, question, scope, when, query.min_position)
        asked = replace(asked, through=found.through, names=await _names(log, view, scope, found.through))
        states = {key: folded.state for key, folded in found.documents.items()}
        if view.acts is not None:
            asked = replace(asked, powers=await log.authorities_at(view.acts(states, where)))
        document = view.answer(states, asked)
        if document is None:
            raise NoSuchDocument
        stopped = _stopped(found)
        if stopped is not None:
            document = msgspec.structs.replace(document, quarantined=stopped)
        if isinstance(document, Listing) and document.next is not UNSET:
            following = cursor(of=listed, position=found.through, after=document.next)
            document = msgspec.structs.replace(document, next=following)
        shown = shown_in(document) if view.persons else Shown()
        if shown.redacted:
            document = msgspec.structs.replace(document, redacted=shown.redacted)
        if shown.has_names:
            note_read(NAMES)
        body = _encode(document)
        return Reading(
            body=body,
            position=found.through,
            tag=_tag(projection, found, body),
            is_settled=when.is_settled,
            is_final=when.is_named
            and stopped is None
            and view.may_read is everybody
            and not (view.persons or view.is_personal)
            and (not view.is_dated or query.valid_on is not None),
            has_names=shown.has_names,
        )

    async def _find(
        self,
        log: ProvinceLog,
        question: tuple[AnyProjection, View[Any]],
        scope: Scope,
        when: _When,
        min_position: int,
    ) -> _Found:
        projection, view = question
        deadline = monotonic() + self._wait_max_s
        pause_s = WAIT_FIRST_S
        while True:
            async with self._database.in_province(log.province) as connection:
                span = await Store(connection, log.province).span(projection, scope)
            if when.position is not None:
                if span is not None and _still_holds(view, span, when.position):
                    return _Found(when.position, span.documents)
                return await self._fold(log, projection, scope, when.position)
            if span is None:  # not built yet: the log has the answer, too
                found = await self._fold(log, projection, scope, (await log.head()).position)
            else:
                found = _Found(span.checkpoint, span.documents)
            if found.through >= min_position:
                return found
            if monotonic() + pause_s > deadline:
                raise ProjectionBehind(f"now at {found.through}")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, WAIT_STEP_MAX_S)

    async def _fold(self, log: ProvinceLog, projection: AnyProjection, scope: Scope, position: int) -> _Found:
        """Fold the documents of a span as they were at a position."""
        documents: Documents = {}
        after = 0
        if projection.is_province_wide:
            async with self._database.in_province(log.province) as connection:
                for kept in await Store(connection, log.province).snapshots(projection, scope, at=position):
                    documents[kept.key] = Folded(projection.decode(kept.document), position=kept.position)
                    after = kept.position
        selector = Selector(types=list(projection.reads), tags=list(scope.tags))
        fold(projection, documents, await log.recorded([selector], after=after, through=position))
        keys = sorted(key for key in documents if scope.first <= key <= scope.last)[: scope.documents_max]
        return _Found(position, {key: documents[key] for key in keys})


async def _when(log: ProvinceLog, as_of: str | None, now: datetime) -> _When:
    if as_of is None:
        return _When()
    if as_of.isascii() and as_of.isdigit():
        position = int(as_of)
        if position > (await log.head()).position:
            raise AsOfBeyondHead
        return _When(position, is_named=True)
    instant = moment(as_of)
    if instant > now:
        raise AsOfInFuture
    return _When(await log.position_at(instant), is_settled=now - instant >= SETTLED_AFTER)


async def _on_page(log: ProvinceLog, position: int, after: str) -> _When:
    """Let a cursor pass that one of our pages may have given: it is no secret how they are made.

    Raises:
        BadCursor: no page ended there.
    """
    if not is_handle(after) or position > (await log.head()).position:
        raise BadCursor
    return _When(position)


def _still_holds(view: View[Any], span: Span, position: int) -> bool:
    """Tell whether the stored documents say what was true at a position."""

    def held(folded: Folded[Any]) -> bool:
        if folded.position == 0:  # it has only ever been in quarantine, and before that was not there
            return folded.stopped_at <= position
        return view.is_append_only or folded.position <= position

    return span.checkpoint >= position and all(map(held, span.documents.values()))


async def _names(log: ProvinceLog, view: View[Any], scope: Scope, through: int) -> Names:
    """Return the names that the answer shows, opened from the log as far as there are keys."""
    if not view.persons:
        return {}
    selector = Selector(types=list(view.persons), tags=list(scope.tags))
    return {
        (recorded.position, official.person): official.name
        for recorded in await log.recorded([selector], through=through)
        for official in officials_of(recorded.event)
    }


def _stopped(found: _Found) -> Quarantined | None:
    """Return what stopped the first of the documents that stands still."""
    for folded in found.documents.values():
        if folded.stopped_at <= found.through:
            return Quarantined(position=folded.stopped_at, reason=folded.reason)
    return None


def _tag(projection: AnyProjection, found: _Found, body: bytes) -> str:
    changed_at = max((folded.position for folded in found.documents.values()), default=0)
    return f"p{changed_at}-v{projection.version}-{sha256(body).hexdigest()[:16]}"
