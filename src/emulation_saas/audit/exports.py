"""A log as one tar file, checkable offline: signed checkpoint, key, tiles of the whole tree, entries.

    checkpoint   vkey   export.json   tile/{level}/{N}[.p/{W}] …   tile/entries/{N}[.p/{W}] … | entries.ndjson

Whoever may see every event gets the entries in the layout of tlog-tiles; everybody else a line a position, with the
entry or, where it is hidden from him, its leaf hash. The same log gives the same bytes. It is read a page at a time and
nothing is held open in between, however slow the reader is.
"""

import base64
import tarfile
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from emulation_saas.audit.layout import entries_path, tile_path
from emulation_saas.audit.signing import Signer, named_vkeys
from emulation_saas.log import Entry, ProvinceLog
from emulation_saas.log.merkle import TILE_HASHES

FORMAT: Final = "emulation-export.v1"
_LEVELS: Final = 8
_BLOCK: Final = 512
_encode: Final = msgspec.json.Encoder(order="sorted").encode

Sees = Callable[[Entry], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Which entries are exported: from the beginning of a bundle to the position that is the tree's size."""

    first: int
    last: int

    @staticmethod
    def of(first: int, last: int) -> "Span":
        """Return the span that begins with the bundle in which `first` lies."""
        return Span(first=(first - 1) // TILE_HASHES * TILE_HASHES + 1, last=last)


async def exported(signer: Signer, log: ProvinceLog, span: Span, sees: Sees | None = None) -> AsyncGenerator[bytes]:
    """Yield the tar, piece by piece.

    Args:
        signer: signs its checkpoint.
        log: of the province.
        span: which entries; its last position is the size of the tree.
        sees: which entries are shown; None: all of them, in the layout of tlog-tiles.

    Raises:
        SizeBeyondHead: the log has not reached the span's last position.
        LogForked: the log contradicts what was signed.
    """
    note = await signer.note(log, span.last)
    await signer.demand_tree(log, note)
    first, *_ = await named_vkeys(log)
    about = {"format": FORMAT, "from": span.first, "origin": note.partition("\n")[0], "to": span.last}
    yield _file("checkpoint", note.encode())
    yield _file("vkey", f"{first}\n".encode())
    yield _file("export.json", _encode(about) + b"\n")
    for level in range(_LEVELS):
        hashes = span.last >> (8 * level)
        for begin in range(0, hashes, TILE_HASHES):
            width = min(TILE_HASHES, hashes - begin)
            tile = await log.tree.hashes(level, begin, width)
            yield _file(tile_path(level, begin // TILE_HASHES, width), tile)
    if sees is None:
        async for bundle in _bundles(log, span):
            name = entries_path((bundle[0].position - 1) // TILE_HASHES, len(bundle))
            yield _file(name, entry_bundle(bundle))
    else:
        async for piece in _lines(log, span, sees):
            yield piece
    yield bytes(2 * _BLOCK)


def archived(files: Mapping[str, bytes]) -> bytes:
    """Return a small tar of these files, in their order; the same files give the same bytes."""
    return b"".join(_file(name, content) for name, content in files.items()) + bytes(2 * _BLOCK)


def entry_bundle(entries: list[Entry]) -> bytes:
    """Return entries as tlog-tiles bundles them: each after its length in two bytes, big-endian."""
    return b"".join(len(entry.body).to_bytes(2, "big") + entry.body for entry in entries)


async def _bundles(log: ProvinceLog, span: Span) -> AsyncGenerator[list[Entry]]:
    for after in range(span.first - 1, span.last, TILE_HASHES):
        yield await log.entries(after=after, through=min(after + TILE_HASHES, span.last))


async def _lines(log: ProvinceLog, span: Span, sees: Sees) -> AsyncGenerator[bytes]:
    """Yield `entries.ndjson`. A tar tells a file's size before its content, so all is read twice."""
    seen = bytearray()
    size = 0
    async for bundle in _bundles(log, span):
        for entry in bundle:
            seen.append(sees(entry))
            size += len(_line(entry, is_seen=bool(seen[-1])))
    yield _header("entries.ndjson", size)
    async for bundle in _bundles(log, span):
        yield b"".join(_line(entry, is_seen=bool(seen[entry.position - span.first])) for entry in bundle)
    yield _padding(size)


def _line(entry: Entry, *, is_seen: bool) -> bytes:
    name, told = ("entry", entry.body) if is_seen else ("leaf_hash", entry.leaf_hash)
    return b'{"%s":"%s","position":%d}\n' % (name.encode(), base64.b64encode(told), entry.position)


def _file(name: str, content: bytes) -> bytes:
    return _header(name, len(content)) + content + _padding(len(content))


def _header(name: str, size: int) -> bytes:
    about = tarfile.TarInfo(name)
    about.size = size
    return about.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)
