"""Why a figure is what it is: the figures it is made from, down to the events, each with where its proof is.

Rights are those of the path, today's. An event that the caller may not see is a position and nothing more.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.http.limits import PAGE_MAX
from emulation_saas.http.paging import Page, cursor
from emulation_saas.http.refusals import BadCursor
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import day_of, utc_now
from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.log import ProvinceLog
from emulation_saas.projecting.figures import Figure, Figures, Op, reasons_of
from emulation_saas.projecting.finding import Finder, Found, When, rendered, scope_of, when_of
from emulation_saas.projecting.paths import Named, is_about, own_figures
from emulation_saas.projecting.refusals import NoSuchDocument, NoSuchFigure
from emulation_saas.projecting.views import Asked, Position

EXPLAINED_MAX: Final = 1_000
"""Figures and events that one explanation shows; what does not fit is asked for by its own name."""

Root = Annotated[str, Meta(description="Root of the log's Merkle tree at the position, base64")]


def spelled_root(root: bytes) -> str:
    """Spell a root as answers do."""
    return b64encode(root).decode()


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a figure rests on; of one that the caller may not see, its position only."""

    position: Position
    type: str | UnsetType = UNSET
    time: datetime | UnsetType = UNSET
    """When it happened."""
    recordedtime: datetime | UnsetType = UNSET
    """When it was logged."""
    actor: str | UnsetType = UNSET
    proof: Annotated[str, Meta(description="Where the proof is that it stands in the log")] | UnsetType = UNSET
    hidden: bool | UnsetType = UNSET


class FigureLine(msgspec.Struct, frozen=True, kw_only=True):
    """A figure, its value, and by which rule it came about."""

    figure: str
    value: Any
    rule: str
    meaning: str
    op: Op | UnsetType = UNSET


class Derivation(FigureLine, frozen=True, kw_only=True):
    """A figure with what it is made from."""

    inputs: list["Derivation"]
    events: list[Witness]
    is_cut: bool | UnsetType = UNSET
    """Whether it rests on more than is shown here; ask for it by its name."""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A figure explained, or (none was named) the figures that there are."""

    path: str
    position: int
    root: Root
    derivation: Derivation | UnsetType = UNSET
    figures: list[FigureLine] | UnsetType = UNSET
    next: Annotated[str, Meta(description="The cursor of the next page of figures")] | UnsetType = UNSET


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is to be explained."""

    path: str
    figure: str | None = None
    as_of: str | None = None
    valid_on: date | None = None
    page: Page = Page()  # noqa: RUF009 - frozen


async def explain(finder: Finder, log: ProvinceLog, may: Authority, wanted: Wanted) -> Explanation:
    """Explain a figure of the document at a path, or list the figures that it has.

    Raises:
        NoSuchDocument, NotEmpowered: see `Finder.named`.
        AsOfBeyondHead, AsOfInFuture, NoSuchMoment, BadCursor: it cannot be asked so.
        NoSuchFigure: the document has none of this name, or the caller may not see what it rests on.
    """
    named = finder.named(wanted.path, may)
    now = utc_now()
    listed = f"explain {wanted.path} {wanted.as_of} {wanted.valid_on}"
    paged_at, after = wanted.page.start(listed)
    when = await (when_of(log, wanted.as_of, now) if paged_at is None else _on_page(log, paged_at))
    on = wanted.valid_on or day_of(now)
    found = await find_figures(finder, log, may, named, when, on)
    root = spelled_root(await log.root(found.through))
    if wanted.figure is None:
        lines, following = await _page(log, may, found, after or "", wanted.page.limit)
        return Explanation(
            path=wanted.path,
            position=found.through,
            root=root,
            figures=[_line(name, found.figures[name]) for name in lines],
            next=cursor(of=listed, position=found.through, after=lines[-1]) if following else UNSET,
        )
    if not is_about(named, wanted.figure) or not await _visible(log, may, found, [wanted.figure]):
        raise NoSuchFigure(wanted.figure)
    shown = _Shown(found.figures, wanted.figure)
    witnesses = {each.position: witness(log, each, may) for each in await log.at(shown.positions)}
    return Explanation(path=wanted.path, position=found.through, root=root, derivation=shown.derivation(witnesses))


@dataclass(frozen=True, slots=True)
class FoundFigures:
    """The figures at a path, and the position at which they are true."""

    named: Named
    through: int
    figures: Figures


