"""Lets what is written for the library's synchronous recorders drive a province's log.

The carried event's bytes, type and tags stand inside a test event. Its tags become tags of ours, spelled in hex where
they do not fit our grammar; its type becomes a tag, or a type of ours where the test says which. The events that stand
before (position 1 and the opening of the province) are hidden by counting positions from behind them.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import Any, ClassVar, Final, TypeVar

import msgspec
from eventsourcing.dcb.api import (
    DCBAppendCondition,
    DCBEvent,
    DCBQuery,
    DCBQueryItem,
    DCBReadResponse,
    DCBRecorder,
    DCBSequencedEvent,
    DCBSubscription,
)
from eventsourcing.dcb.popo import SimpleDCBReadResponse

from emulation_saas.kernel.events import AnyRecorded, Event, Visibility
from emulation_saas.log.sealing import read_bytes, spell_bytes
from tests.logs import Opened

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, Any]], Any]
TIMEOUT_S: Final = 20.0
_PLAIN: Final = re.compile(r"[a-z0-9._-]{1,100}")


class Carried(Event, frozen=True, kw_only=True):
    """An event of the library, whatever it says."""

    type: ClassVar[str] = "test.carried.v1"
    visibility: ClassVar[Visibility] = Visibility.SEALED
    carried_type: str
    carried_tags: list[str]
    content: str

    def tags(self) -> list[str]:
        return [_spelled("type", self.carried_type), *(_spelled("tag", tag) for tag in self.carried_tags)]

    def subject(self) -> str | None:
        return None

    def carried(self) -> DCBEvent:
        """Return what is carried."""
        return DCBEvent(type=self.carried_type, data=read_bytes(self.content), tags=list(self.carried_tags))


def bridge() -> Run:
    """Return what runs a coroutine on the loop of the caller, to be called from other threads."""
    loop = asyncio.get_running_loop()

    def run(coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(TIMEOUT_S)

    return run


class SyncRecorder(DCBRecorder):
    """A province's log as the library's own tests know a recorder."""

    def __init__(self, run: Run, province: Opened, *, own: Mapping[str, type[Carried]] | None = None) -> None:
        """Take the log as empty where it stands now.

        Args:
            run: how to wait for what is asynchronous.
            province: an open province.
            own: carried types that are carried by types of their own.
        """
        self._run = run
        self._log = province.log
        self._by = province.acting()
        self._own = own or {}
        self.before: int = run(province.log.head()).position

    def read(
        self, query: DCBQuery | None = None, *, after: int | None = None, limit: int | None = None
    ) -> DCBReadResponse:
        events, head = self._run(self._log.read(self._query(query), after=self._place(after), limit=limit))
        carried = [DCBSequencedEvent(_stored(event.event.data), event.position - self.before) for event in events]
        return SimpleDCBReadResponse(iter(carried), None if head is None else (head - self.before) or None)

    def append(self, events: Sequence[DCBEvent], condition: DCBAppendCondition | None = None) -> int:
        given = [self._event(event) for event in events]
        ours = None
        if condition is not None:
            query = self._query(condition.fail_if_events_match) or DCBQuery()
            ours = DCBAppendCondition(query, self._place(condition.after))
        position: int = self._run(self._log.append(given, ours, by=self._by))
        return position - self.before

    def subscribe(self, query: DCBQuery | None = None, *, after: int | None = None) -> "Subscription":
        assert query is None, "a log is followed as a whole"
        return Subscription(self, self._run, self._log.tail(self._place(after)), after=after)

    def _place(self, after: int | None) -> int:
        return self.before + (after or 0)

    def _event(self, event: DCBEvent) -> DCBEvent:
        event_type = self._own.get(event.type, Carried)
        carrier = event_type(carried_type=event.type, carried_tags=event.tags, content=spell_bytes(event.data))
        return DCBEvent(type=event_type.type, data=msgspec.json.encode(carrier), tags=carrier.tags())

    def _query(self, query: DCBQuery | None) -> DCBQuery | None:
        if query is None:
            return None
        return DCBQuery([ours for item in query.items for ours in self._items(item)])

    def _items(self, item: DCBQueryItem) -> list[DCBQueryItem]:
        """Return the alternatives that one item of the library is: types are told by tags, so each is one."""
        tags = [_spelled("tag", tag) for tag in item.tags]
        own = [self._own[name].type for name in item.types if name in self._own]
        as_tags = [name for name in item.types if name not in self._own]
        items = [DCBQueryItem([Carried.type], [_spelled("type", name), *tags]) for name in as_tags]
        return items if as_tags and not own else [*items, DCBQueryItem(own, tags)]


class Subscription(DCBSubscription[SyncRecorder]):
    """Follows the log as its readers do."""

    def __init__(
        self, recorder: SyncRecorder, run: Run, pages: AsyncIterator[list[AnyRecorded]], *, after: int | None
    ) -> None:
        super().__init__(recorder=recorder, after=after)
        self._run = run
        self._pages = pages
        self._page: list[AnyRecorded] = []

    def __next__(self) -> DCBSequencedEvent:
        """Return the next event, waiting for it."""
        if not self._page:
            self._page = self._run(_next_of(self._pages))
        recorded = self._page.pop(0)
        return DCBSequencedEvent(recorded.event.carried(), recorded.position - self._recorder.before)


async def _next_of(pages: AsyncIterator[T]) -> T:
    return await anext(pages)


def _stored(body: bytes) -> DCBEvent:
    return msgspec.convert(msgspec.json.decode(body)["data"], Carried).carried()


def _spelled(kind: str, text: str) -> str:
    """Spell a text as a tag; different texts give different tags."""
    return f"{kind}:{text}" if _PLAIN.fullmatch(text) else f"{kind}:hex:{text.encode().hex()}"
