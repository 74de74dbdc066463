"""Refusals on the wire: problem documents by RFC 9457, in the caller's language, telling nothing that is not theirs.

Each has a `type` (`urn:emulation:problem:{code}`), a `code` that never changes, and as `instance` the request's id, by
which the service's own log line is found. What we did not foresee is 500 `internal-error`: it shows nothing and logs
everything.
"""

from typing import Any, Final, cast

import asyncpg
import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from msgspec import UNSET, UnsetType

from emulation_saas.http.answers import Answer
from emulation_saas.http.exchange import Exchange, exchange_of
from emulation_saas.http.languages import language_of, title_of
from emulation_saas.http.parameters import faults_of
from emulation_saas.http.refusals import (
    BadCursor,
    BadLimit,
    BadRequest,
    BodyTooLarge,
    Busy,
    Fault,
    InternalError,
    MalformedParameter,
    MethodNotAllowed,
    NoSuchRoute,
    NotAcceptable,
    OutcomeUnknown,
    Refusal,
    TooManyRequests,
    UnknownCaller,
    UnsupportedMediaType,
    status_of,
)
from emulation_saas.kernel.rejections import NotEmpowered, Rejection
from emulation_saas.log.faults import OutcomeUnknownError

MEDIA_TYPE: Final = "application/problem+json"
_DETAIL_MAX: Final = 500
"""Details may quote the request; they are cut so that no answer can be blown up."""
_BY_STATUS: Final[dict[int, type[Rejection]]] = {
    400: BadRequest,
    401: UnknownCaller,
    403: NotEmpowered,
    404: NoSuchRoute,
    405: MethodNotAllowed,
    406: NotAcceptable,
    413: BodyTooLarge,
    415: UnsupportedMediaType,
    429: TooManyRequests,
    503: Busy,
}
"""What the framework refuses by itself, in our words."""
_BY_PARAMETER: Final[dict[str, type[Rejection]]] = {"limit": BadLimit, "cursor": BadCursor}

_encode: Final = msgspec.json.Encoder().encode
_log: Final = structlog.get_logger()

_FAULTS: Final[dict[type[Exception], type[Refusal]]] = {
    OutcomeUnknownError: OutcomeUnknown,
    OSError: Busy,
    asyncpg.PostgresConnectionError: Busy,
    asyncpg.OperatorInterventionError: Busy,
    asyncpg.InsufficientResourcesError: Busy,
    asyncpg.InterfaceError: Busy,
    asyncpg.InternalClientError: Busy,
}
"""What answers when the machinery below fails in a way that passes: the caller may ask again. A database that has gone
is an OSError (its socket is missing, it resets, it does not answer in time) or, from asyncpg, one of several families.
"""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    instance: str
    detail: str | UnsetType = UNSET
    errors: list[Fault] | UnsetType = UNSET


def problem(exchange: Exchange, rejection: Rejection) -> Answer:
    """Return the answer that tells of a rejection."""
    language = language_of(exchange.accept_language)
    kind = type(rejection)
    status = status_of(rejection)
    exchange.code = kind.code
    errors: tuple[Fault, ...] = getattr(rejection, "errors", ())
    told = Problem(
        type=f"urn:emulation:problem:{kind.code}",
        title=title_of(kind, language),
        status=status,
        code=kind.code,
        instance=f"urn:uuid:{exchange.request_id}",
        detail=rejection.detail[:_DETAIL_MAX] if rejection.detail else UNSET,
        errors=list(errors) or UNSET,
    )
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-language", language.encode()),
        (b"vary", b"authorization, accept-language"),
        (b"cache-control", b"no-store"),
    ]
    if status == UnknownCaller.status:
        headers.append((b"www-authenticate", b'Bearer realm="emulation"'))
    if isinstance(rejection, Refusal) and rejection.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % rejection.retry_after_s))
    return Answer(_encode(told), status=status, headers=headers)


def exception_handlers() -> dict[Any, Any]:
    """Return what answers every exception: ours, the framework's, the machinery's and all others."""
    handlers: dict[Any, Any] = dict.fromkeys(_FAULTS, _on_fault)
    handlers |= {
        Rejection: _on_rejection,
        ValidationException: _on_validation,
        HTTPException: _on_http_exception,
        Exception: _on_anything,
    }
    return handlers


def _on_fault(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    refusal = next(refusal for kind, refusal in _FAULTS.items() if isinstance(error, kind))
    exchange = exchange_of(request.scope)
    _log.warning(refusal.code, request_id=exchange.request_id, province=exchange.province, exc_info=error)
    return problem(exchange, refusal())


def _on_rejection(request: Request[Any, Any, Any], rejection: Rejection) -> Response[Any]:
    if status_of(rejection) == InternalError.status:
        return _on_anything(request, rejection)
    return problem(exchange_of(request.scope), rejection)


def _on_validation(request: Request[Any, Any, Any], error: ValidationException) -> Response[Any]:
    """Answer a path or query parameter of the wrong shape; bodies are decoded by `requests`, not by the framework."""
    errors = faults_of(request, cast("list[dict[str, Any]]", error.extra or []))
    if len(errors) == 1 and (kind := _BY_PARAMETER.get(str(errors[0].parameter))):
        return problem(exchange_of(request.scope), kind())
    return problem(exchange_of(request.scope), MalformedParameter(errors=errors))


def _on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    kind = _BY_STATUS.get(error.status_code)
    if kind is None:
        return _on_anything(request, error)
    answer = problem(exchange_of(request.scope), kind())
    if error.headers and "allow" in error.headers:
        allowed = ", ".join(sorted(error.headers["allow"].split(", ")))
        answer.raw_headers.append((b"allow", allowed.encode()))
    return answer


def _on_anything(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Show nothing, log everything."""
    scope: Any = request.scope
    exchange = exchange_of(scope)
    _log.error(
        InternalError.code,
        request_id=exchange.request_id,
        province=exchange.province,
        route=scope.get("path_template"),
        exc_info=error,
    )
    return problem(exchange, InternalError())
