"""What HTTP itself refuses, before or beside any use case: codes and statuses, the docstring being the title."""

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.kernel.rejections import Conflict, Forbidden, Invalid, NotFound, Rejection


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One place in the request that is wrong."""

    detail: str
    pointer: str | UnsetType = UNSET
    """JSON pointer into the body."""
    parameter: str | UnsetType = UNSET
    """Name in the path, the query or the headers."""


class Refusal(Rejection):
    """A refusal by the protocol, with a status of its own."""

    status: ClassVar[int]
    retry_after_s: int | None = None


class BadRequest(Refusal):
    """The request is not HTTP as this service speaks it."""

    code = "bad-request"
    status = 400


class AmbiguousHeader(Refusal):
    """A header that must be single is given twice."""

    code = "ambiguous-header"
    status = 400


class MalformedJson(Refusal):
    """The body is not JSON in UTF-8."""

    code = "malformed-json"
    status = 400


class UnknownCaller(Refusal):
    """The bearer token is missing or not accepted."""

    code = "unknown-caller"
    status = 401


class NoSuchRoute(NotFound):
    """There is nothing at this path."""

    code = "no-such-route"


class NoSuchProvince(NotFound):
    """There is no such province, or the caller has no role in it."""

    code = "no-such-province"


class NoSuchThing(NotFound):
    """Nothing can bear this handle."""

    code = "no-such-thing"


class MethodNotAllowed(Refusal):
    """The path does not answer this method."""

    code = "method-not-allowed"
    status = 405


class NotAcceptable(Refusal):
    """The answer exists in no media type that the request accepts."""

    code = "not-acceptable"
    status = 406


class RequestTooSlow(Refusal):
    """The request did not arrive in time."""

    code = "request-too-slow"
    status = 408


class BodyTooLarge(Refusal):
    """The body is longer than a command may be."""

    code = "body-too-large"
    status = 413


class TargetTooLong(Refusal):
    """Path and query are longer than allowed."""

    code = "target-too-long"
    status = 414


class UnsupportedMediaType(Refusal):
    """Commands are application/json in UTF-8, not compressed."""

    code = "unsupported-media-type"
    status = 415


class _TooMuch(Refusal):
    """More is asked than is fair to the others."""

    status = 429

    def __init__(self, detail: str | None = None, *, retry_after_s: int = 1) -> None:
        """Say when to come back, in seconds."""
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class TooManyRequests(_TooMuch):
    """The caller asks more often than allowed."""

    code = "too-many-requests"


class ProvinceOverShare(_TooMuch):
    """The province asks for more than its share of the service."""

    code = "province-over-share"


class HeadersTooLarge(Refusal):
    """The headers are longer than allowed."""

    code = "headers-too-large"
    status = 431


class InternalError(Refusal):
    """The service failed. The request id finds the reason in its logs."""

    code = "internal-error"
    status = 500


class OutcomeUnknown(Refusal):
    """It is not known whether the command was recorded. Repeat it with the same Idempotency-Key."""

    code = "outcome-unknown"
    status = 503
    retry_after_s = 1


class Busy(Refusal):
    """The service has too much to do just now."""

    code = "busy"
    status = 503
    retry_after_s = 1


class NotReady(Refusal):
    """This process cannot serve just now: its database does not answer, or what it does by itself does not move."""

    code = "not-ready"
    status = 503
    retry_after_s = 2


class IssuerUnavailable(Refusal):
    """The keys of the token's issuer cannot be had, so nobody of it can be told from anybody else."""

    code = "issuer-unavailable"
    status = 503
    retry_after_s = 5


class _Misshapen(Invalid):
    """It is well formed and of the wrong shape."""

    def __init__(self, detail: str | None = None, *, errors: Sequence[Fault] = ()) -> None:
        """Take the places that are wrong."""
        super().__init__(detail)
        self.errors = tuple(errors)


class MalformedBody(_Misshapen):
    """The body does not have the shape this command takes."""

    code = "malformed-body"


class MalformedParameter(_Misshapen):
    """A parameter of the path or the query does not have the shape it must have."""

    code = "malformed-parameter"


class DuplicateKey(Invalid):
    """An object of the body names the same key twice."""

    code = "duplicate-key"


class TooDeep(Invalid):
    """Objects and arrays stand too deep inside each other."""

    code = "too-deep"


class NotAnInteger(Invalid):
    """Numbers in bodies are integers; decimals are written as strings."""

    code = "not-an-integer"


class IntegerOutOfRange(Invalid):
    """An integer lies beyond plus or minus 2^53."""

    code = "integer-out-of-range"


class ForbiddenCharacter(Invalid):
    """A text holds a control character, half a surrogate pair, or a key that is not ASCII."""

    code = "forbidden-character"


class BadIdempotencyKey(Invalid):
    """An Idempotency-Key is 1 to 200 visible ASCII characters."""

    code = "bad-idempotency-key"


class BadCursor(Invalid):
    """The cursor was not given by this list."""

    code = "bad-cursor"


class BadLimit(Invalid):
    """A limit is a whole number from 1 to 1000."""

    code = "bad-limit"


STATUS: dict[type[Rejection], int] = {NotFound: 404, Forbidden: 403, Conflict: 409, Invalid: 422}
"""The one table from a rejection's kind to a status. What HTTP refuses by itself carries its own."""


def status_of(rejection: Rejection) -> int:
    """Return the status of a rejection; 500 for one of no kind, which is a fault of ours."""
    if isinstance(rejection, Refusal):
        return rejection.status
    return next((status for kind, status in STATUS.items() if isinstance(rejection, kind)), 500)
