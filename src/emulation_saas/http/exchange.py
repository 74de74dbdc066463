"""One request and its answer: what is known of it outside the route, for headers, problems and the log line."""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from emulation_saas.http.limits import HEADER_BYTES_MAX
from emulation_saas.http.refusals import AmbiguousHeader, HeadersTooLarge

if TYPE_CHECKING:
    import asyncio

    from emulation_saas.log.course import Course

_SINGLE: Final = {
    b"authorization": "authorization",
    b"content-type": "content_type",
    b"content-encoding": "content_encoding",
    b"content-length": "content_length",
    b"idempotency-key": "idempotency_key",
    b"accept": "accept",
    b"accept-language": "accept_language",
    b"if-none-match": "if_none_match",
    b"last-event-id": "last_event_id",
    b"prefer": "prefer",
}
"""The headers the service obeys. It reads no other, so no X-Forwarded-* and no Forwarded can mean anything."""
_JOINED: Final = {"accept", "accept_language", "if_none_match", "prefer"}
"""Lists, which may be given in parts."""


class Exchange:
    """A request on its way. Made for each before anything else; lives in the scope's state."""

    __slots__ = (
        "accept",
        "accept_language",
        "answered_s",
        "asked",
        "authorization",
        "body_read",
        "code",
        "content_encoding",
        "content_length",
        "content_type",
        "course",
        "deadline",
        "endings",
        "idempotency_key",
        "if_none_match",
        "is_aside",
        "is_by_auditor",
        "last_event_id",
        "leavings",
        "media_type",
        "person",
        "position",
        "prefer",
        "province",
        "read_for",
        "request_id",
        "started_at",
        "status",
    )

    def __init__(self) -> None:
        """Mint the request's id; clients have no say in it."""
        self.request_id = str(uuid4())
        self.started_at = perf_counter()
        self.status = 0
        """Of the answer, once begun."""
        self.answered_s: float | None = None
        """How long it took until then."""
        self.code: str | None = None
        """Of the refusal that it was answered with."""
        self.course: Course | None = None
        """Of the batch that its command was decided in (`note_course`)."""
        self.body_read = False
        self.province: str | None = None
        self.person: str | None = None
        self.position: int | None = None
        self.is_by_auditor = False
        self.asked: dict[str, str] = {}
        """What is asked about, where the path does not say it: goes on record with the path."""
        self.read_for: set[str] = set()
        """Why the answer is a read that has to be recorded (`note_read`)."""
        self.endings: list[Callable[[], None]] = []
        """What is to be done when the request has ended (`when_ended`)."""
        self.leavings: list[Callable[[], None]] = []
        """Has it count no longer where requests in flight are counted (`leave`)."""
        self.is_aside = False
        """It waits for events, or is sent them (`step_aside`)."""
        self.deadline: asyncio.Timeout | None = None
        """When it must be answered (`wait_longer`)."""
        self.media_type: str | None = None
        """Of the answer, where the caller chose among several; None: the first of them."""
        self.authorization: bytes | None = None
        self.content_type: bytes | None = None
        self.content_encoding: bytes | None = None
        self.content_length: bytes | None = None
        self.idempotency_key: bytes | None = None
        self.accept: bytes | None = None
        self.accept_language: bytes | None = None
        self.if_none_match: bytes | None = None
        self.last_event_id: bytes | None = None
        self.prefer: bytes | None = None

    def read_headers(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Take the headers that are obeyed, in one pass.

        Raises:
            HeadersTooLarge: all together they are longer than allowed.
            AmbiguousHeader: one that must be single is given twice.
        """
        size = 0
        for name, value in headers:
            size += len(name) + len(value)
            if (attribute := _SINGLE.get(name)) is None:
                continue
            before = getattr(self, attribute)
            if before is None:
                setattr(self, attribute, value)
            elif attribute in _JOINED:
                setattr(self, attribute, before + b", " + value)
            else:
                raise AmbiguousHeader(name.decode())
        if size > HEADER_BYTES_MAX:
            raise HeadersTooLarge

    def begin_answer(self, status: int) -> None:
        """Note that the answer has begun."""
        self.status, self.answered_s = status, perf_counter() - self.started_at

    def leave(self) -> None:
        """Have it count as in flight no longer. Doing it again changes nothing."""
        while self.leavings:
            self.leavings.pop()()

    @property
    def took_ms(self) -> float:
        """How long it has taken so far."""
        return round((perf_counter() - self.started_at) * 1000, 3)


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def begin_exchange() -> Exchange:
    """Make the exchange of the request that this task answers."""
    exchange = Exchange()
    _current.set(exchange)
    return exchange


def note_read(reason: str) -> None:
    """Say that the answer being made shows what may be shown on record only; outside a request there is no answer.

    Whoever opens personal data for an answer says so here, whichever route asked: no route has to remember it.
    """
    exchange = _current.get()
    if exchange is not None:
        exchange.read_for.add(reason)


def when_ended(release: Callable[[], None]) -> None:
    """Have something given back when the request that this task answers has ended, however it ends."""
    exchange = _current.get()
    if exchange is None:
        raise LookupError
    exchange.endings.append(release)


def step_aside() -> None:
    """Have the request that this task answers count as in flight no longer: it waits, and costs next to nothing."""
    exchange = _current.get()
    if exchange is not None:
        exchange.is_aside = True
        exchange.leave()


def note_course(course: "Course") -> None:
    """Say which batch the command of the request that this task answers was decided in."""
    exchange = _current.get()
    if exchange is not None:
        exchange.course = course


def wait_longer(wait_s: float) -> None:
    """Give the request that this task answers more time, as its caller asked to wait."""
    exchange = _current.get()
    if exchange is not None and exchange.deadline is not None and (when := exchange.deadline.when()) is not None:
        exchange.deadline.reschedule(when + wait_s)


def exchange_of(scope: Any) -> Exchange:  # noqa: ANN401 - each framework layer types the ASGI scope in its own way
    """Return the exchange a scope belongs to."""
    exchange: Exchange = scope["state"]["exchange"]
    return exchange
