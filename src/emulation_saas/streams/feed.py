"""The feed: pages of stored bytes for one reader, at once or once there is something to tell him."""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

import msgspec

from emulation_saas.http.answers import Answer, is_same
from emulation_saas.http.exchange import Exchange
from emulation_saas.http.refusals import NoSuchProvince
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.numbers import INTEGER_MAX
from emulation_saas.log import Entry, ProvinceLog
from emulation_saas.streams.pages import Page
from emulation_saas.streams.refusals import InvalidCursor, InvalidFilter
from emulation_saas.streams.sights import Looking, Selection, Sight
from emulation_saas.streams.tails import Tail

BATCH: Final = "application/cloudevents-batch+json"
NDJSON: Final = "application/x-ndjson"
SSE: Final = "text/event-stream"
VARY: Final = (b"vary", b"authorization, accept")

_POSITION: Final = re.compile(rb"0|[1-9][0-9]{0,15}")
_NO_STORE: Final = (b"cache-control", b"no-store")
_FINAL: Final = (b"cache-control", b"private, max-age=31536000, immutable")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of the feed."""

    after: int
    through: int | None
    limit: int | None
    selection: Selection

    def ends_at(self, position: int) -> bool:
        """Tell whether all that is asked for has been looked at."""
        return self.through is not None and position >= self.through

    def next_link(self, scanned_to: int) -> bytes | None:
        """Return where to go on, as a relative reference; None where there is nothing more."""
        if self.ends_at(scanned_to):
            return None
        named = {
            "after": scanned_to,
            "limit": self.limit,
            "types": ",".join(self.selection.types) or None,
            "tags": ",".join(self.selection.tags) or None,
            "through": self.through,
        }
        query = urlencode({name: value for name, value in named.items() if value is not None}, safe=",*:/")
        return f'<?{query}>; rel="next"'.encode()


class Reader:
    """Who reads a log: what he sees is judged anew whenever his powers may have become others."""

    def __init__(self, log: ProvinceLog, may: Authority, selection: Selection) -> None:
        """Begin with the powers that he came with."""
        self.log = log
        self.person = may.person
        self.sight = Sight(log, may, selection)
        """What he sees by the powers that were last judged."""
        self._selection = selection
        self._judged: int | None = None

    async def judge(self) -> Sight:
        """Return what he sees by his powers of a moment ago.

        Raises:
            NoSuchProvince: he has no role any more.
        """
        return await self._judge(self.log, min_position=0)

    async def follow(self, tail: Tail) -> Sight:
        """Return what he sees by his powers as of what the tail has read; next to nothing where they are the same.

        Raises:
            NoSuchProvince: he has no role any more.
        """
        while self._judged != tail.powers:
            judged = tail.powers
            await self._judge(tail, min_position=tail.position)
            self._judged = judged
        return self.sight

    async def _judge(self, looking: Looking, *, min_position: int) -> Sight:
        may = await self.log.authority(self.person, min_position=min_position)
        if not may.known:
            raise NoSuchProvince
        self.sight = Sight(looking, may, self._selection)
        return self.sight


def selection_of(types: str | None, tags: str | None) -> Selection:
    """Return what is selected by two lists with commas.

    Raises:
        InvalidFilter: one of them is none.
    """
    listed = {
        "types": [] if types is None else types.split(","),
        "tags": [] if tags is None else tags.split(","),
    }
    try:
        return msgspec.convert(listed, Selection)
    except msgspec.ValidationError as error:
        raise InvalidFilter(str(error)) from None


def last_event_of(exchange: Exchange) -> int | None:
    """Return the position after which a stream is taken up again; None where it is not.

    Raises:
        InvalidCursor: the header is no position.
    """
    if not exchange.last_event_id:
        return None
    if not _POSITION.fullmatch(exchange.last_event_id) or int(exchange.last_event_id) > INTEGER_MAX:
        raise InvalidCursor
    return int(exchange.last_event_id)


def page_answer(exchange: Exchange, asked: Asked, page: Page, *, media_type: str, has_waited: bool) -> Answer:
    """Return a page as the caller wants it; 304 where he holds it already.

    A page that cannot become another may be kept for ever. One that was waited for lies at the log's end.
    """
    body = page_body(page, media_type)
    tag = f'"{asked.after}-{page.scanned_to}-{sha256(body).hexdigest()[:32]}"'.encode()
    link = asked.next_link(page.scanned_to)
    is_complete = not has_waited and (page.is_full or link is None or page.scanned_to < page.head)
    exchange.asked["through"] = str(page.scanned_to)
    headers = [
        (b"log-head", b"%d" % page.head),
        (b"log-scanned-to", b"%d" % page.scanned_to),
        (b"etag", tag),
        _FINAL if is_complete else _NO_STORE,
        VARY,
    ]
    if link is not None:
        headers.append((b"link", link))
    if is_same(exchange.if_none_match, tag):
        return Answer(b"", status=304, headers=headers)
    return Answer(body, status=200, headers=[(b"content-type", media_type.encode()), *headers])


def page_body(page: Page, media_type: str) -> bytes:
    """Return the events of a page, each byte for byte as it is stored: a CloudEvents JSON batch, or lines."""
    if media_type == BATCH:
        return b"[" + b",".join([entry.body for entry in page.entries]) + b"]"
    return b"".join([line_of(entry) for entry in page.entries])


def line_of(entry: Entry) -> bytes:
    """Return an event as a line."""
    return entry.body + b"\n"
