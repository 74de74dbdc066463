"""Who acts, and where: before a route's body is read, its caller and the caller's standing in the province are known.

    token --verifier--> caller --the province's log--> person --its head--> authority

A caller without any role in a province gets the 404 of a province that does not exist, to the byte. Platform operators
are named in the settings; they act only where provinces are opened.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, cast

from litestar.datastructures.headers import Accept
from litestar.di import NamedDependency, Provide
from litestar.enums import MediaType
from litestar.params import SkipValidation

from emulation_saas.http.answers import ANSWERS, SPELLED
from emulation_saas.http.limits import IDEMPOTENCY_KEY_MAX
from emulation_saas.http.paging import page
from emulation_saas.http.parameters import demand_declared
from emulation_saas.http.refusals import (
    BadIdempotencyKey,
    NoSuchProvince,
    NoSuchThing,
    NotAcceptable,
)
from emulation_saas.http.requests import StrictRequest
from emulation_saas.http.shares import Shares
from emulation_saas.http.tokens import Caller, Verifier, token_in
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import OPERATOR, PersonId, is_handle
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.kernel.use_cases import Acting

_JSON: Final = b"application/json"
_ANYTHING: Final = frozenset({None, b"*/*", _JSON})
_VISIBLE: Final = frozenset(range(0x21, 0x7F))


class Log(Protocol):
    """What is asked of a province's log here."""

    async def person_of(self, issuer: str, sub: str) -> PersonId | None:
        """Return the person a subject of an issuer is bound to."""
        ...

    async def authority(self, person: PersonId) -> Authority:
        """Return what the person may do at the log's head."""
        ...


class Logs(Protocol):
    """What is asked of all logs here."""

    async def find(self, handle: str) -> Log | None:
        """Return the log of the province with this handle."""
        ...


class Door:
    """Lets requests in: to a province, or to the platform."""

    def __init__(self, *, logs: Logs, verifier: Verifier, operators: frozenset[Caller], shares: Shares) -> None:
        """Take the logs, what tells callers, who operates the platform, and how much each may ask."""
        self._logs = logs
        self._verifier = verifier
        self._operators = operators
        self._shares = shares

    def __deepcopy__(self, _: object) -> "Door":
        """Return itself: the framework copies a router's hooks, and there is one set of logs."""
        return self

    async def to_province(self, request: Any) -> None:  # noqa: ANN401 - the framework knows no request class of ours
        """Find out who asks which province, and what they may do there.

        Raises:
            Rejection: UnknownCaller, NoSuchProvince, TooManyRequests, ProvinceOverShare, NoSuchThing,
                MalformedParameter, NotAcceptable, BadIdempotencyKey, or what is wrong with the body, when a key makes
                its fingerprint needed.
        """
        asked = cast("StrictRequest", request)
        caller = await self._caller(asked)
        handles: dict[str, Any] = cast("dict[str, Any]", asked.scope["path_params"])
        log = await self._logs.find(handles["province"]) if is_handle(handles["province"]) else None
        person = await log.person_of(caller.issuer, caller.sub) if log is not None else None
        if log is None or person is None:
            raise NoSuchProvince
        may = await log.authority(person)
        if not may.known:
            raise NoSuchProvince
        exchange = asked.exchange
        exchange.province, exchange.person = handles["province"], person
        await self._shares.take(exchange)
        spelled: dict[str, str] = asked.route_handler.opt.get(SPELLED, {})
        if not all(_is_well_spelled(each, spelled.get(name)) for name, each in handles.items()):
            raise NoSuchThing
        demand_declared(asked)
        exchange.is_by_auditor = may.is_auditor
        _demand_acceptable(asked)
        asked.log, asked.may = log, may
        asked.acting = await _acting(asked, person)

    async def to_platform(self, request: Any) -> None:  # noqa: ANN401 - as above
        """Let operators in, and nobody else.

        Raises:
            Rejection: as for a province; NotEmpowered when the caller is known and no operator.
        """
        asked = cast("StrictRequest", request)
        if await self._caller(asked) not in self._operators:
            raise NotEmpowered
        asked.exchange.person = OPERATOR
        demand_declared(asked)
        _demand_acceptable(asked)
        asked.acting = await _acting(asked, OPERATOR)

    async def _caller(self, request: StrictRequest) -> Caller:
        token = token_in(request.exchange.authorization)
        return self._verifier.remembered(token) or await self._verifier.verify(token)


