"""How a question is answered: now, as of a position or an instant, on a day, and not before a position.

Now: the stored documents, true at their projection's checkpoint. As of a position: see `finding`; the answer then names
the root of the log at that position. Rights are today's, whatever is asked.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from time import monotonic
from typing import Any, Final

import msgspec
from msgspec import UNSET

from emulation_saas.http.paging import Page, cursor
from emulation_saas.http.refusals import BadCursor
from emulation_saas.http.shares import Places, places_for_questions
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import day_of, utc_now
from emulation_saas.kernel.ids import is_handle
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.log import ProvinceLog
from emulation_saas.postgres.database import Database
from emulation_saas.projecting.finding import (
    Finder,
    Found,
    When,
    acts_of,
    names_of,
    rendered,
    scope_of,
    stopped_of,
    when_of,
)
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.projecting.redacting import shown_in
from emulation_saas.projecting.refusals import AsOfBeyondHead, NoSuchDocument, ProjectionBehind
from emulation_saas.projecting.views import Asked, Listing, Scope, View, Where, everybody

WAIT_MAX_S: Final = 5.0
"""How long a read waits for the documents to reach `min_position`."""
WAIT_FIRST_S: Final = 0.01
WAIT_STEP_MAX_S: Final = 0.1

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
    root: bytes | None
    """Of the log at the position; only where the past was asked for."""
    has_names: bool = False
    """Whether it shows names of persons, which no cache may keep: they may be erased."""


class Reader:
    """Answers questions about any province, from its documents and its log."""

    def __init__(
        self,
        database: Database,
        projections: Sequence[AnyProjection] = (),
        questions: Places | None = None,
        *,
        wait_max_s: float = WAIT_MAX_S,
    ) -> None:
        """Read documents from here, those of these projections also by path, past ones when there is a place."""
        self._finder = Finder(database, projections)
        self._questions = questions or places_for_questions()
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
            AsOfBeyondHead, AsOfInFuture, NoSuchMoment, BadCursor: it cannot be asked so; the first also when the log
                did not reach `min_position` in time.
            NoSuchDocument: there is nothing of the kind.
            ProjectionBehind: the documents did not reach `min_position` in time.
            ProvinceOverShare: others of the province ask for the past, and took too long.
        """
        projection, view = question
        if not view.may_read(where, may):
            raise NotEmpowered
        listed = f"{view.path} {where} {query.as_of} {query.valid_on}"
        paged_at, after = query.page.start(listed)
        now = utc_now()
        when = await when_of(log, query.as_of, now) if paged_at is None else await _on_page(log, paged_at, after or "")
        asked = Asked(
            where=where,
            may=may,
            valid_on=query.valid_on or day_of(now),
            names={},
            through=0,
            after=after or "",
            limit=query.page.limit,
        )
        scope = scope_of(projection, view, asked)
        found = await self._find(log, question, scope, when, query.min_position)
        asked = replace(asked, through=found.through, names=await names_of(log, view, scope, found.through))
        asked = replace(asked, powers=await log.authorities_at(acts_of(view, found.documents, where)))
        document = rendered(view, found.documents, asked)
        if document is None:
            raise NoSuchDocument
        if isinstance(document, Listing) and document.next is not UNSET:
            following = cursor(of=listed, position=found.through, after=document.next)
            document = msgspec.structs.replace(document, next=following)
        body = _encode(document)
        return Reading(
            body=body,
            position=found.through,
            tag=_tag(projection, found, body),
            is_settled=when.is_settled,
            is_final=when.is_named
            and view.may_read is everybody
            and stopped_of(found.documents, found.through) is None
            and not (view.persons or view.is_personal)
            and (not view.is_dated or query.valid_on is not None),
            root=None if query.as_of is None else await log.root(found.through),
            has_names=bool(view.persons) and shown_in(document).has_names,
        )

    async def document(self, log: ProvinceLog, may: Authority, path: str, *, as_of: int) -> bytes:
        """Return the document at a path below the province as of a position, for somebody who may read it today.

        Raises:
            NoSuchDocument, NotEmpowered: see `Finder.named` and `read`.
        """
        named = self._finder.named(path, may)
        query = Query(as_of=str(as_of))
        return (await self.read(log, may, (named.projection, named.view), named.where, query)).body

    async def _find(
        self, log: ProvinceLog, question: tuple[AnyProjection, View[Any]], scope: Scope, when: When, min_position: int
    ) -> Found:
        """Find the documents; the present ones once they have reached a position."""
        if when.position is not None:
            async with self._questions.taken(log.province):
                return await self._finder.find(log, question, scope, when.position)
        deadline = monotonic() + self._wait_max_s
        pause_s = WAIT_FIRST_S
        while True:
            found = await self._finder.find(log, question, scope, None)
            if found.through >= min_position:
                return found
            if monotonic() + pause_s > deadline:
                if min_position > (head := (await log.head()).position):
                    raise AsOfBeyondHead(f"now at {head}")
                raise ProjectionBehind(f"now at {found.through}")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, WAIT_STEP_MAX_S)


async def _on_page(log: ProvinceLog, position: int, after: str) -> When:
    """Let a cursor pass that one of our pages may have given: it is no secret how they are made.

    Raises:
        BadCursor: no page ended there.
    """
    if not is_handle(after) or position > (await log.head()).position:
        raise BadCursor
    return When(position)


def _tag(projection: AnyProjection, found: Found, body: bytes) -> str:
    changed_at = max((folded.position for folded in found.documents.values()), default=0)
    return f"p{changed_at}-v{projection.version}-{sha256(body).hexdigest()[:16]}"
