"""The blocks of a stream of Server-Sent Events, cut from its bytes by the rules of the HTML standard (section 9.2).

Libraries for this give text, forget an id that stands alone, and take lines of any length. But what is hashed are
bytes, an id that stands alone says how far a filter has looked, and who listens to a stranger bounds what he keeps.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from emulation_saas.client.faults import MalformedError

BLOCK_BYTES_MAX: Final = 131_072
"""Of one line, and of the data of one block: twice what an event can have."""
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two empty lines."""

    id: str
    """The last id there was, in this block or before it."""
    type: str
    data: bytes | None
    """None when the block brought an id and nothing else: that is nothing to dispatch, but the id counts."""


class Blocks:
    """Takes a stream's bytes in pieces of any size. What is not ended by an empty line is never given out."""

    def __init__(self) -> None:
        """Begin a stream."""
        self.retry_s: float | None = None
        """How long the server wants to be left alone before it is asked again, if it said so."""
        self._rest = b""
        self._is_after_cr = False
        self._is_first_line = True
        self._id = ""
        self._type = ""
        self._data: list[bytes] = []
        self._size = 0
        self._has_id = False

    def take(self, piece: bytes) -> Iterator[Block]:
        """Give the blocks that a piece completes.

        Raises:
            MalformedError: a line or a block is longer than any event.
        """
        for line in self._lines(piece):
            if line:
                self._field(line)
                continue
            if self._data or self._has_id:
                yield Block(self._id, self._type or "message", b"\n".join(self._data) if self._data else None)
            self._type, self._data, self._size, self._has_id = "", [], 0, False

    def _lines(self, piece: bytes) -> Iterator[bytes]:
        if self._is_after_cr and piece:
            piece = piece.removeprefix(b"\n")
            self._is_after_cr = False
        received = self._rest + piece
        begin = 0
        for end in _LINE_END.finditer(received):
            line = received[begin : end.start()]
            begin = end.end()
            self._is_after_cr = begin == len(received) and end[0] == b"\r"
            self._require_short(len(line))
            if self._is_first_line:
                line = line.removeprefix(_BYTE_ORDER_MARK)
                self._is_first_line = False
            yield line
        self._rest = received[begin:]
        self._require_short(len(self._rest))

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match name:
            case b"data":
                self._data.append(value)
                self._size += len(value) + 1
                self._require_short(self._size)
            case b"id" if b"\0" not in value:
                self._id = value.decode(errors="replace")
                self._has_id = True
            case b"event":
                self._type = value.decode(errors="replace")
            case b"retry" if value.isdigit() and len(value) < 10:  # noqa: PLR2004 - more is no wish but an error
                self.retry_s = int(value) / 1_000
            case _:  # a comment, as pings are, or a field that nobody knows
                return

    @staticmethod
    def _require_short(size: int) -> None:
        if size > BLOCK_BYTES_MAX:
            raise MalformedError(f"a block of over {BLOCK_BYTES_MAX} bytes is no event")
