"""Pages of lists: a limit, and an opaque cursor that says where the last page ended and of which position it was.

A cursor holds the position, so that all pages of one walk are of one snapshot, however long the caller takes.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Annotated, Any, Final

import msgspec
from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation
from msgspec import Meta

from emulation_saas.http.limits import CURSOR_CHARS_MAX, PAGE_DEFAULT, PAGE_MAX
from emulation_saas.http.refusals import BadCursor
from emulation_saas.kernel.numbers import INTEGER_MAX

_MARK_BYTES: Final = 6


class _Place(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    position: Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
    after: Annotated[str, Meta(min_length=1, max_length=200)]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What part of a list is asked for."""

    limit: int = PAGE_DEFAULT
    cursor: str | None = None

    def start(self, of: str) -> tuple[int | None, str | None]:
        """Return the position to read at and the key to read after; None and None for the first page.

        Args:
            of: names the list with its filters; a cursor of another list is refused.

        Raises:
            BadCursor: it was not given by this list.
        """
        if self.cursor is None:
            return None, None
        try:
            raw = urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4))
            mark, place = raw[:_MARK_BYTES], msgspec.msgpack.decode(raw[_MARK_BYTES:], type=_Place)
        except (ValueError, msgspec.MsgspecError) as error:
            raise BadCursor from error
        if mark != _mark(of, raw[_MARK_BYTES:]) or _spell(raw) != self.cursor:
            raise BadCursor
        return place.position, place.after


def cursor(*, of: str, position: int, after: str) -> str:
    """Return the cursor that goes on after a key, in the snapshot at a position."""
    place = msgspec.msgpack.encode(_Place(position, after))
    return _spell(_mark(of, place) + place)


def page(
    authority: NamedDependency[SkipValidation[Any]],  # noqa: ARG001 - dependencies ask for one another, see `acting`
    limit: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="How many at most")] = PAGE_DEFAULT,
    cursor: Annotated[str | None, QueryParameter(description="The cursor that the page before gave")] = None,
) -> Page:
    """Read which part of a list is asked for."""
    if cursor is not None and len(cursor) > CURSOR_CHARS_MAX:
        raise BadCursor
    return Page(limit=limit, cursor=cursor)


def _spell(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _mark(of: str, place: bytes) -> bytes:
    """Tell one list's cursors from another's. It is no secret: a cursor grants nothing."""
    return sha256(of.encode() + b"\n" + place).digest()[:_MARK_BYTES]
