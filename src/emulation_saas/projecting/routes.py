"""GET for every view of every projection. One way for all: parse, read, answer."""

import inspect
from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated, Any, Final

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter

from emulation_saas.http.answers import JSON, Answer, is_same
from emulation_saas.http.exchange import exchange_of
from emulation_saas.http.paging import Page
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.numbers import INTEGER_MAX
from emulation_saas.log import ProvinceLog
from emulation_saas.projecting.paths import where_of
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.projecting.reading import Query, Reader, Reading
from emulation_saas.projecting.views import View, Where

# Not `FromQuery[…]`: inside of it the framework does not look at what a parameter is bound to.
AsOf = Annotated[
    str | None,
    QueryParameter(
        description="A position of the log, or an instant (RFC 3339, no fraction) up to now: the answer as it was then",
        max_length=40,
    ),
]
MinPosition = Annotated[
    int,
    QueryParameter(description="Wait until the answer contains this position, at most 5 s", ge=0, le=INTEGER_MAX),
]
ValidOn = Annotated[
    date | None,
    QueryParameter(description="The calendar day that names, members and offices are asked for; today by default"),
]

_VARY: Final = (b"vary", b"authorization, accept-language")
_NO_STORE: Final = (b"cache-control", b"no-store")
_REVALIDATE: Final = (b"cache-control", b"private, no-cache")
_FINAL: Final = (b"cache-control", b"private, max-age=31536000, immutable")


def document_routes(projections: Iterable[AnyProjection]) -> tuple[HTTPRouteHandler, ...]:
    """Return a handler for every view, to be mounted below `/v1/provinces/{province}`.

    They ask for `log`, `authority`, `page`, and for `reader`, which has to be given (a `Reader`).
    """
    return tuple(_handler(projection, view) for projection in projections for view in projection.views)


def _handler(projection: AnyProjection, view: View[Any]) -> HTTPRouteHandler:
    named = _named(view.path)

    async def answer(**given: Any) -> Answer:  # noqa: ANN401 - each is typed by the signature below
        request: Request[Any, Any, Any] = given["request"]
        reader: Reader = given["reader"]
        query = Query(
            as_of=given["as_of"],
            min_position=given["min_position"],
            valid_on=given.get("valid_on"),
            page=given.get("page", Page()),
        )
        path = {name: given[name] for name in named}
        log: ProvinceLog = given["log"]
        where, may = where_of(path), await _standing(log, given["authority"], view, where_of(path))
        reading = await reader.read(log, may, (projection, view), where, query)
        if query.min_position:  # reached only now, perhaps; what it says of the caller must have been looked at, too
            then = await log.authority(may.person, min_position=query.min_position)
            if then != may:
                reading = await reader.read(log, then, (projection, view), where, query)
        return _answered(request, reading)

    answer.__name__ = answer.__qualname__ = _operation(view)
    answer.__doc__ = view.summary + "."
    signature = inspect.Signature(_parameters(view), return_annotation=view.document)
    answer.__signature__ = signature  # type: ignore[attr-defined] # functions take any attribute
    answer.__annotations__ = {
        **{name: parameter.annotation for name, parameter in signature.parameters.items()},
        "return": view.document,
    }
    decorate: Callable[[Any], HTTPRouteHandler] = get(
        _template(view.path),
        summary=view.summary,
        operation_id=_operation(view),
    )
    return decorate(answer)


async def _standing(log: ProvinceLog, may: Authority, view: View[Any], where: Where) -> Authority:
    """Return what the caller may do; who may not read this is looked at again on the newest head.

    So a role lets its bearer in from the moment it is given, whichever process it was given by.
    """
    if view.may_read(where, may):
        return may
    return await log.authority(may.person, is_newest=True)


def _parameters(view: View[Any]) -> list[inspect.Parameter]:
    """Return what a view's handler takes."""

    def parameter(name: str, annotation: Any, **default: Any) -> inspect.Parameter:  # noqa: ANN401 - a type, a value
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, **default)

    taken = [parameter(name, FromPath[int] if name == "year" else FromPath[str]) for name in _named(view.path)]
    taken += [
        parameter("request", Request),
        parameter("log", NamedDependency[ProvinceLog]),
        parameter("authority", NamedDependency[Authority]),
        parameter("reader", NamedDependency[Reader]),
        parameter("as_of", AsOf, default=None),
        parameter("min_position", MinPosition, default=0),
    ]
    if view.is_dated:
        taken.append(parameter("valid_on", ValidOn, default=None))
    if view.is_paged:
        taken.append(parameter("page", NamedDependency[Page]))
    return taken


def _named(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _template(path: str) -> str:
    """Return the path as the framework spells it."""
    return path.replace("{year}", "{year:int}").replace("}", ":str}").replace(":int:str}", ":int}")


def _operation(view: View[Any]) -> str:
    words = [part.strip("{}").replace("-", "_") for part in view.path.split("/") if part]
    return "_".join(["read", *words]) if words else "read_province"


def _answered(request: Request[Any, Any, Any], reading: Reading) -> Answer:
    exchange = exchange_of(request.scope)
    exchange.position = reading.position
    tag = f'"{reading.tag}"'.encode()
    headers = [(b"log-position", b"%d" % reading.position), (b"etag", tag), _VARY]
    if reading.root is not None:
        headers.append((b"log-root", b64encode(reading.root)))
    if not reading.is_settled:
        headers.append(_NO_STORE)
    else:
        headers.append(_NO_STORE if reading.has_names else _FINAL if reading.is_final else _REVALIDATE)
        if is_same(exchange.if_none_match, tag):
            return Answer(b"", status=304, headers=headers)
    return Answer(reading.body, status=200, headers=[JSON, *headers])
