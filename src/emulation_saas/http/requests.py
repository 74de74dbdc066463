"""The request as routes see it: a body in one spelling, decoded strictly by the type its route declares.

The framework would read bodies leniently (`"2023"` for 2023, a key twice, any depth); here they are read once, by
`strict_json`, and decoded from the canonical bytes, so that what is fingerprinted is what is obeyed.
"""

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec
from litestar import Request
from litestar.enums import MediaType
from litestar.types import Receive, Scope, Send

from emulation_saas.http.exchange import exchange_of
from emulation_saas.http.limits import BODY_BYTES_MAX
from emulation_saas.http.refusals import BadRequest, BodyTooLarge, Fault, MalformedBody, UnsupportedMediaType
from emulation_saas.http.strict_json import canonical

if TYPE_CHECKING:
    from emulation_saas.http.acting import Log
    from emulation_saas.kernel.authority import Authority
    from emulation_saas.kernel.use_cases import Acting

_DECODER: Final = "emulation.body_decoder"
_AT: Final = re.compile(r"^(?P<what>.*?)(?: - at `(?P<where>[^`]*)`)?$", re.DOTALL)
_FIELD: Final = re.compile(r"^Object (?:contains unknown|missing required) field `(?P<name>.*)`$", re.DOTALL)
_STEP: Final = re.compile(r"\.(?P<key>[^.\[]+)|\[(?P<index>\d+)\]")
_JSON: Final = frozenset({b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"})


class StrictRequest(Request[Any, Any, Any]):
    """A request whose body is read strictly, and who asks where, once `acting` has found out."""

    __slots__ = ("acting", "canonical_body", "exchange", "log", "may")

    def __init__(self, scope: Scope, receive: Receive = None, send: Send = None) -> None:  # type: ignore[assignment] # pyright: ignore[reportArgumentType] - the framework always gives all three
        """Take the scope and the exchange in it."""
        super().__init__(scope, receive, send)
        self.exchange = exchange_of(scope)
        self.canonical_body: bytes | None = None
        self.log: Log | None = None
        self.may: Authority | None = None
        self.acting: Acting | None = None

    async def body(self) -> bytes:
        """Return the body in its one spelling.

        Raises:
            Rejection: UnsupportedMediaType, BodyTooLarge, or what `strict_json.canonical` raises.
        """
        if self.canonical_body is None:
            self._demand_json()
            self.canonical_body = canonical(await self._received())
        return self.canonical_body

    async def json(self) -> Any:  # noqa: ANN401 - whatever the route declares
        """Return the body decoded by the type that the route declares.

        Raises:
            MalformedBody: it is of another shape.
        """
        return self._decoder()(await self.body())

    async def fingerprint(self) -> bytes:
        """Return the SHA-256 over method, path and canonical body."""
        digest = sha256(self.scope["method"].encode())
        digest.update(b"\n" + self.scope["path"].encode() + b"\n")
        digest.update(await self.body())
        return digest.digest()

    def _decoder(self) -> Any:  # noqa: ANN401 - a function from bytes to the route's type
        opt: dict[str, Any] = self.route_handler.opt
        decoder = opt.get(_DECODER)
        if decoder is None:
            annotation = self.route_handler.parsed_fn_signature.parameters["data"].annotation
            decoder = opt[_DECODER] = body_decoder(annotation)
        return decoder

    def _demand_json(self) -> None:
        exchange = self.exchange
        if exchange.content_type is None or exchange.content_type.lower() not in _JSON:
            detail = f"send {MediaType.JSON.value}"
            raise UnsupportedMediaType(detail)
        if exchange.content_encoding not in {None, b"identity"}:
            detail = "send it without content-encoding"
            raise UnsupportedMediaType(detail)

    async def _received(self) -> bytes:
        announced = self.exchange.content_length
        if announced is not None and (not announced.isdigit() or int(announced[:20]) > BODY_BYTES_MAX):
            raise BodyTooLarge
        received = b""
        while True:
            message = await self.receive()
            if message["type"] != "http.request":
                detail = "the caller went away"
                raise BadRequest(detail)
            received += message["body"]
            if len(received) > BODY_BYTES_MAX:
                raise BodyTooLarge
            if not message.get("more_body", False):
                self.exchange.body_read = True
                return received


def body_decoder(annotation: Any) -> Any:  # noqa: ANN401 - a function from bytes to the annotated type
    """Return what decodes canonical bytes into a type, or says where they do not fit."""
    decode = msgspec.json.Decoder(annotation).decode

    def decoded(data: bytes) -> Any:  # noqa: ANN401 - as above
        try:
            return decode(data)
        except msgspec.ValidationError as error:
            raise MalformedBody(errors=[fault_of(str(error))]) from None

    return decoded


def fault_of(message: str) -> Fault:
    """Return where in a body msgspec found what, as a JSON pointer: ``Expected `int` … - at `$.a[0]` `` is `/a/0`."""
    found = _AT.fullmatch(message)
    what, where = (found["what"], found["where"] or "") if found else (message, "")
    pointer = "".join("/" + (step["key"] or step["index"]) for step in _STEP.finditer(where))
    if field := _FIELD.fullmatch(what):
        pointer += "/" + field["name"].replace("~", "~0").replace("/", "~1")
    return Fault(detail=what[:300], pointer=pointer[:300])