async def find_figures(
    finder: Finder, log: ProvinceLog, may: Authority, named: Named, when: When, on: date
) -> FoundFigures:
    """Return the figures of a path's documents.

    Raises:
        NoSuchDocument: there is nothing at the path, or there was nothing then.
    """
    asked = Asked(where=named.where, may=may, valid_on=on, names={}, through=0, limit=PAGE_MAX)
    scope = scope_of(named.projection, named.view, asked)
    if named.view.is_append_only and when.position is not None:  # what is stored also holds what came after
        found: Found = await finder.fold(log, named.projection, scope, when.position)
    else:
        found = await finder.find(log, (named.projection, named.view), scope, when.position)
    asked = Asked(where=named.where, may=may, valid_on=on, names={}, through=found.through, limit=PAGE_MAX)
    if rendered(named.view, found.documents, asked) is None:
        raise NoSuchDocument
    by_key = {key: named.projection.figures(folded.state, on) for key, folded in found.documents.items()}
    return FoundFigures(named, found.through, own_figures(named, by_key))


def witness(log: ProvinceLog, recorded: AnyRecorded, may: Authority) -> Witness:
    """Return an event as far as the caller may see it."""
    if not may.may_see(recorded.event, actor=recorded.actor):
        return Witness(position=recorded.position, hidden=True)
    return Witness(
        position=recorded.position,
        type=recorded.event.type,
        time=recorded.time,
        recordedtime=recorded.recorded_at,
        actor=recorded.actor,
        proof=f"/v1/provinces/{log.handle}/events/{recorded.position}.tlog-proof",
    )


async def _on_page(log: ProvinceLog, position: int) -> When:
    if position > (await log.head()).position:
        raise BadCursor
    return When(position)


async def _page(
    log: ProvinceLog, may: Authority, found: FoundFigures, after: str, limit: int
) -> tuple[list[str], bool]:
    """Return the names of a page's figures, and whether there are more."""
    names = sorted(name for name in found.figures if name > after and is_about(found.named, name))
    page: list[str] = []
    for first in range(0, len(names), limit + 1):
        page += await _visible(log, may, found, names[first : first + limit + 1])
        if len(page) > limit:
            return page[:limit], True
    return page, False


async def _visible(log: ProvinceLog, may: Authority, found: FoundFigures, names: Sequence[str]) -> list[str]:
    """Return those of the figures that there are and that the caller may see.

    Where an answer depends on who asks, a figure is seen by those who see all that it rests on.
    """
    there = [name for name in names if name in found.figures]
    if not found.named.view.is_personal:
        return there
    reasons = {name: reasons_of(found.figures, name) for name in there}
    recorded = await log.at({position for positions in reasons.values() for position in positions})
    seen = {each.position for each in recorded if may.may_see(each.event, actor=each.actor)}
    return [name for name in there if seen.issuperset(reasons[name])]


def _line(name: str, figure: Figure) -> FigureLine:
    rule = figure.rule
    return FigureLine(
        figure=name,
        value=figure.value,
        rule=rule.name,
        meaning=rule.meaning,
        op=UNSET if rule.op is None else rule.op,
    )


@dataclass(slots=True)
class _Node:
    """A figure in the tree, with those of its inputs and events that are shown."""

    name: str
    inputs: list["_Node"] = field(default_factory=list["_Node"])
    at: tuple[int, ...] = ()
    is_cut: bool = False


class _Shown:
    """What is shown of a figure's derivation: level by level, as much as fits."""

    def __init__(self, figures: Figures, name: str) -> None:
        """Choose what fits, the figure's own inputs and events first."""
        self._figures = figures
        self._root = _Node(name)
        self.positions: set[int] = set()
        left = EXPLAINED_MAX - 1
        level = [self._root]
        while level:
            below: list[_Node] = []
            for node in level:
                figure = figures[node.name]
                node.at = figure.at[-left:] if left else ()
                left -= len(node.at)
                node.inputs = [_Node(each) for each in figure.inputs[:left]]
                left -= len(node.inputs)
                node.is_cut = len(node.at) < len(figure.at) or len(node.inputs) < len(figure.inputs)
                self.positions.update(node.at)
                below += node.inputs
            level = below

    def derivation(self, witnesses: Mapping[int, Witness]) -> Derivation:
        """Return the tree, with the events as they are shown."""
        return self._derivation(self._root, witnesses)

    def _derivation(self, node: _Node, witnesses: Mapping[int, Witness]) -> Derivation:
        return Derivation(
            **msgspec.structs.asdict(_line(node.name, self._figures[node.name])),
            inputs=[self._derivation(each, witnesses) for each in node.inputs],
            events=_of(node.at, witnesses),
            is_cut=True if node.is_cut else UNSET,
        )


def _of(positions: Iterable[int], witnesses: Mapping[int, Witness]) -> list[Witness]:
    return [witnesses[position] for position in positions]
