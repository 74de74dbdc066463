"""Questions about answers: why, since when, through what, what if. One way for all documents, by their GET's path."""

from typing import Annotated, Any, Final, TypeVar, cast

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET

from emulation_saas.http.answers import JSON, Answer
from emulation_saas.http.exchange import exchange_of
from emulation_saas.http.paging import Page
from emulation_saas.http.shares import Places
from emulation_saas.kernel.authority import Authority
from emulation_saas.log import ProvinceLog
from emulation_saas.projecting.comparing import Difference, difference
from emulation_saas.projecting.digesting import DigestDocument, digest_at
from emulation_saas.projecting.effects import EffectsDocument, effects_of
from emulation_saas.projecting.explaining import Explanation, Wanted, explain
from emulation_saas.projecting.finding import Finder
from emulation_saas.projecting.routes import AsOf, ValidOn
from emulation_saas.projecting.supposing import Supposer, suppose
from emulation_saas.projecting.suppositions import Counterfactual, SuppositionBody

DocumentPath = Annotated[
    str,
    QueryParameter(
        description="A document below the province, as its GET names it: /blocs/tham-muu-1/years/2023/standings",
        pattern=r"^/[a-z0-9/-]{0,300}$",
    ),
]
FigureName = Annotated[
    str | None,
    QueryParameter(description="The figure to explain; without it, all are listed", min_length=1, max_length=200),
]
_WHEN: Final = "A position of the log, or an instant (RFC 3339, no fraction) up to now"

D = TypeVar("D")
_encode: Final = msgspec.json.Encoder(decimal_format="string").encode


@get("/explain", summary="Why a figure is what it is")
async def explain_figure(  # noqa: PLR0913, PLR0917 - each may be asked, by its name
    request: Request[Any, Any, Any],
    path: DocumentPath,
    log: NamedDependency[ProvinceLog],
    authority: NamedDependency[Authority],
    finder: NamedDependency[Finder],
    questions: NamedDependency[Places],
    page: NamedDependency[Page],
    figure: FigureName = None,
    as_of: AsOf = None,
    valid_on: ValidOn = None,
) -> Explanation:
    """Explain a figure of a document down to the events it rests on, or list the document's figures."""
    _asked(request, path=path)
    wanted = Wanted(path=path, figure=figure, as_of=as_of, valid_on=valid_on, page=page)
    async with questions.taken(log.province):
        explanation = await explain(finder, log, authority, wanted)
    return _answered(request, explanation, position=explanation.position, root=explanation.root)


@get("/diff", summary="What changed in a document, and through which events")
async def compare(  # noqa: PLR0913, PLR0917 - each may be asked, by its name
    request: Request[Any, Any, Any],
    path: DocumentPath,
    start: Annotated[str, QueryParameter(name="from", description=_WHEN, max_length=40)],
    end: Annotated[str, QueryParameter(name="to", description=_WHEN, max_length=40)],
    log: NamedDependency[ProvinceLog],
    authority: NamedDependency[Authority],
    finder: NamedDependency[Finder],
    questions: NamedDependency[Places],
    valid_on: ValidOn = None,
) -> Difference:
    """Return the patch that makes the document as of the one position that of the other, and what led to each part."""
    _asked(request, path=path, **{"from": start, "to": end})
    async with questions.taken(log.province):
        found = await difference(finder, log, authority, path, start=start, end=end, valid_on=valid_on)
    return _answered(request, found, position=found.to.position, root=found.to.root)


@get("/events/{event:int}/effects", summary="Which figures an event touched")
async def read_effects(
    request: Request[Any, Any, Any],
    event: FromPath[int],
    log: NamedDependency[ProvinceLog],
    authority: NamedDependency[Authority],
    finder: NamedDependency[Finder],
    questions: NamedDependency[Places],
    valid_on: ValidOn = None,
) -> EffectsDocument:
    """Return the figures of all documents that the event touched, with their values just before and just after it."""
    async with questions.taken(log.province):
        found = await effects_of(finder, log, authority, event, valid_on)
    return _answered(request, found, position=found.position, root=found.root)


@get("/digest", summary="One hash of everything that all documents say")
async def read_digest(
    request: Request[Any, Any, Any],
    log: NamedDependency[ProvinceLog],
    authority: NamedDependency[Authority],
    finder: NamedDependency[Finder],
    questions: NamedDependency[Places],
    as_of: AsOf = None,
) -> DigestDocument:
    """Fold the whole log and hash what the documents say; for those who oversee the province."""
    async with questions.taken(log.province):
        found = await digest_at(finder, log, authority, as_of)
    return _answered(request, found, position=found.position, root=found.root)


@post("/what-if", summary="What a document would say if", status_code=200)
async def what_if(
    request: Request[Any, Any, Any],
    data: JSONBody[SuppositionBody],
    log: NamedDependency[ProvinceLog],
    authority: NamedDependency[Authority],
    supposer: NamedDependency[Supposer],
    questions: NamedDependency[Places],
) -> Counterfactual:
    """Fold a document as if events were missing, added or changed. Records nothing, so it may be asked as often."""
    _asked(request, path=data.path, **({} if data.as_of is UNSET else {"as_of": str(data.as_of)}))
    async with questions.taken(log.province):
        found = await suppose(supposer, log, authority, data)
    return _answered(request, found, position=found.as_of.position, root=found.as_of.root)


def _asked(request: Request[Any, Any, Any], **asked: str) -> None:
    """Say what is asked about: of these questions the path alone does not tell what was read."""
    exchange_of(request.scope).asked = asked


def _answered(request: Request[Any, Any, Any], document: D, *, position: int, root: str) -> D:
    """Return the finished answer; it is declared as the document that it spells, for the description."""
    exchange_of(request.scope).position = position
    headers = [JSON, (b"log-position", b"%d" % position), (b"log-root", root.encode())]
    return cast("D", Answer(_encode(document), status=200, headers=headers))


TRAVEL_ROUTES: Final = (explain_figure, compare, read_effects, read_digest, what_if)
