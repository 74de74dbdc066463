"""What changed in a document between two positions: a patch, and for each of its operations the events behind it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from emulation_saas.http.limits import PAGE_MAX
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import day_of, utc_now
from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.log import ProvinceLog
from emulation_saas.projecting.explaining import Root, spelled_root
from emulation_saas.projecting.finding import (
    Finder,
    acts_of,
    events_of,
    names_of,
    rendered,
    scope_of,
    when_of,
    within,
)
from emulation_saas.projecting.folding import Documents, fold
from emulation_saas.projecting.patches import Change, Operation, Touches, changes_between
from emulation_saas.projecting.paths import Named
from emulation_saas.projecting.refusals import DiffBackwards, DiffTooWide, NoSuchDocument
from emulation_saas.projecting.views import Act, Asked, Listing, Names, Scope

DIFF_EVENTS_MAX: Final = 300
"""Events of a document between the two sides of one comparison: each is folded and shown by itself, in some 8 ms."""

DIFF_BYTES_MAX: Final = 32 * 1024 * 1024
"""Of the document as it is shown after each of these events, together: some 3 s of work."""

_encode: Final = msgspec.json.Encoder(decimal_format="string").encode
_decode: Final = msgspec.json.Decoder().decode


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """A position, and the root of the log there."""

    position: int
    root: Root


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Why an operation of the patch is there."""

    operation: Annotated[int, Meta(ge=0, description="Which operation of the patch, from 0")]
    positions: list[int]
    """Of the events in between that touched what it changes."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What makes the document as of the one position that of the other; one that is not there is null."""

    path: str
    from_: Side = msgspec.field(name="from")
    to: Side
    patch: list[Operation]
    causes: list[Cause]


async def difference(
    finder: Finder, log: ProvinceLog, may: Authority, path: str, *, start: str, end: str, valid_on: date | None
) -> Difference:
    """Compare the document at a path as of two positions or instants.

    Raises:
        NoSuchDocument, NotEmpowered: see `Finder.named`; or it is there on neither side.
        AsOfBeyondHead, AsOfInFuture, NoSuchMoment: it cannot be asked so.
        DiffBackwards, DiffTooWide: the span is no span, or too long.
    """
    named = finder.named(path, may)
    now = utc_now()
    first, last = [(await when_of(log, each, now)).position or 0 for each in (start, end)]
    if first > last:
        raise DiffBackwards
    on = valid_on or day_of(now)
    scope = scope_of(named.projection, named.view, asked_of(named, may, on, through=last))
    span = await events_of(log, named.projection, scope, after=first, through=last, limit=DIFF_EVENTS_MAX + 1)
    if len(span) > DIFF_EVENTS_MAX:
        raise DiffTooWide(f"at most {DIFF_EVENTS_MAX} events")
    names = await names_of(log, named.view, scope, last)
    documents: Documents = (await finder.fold(log, named.projection, scope, first)).documents
    asked = asked_of(named, may, on, through=first, names=names)
    asked = replace(asked, powers=await log.authorities_at(_acts_in(named, scope, documents, span)))
    before = then = shown(named, within(documents, scope), asked)
    touches = Touches()
    left = DIFF_BYTES_MAX
    for recorded in span:
        fold(named.projection, documents, [recorded])
        spelled = _spelled(named, within(documents, scope), replace(asked, through=recorded.position))
        left -= len(spelled)
        if left < 0:
            raise DiffTooWide("the document is too large to be shown after each of these events")
        now_shown = _decode(spelled)
        for change in changes_between(then, now_shown):
            touches.add(recorded.position, change.leaves)
        then = now_shown
        await asyncio.sleep(0)
    if before is None and then is None:
        raise NoSuchDocument
    changes = changes_between(before, then)
    return Difference(
        path=path,
        from_=Side(position=first, root=spelled_root(await log.root(first))),
        to=Side(position=last, root=spelled_root(await log.root(last))),
        patch=[change.operation for change in changes],
        causes=await _causes(changes, touches),
    )


def asked_of(named: Named, may: Authority, on: date, *, through: int, names: Names | None = None) -> Asked:
    """Return the question whose answer is compared: of a list, its first page at its longest."""
    return Asked(where=named.where, may=may, valid_on=on, names=names or {}, through=through, limit=PAGE_MAX)


def shown(named: Named, documents: Documents, asked: Asked) -> Any:  # noqa: ANN401 - JSON
    """Return the answer as JSON, without where a list goes on; None where there is none."""
    return _decode(_spelled(named, documents, asked))


def _spelled(named: Named, documents: Documents, asked: Asked) -> bytes:
    document = rendered(named.view, documents, asked)
    if isinstance(document, Listing):
        document = msgspec.structs.replace(document, next=msgspec.UNSET)
    return _encode(document)


def _acts_in(named: Named, scope: Scope, documents: Documents, span: Sequence[AnyRecorded]) -> set[Act]:
    """Return the acts that the answer tells of before a span or after any of its events: all, for one reading."""
    if named.view.acts is None:
        return set()
    folded: Documents = {key: msgspec.structs.replace(each) for key, each in documents.items()}
    acts = acts_of(named.view, within(folded, scope), named.where)
    for recorded in span:
        fold(named.projection, folded, [recorded])
        acts |= acts_of(named.view, within(folded, scope), named.where)
    return acts


async def _causes(changes: list[Change], touches: Touches) -> list[Cause]:
    causes: list[Cause] = []
    for number, change in enumerate(changes):
        causes.append(Cause(operation=number, positions=touches.of(change.leaves)))
        await asyncio.sleep(0)
    return causes