async def _acting(request: StrictRequest, person: PersonId) -> Acting:
    key = request.exchange.idempotency_key
    if key is None or request.scope["method"] != "POST":
        return Acting(person=person)
    if not 1 <= len(key) <= IDEMPOTENCY_KEY_MAX or not _VISIBLE.issuperset(key):
        raise BadIdempotencyKey
    return Acting(person=person, idempotency_key=key.decode(), fingerprint=await request.fingerprint())


def _demand_acceptable(request: StrictRequest) -> None:
    accept = request.exchange.accept
    if accept in _ANYTHING and (accept != _JSON or ANSWERS not in request.route_handler.opt):
        return
    named = request.route_handler.media_type or MediaType.JSON
    media_type = named.value if isinstance(named, MediaType) else named
    offered = list(request.route_handler.opt.get(ANSWERS, [media_type]))
    try:
        best = Accept(cast("bytes", accept).decode("latin-1")).best_match(offered)
    except OverflowError:  # a weight that is infinite
        best = None
    if best is None:
        raise NotAcceptable
    request.exchange.media_type = best


def _is_well_spelled(value: object, pattern: str | None) -> bool:
    if not isinstance(value, str):
        return True
    return is_handle(value) if pattern is None else re.fullmatch(pattern, value.removeprefix("/")) is not None


# What routes are given. Each asks for the one before it: the framework resolves dependencies that know nothing of each
# other in a task group, which costs more than all of them together.


def _log(request: StrictRequest) -> Any:  # noqa: ANN401 - the log's own class, which is not known here
    return request.log


def _acting_of(request: StrictRequest, log: NamedDependency[SkipValidation[Any]]) -> Any:  # noqa: ANN401, ARG001 - Acting; see above
    return request.acting


def _authority(request: StrictRequest, acting: NamedDependency[SkipValidation[Any]]) -> Any:  # noqa: ANN401, ARG001 - Authority; see above
    return request.may


def province_dependencies(given: Mapping[str, object]) -> dict[str, Provide]:
    """Return what a province's routes may ask for: `log`, `acting`, `authority`, `page`, and what is given by name."""
    return {
        "log": Provide(_log, sync_to_thread=False),
        "acting": Provide(_acting_of, sync_to_thread=False),
        "authority": Provide(_authority, sync_to_thread=False),
        "page": Provide(page, sync_to_thread=False),
        **{name: Provide(_constant(value), sync_to_thread=False) for name, value in given.items()},
    }


def _constant(value: object) -> Callable[..., Any]:
    def constant(authority: NamedDependency[SkipValidation[Any]]) -> Any:  # noqa: ANN401, ARG001 - see above
        return value

    return constant


def platform_dependencies(logs: Logs, verifier: Verifier) -> dict[str, Provide]:
    """Return what the platform's routes may ask for: `logs`, `acting`, `verifier`."""

    def _logs() -> Any:  # noqa: ANN401 - as above
        return logs

    def _acting_here(request: StrictRequest, logs: NamedDependency[SkipValidation[Any]]) -> Any:  # noqa: ANN401, ARG001 - as above
        return request.acting

    def _verifier(acting: NamedDependency[SkipValidation[Any]]) -> Any:  # noqa: ANN401, ARG001 - as above
        return verifier

    return {
        "logs": Provide(_logs, sync_to_thread=False),
        "acting": Provide(_acting_here, sync_to_thread=False),
        "verifier": Provide(_verifier, sync_to_thread=False),
    }
