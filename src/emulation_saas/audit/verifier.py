"""Check a province's log offline. One file, standard library and `cryptography`; it believes nothing the service says.

Read it from top to bottom, and take it with you: `python verifier.py --help`.

1. The tree: RFC 6962 hashes, roots, and the two proofs of RFC 9162 (2.1.3.2 inclusion, 2.1.4.2 consistency).
2. Signed notes: C2SP signed-note and tlog-checkpoint with Ed25519; the checkpoint's body is exactly three lines.
3. Archives: an uncompressed tar, read where it lies. Nothing is unpacked, everything is bounded.
4. Events: canonical JSON whose bytes name their own position.
5. Trust: which keys count, and heads that were seen before.
6. The checks, one a subcommand.  7. The command line.

Exit status: 0 all that was checked is in order; 1 tampered with (the first bad position is named where there is one);
2 cannot tell, as of a file that is no such thing at all. What a check did not cover is always printed.

Whatever here reads or demands something raises TamperedError where that is not so.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Final, TypeVar, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

OK, TAMPERED, CANNOT_TELL = 0, 1, 2
HASH_BYTES: Final = 32
TILE_WIDTH: Final = 256
ENTRY_BYTES_MAX: Final = 65_535
NOTE_BYTES_MAX: Final = 131_072  # 16 signatures of the largest kind there is
SIGNATURES_MAX: Final = 16
MEMBERS_MAX: Final = 200_000  # a log of 25 million events
DOCUMENT_BYTES_MAX: Final = 1 << 24
LINE_BYTES_MAX: Final = 90_000  # an entry in base64, and what stands around it
PATH_HASHES_MAX: Final = 128
RANGES_SHOWN: Final = 20


class TamperedError(Exception):
    """What was given is not what the log's keeper signed, or cannot be parsed."""

    def __init__(self, reason: str, position: int | None = None) -> None:
        """Say why and, where it can be said, at which position first."""
        super().__init__(reason)
        self.position = position


class CannotTellError(Exception):
    """What was given is not enough to decide."""


def demand_kind(name: str, data: bytes, what: str, *, is_one: bool) -> None:
    """Demand that a file is what it was given for, damaged or not: of a refusal that was saved nobody can tell."""
    if is_one:
        return
    start = data.lstrip()[:1]
    found = "it is something else"
    if not data:
        found = "it is empty"
    elif data.startswith(b"\x1f\x8b"):
        found = "it is compressed"
    elif start == b"<":
        found = "it is HTML or XML"
    elif start in (b"{", b"["):
        found = "it is JSON"
        with suppress(TamperedError):
            title = _document(data, name).get("title")
            found = f"it says {title[:200]!r}" if isinstance(title, str) else found  # a problem document's
    raise CannotTellError(f"{name} is no {what}: {found}")


# 1. The tree ---------------------------------------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one leaf: of an event's bytes."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes: pairs are joined, row by row; one without a partner rises as it is."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)] + row[len(row) & ~1 :]
    return row[0]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether the path leads from the leaf at a zero-based index to the root of a tree of that size."""
    if not 0 <= index < size or any(len(each) != HASH_BYTES for each in (leaf, root, *path)):
        return False
    at, last, reached = index, size - 1, leaf
    for each in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            reached = node_hash(each, reached)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            reached = node_hash(reached, each)
        at, last = at >> 1, last >> 1
    return last == 0 and reached == root


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Tell whether the path shows that the tree of the second size begins with all the leaves of the first."""
    if not 0 < first <= second or any(len(each) != HASH_BYTES for each in (first_root, second_root, *path)):
        return False
    if first == second:
        return not path and first_root == second_root
    steps = [first_root, *path] if first & (first - 1) == 0 else list(path)
    if not path:
        return False
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = steps[0]
    for each in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(each, old), node_hash(each, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, each)
        at, last = at >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def tile_path(level: int, n: int, width: int = TILE_WIDTH) -> str:
    """Return a hash tile's name in the layout of C2SP tlog-tiles, as `tile/0/x001/067.p/12`."""
    return f"tile/{level}/{_spelled(n, width)}"


def entries_path(n: int, width: int = TILE_WIDTH) -> str:
    """Return the name of the bundle that holds the entries of the n-th run of 256."""
    return f"tile/entries/{_spelled(n, width)}"


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """Give level, number and width of every tile of a tree, from the leaves up."""
    level, count = 0, size
    while count:
        for n in range(0, count, TILE_WIDTH):
            yield level, n // TILE_WIDTH, min(TILE_WIDTH, count - n)
        level, count = level + 1, count // TILE_WIDTH


def _spelled(n: int, width: int) -> str:
    digits = str(n)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return name if width == TILE_WIDTH else f"{name}.p/{width}"


# 2. Signed notes -----------------------------------------------------------------------------------------------------

_KEY_NAME: Final = re.compile(r"[^\s+\x00-\x1f]{1,500}")
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True)
class Vkey:
    """A public key with the name it signs under: `name+key id in hex+base64(0x01 and the Ed25519 key)`."""

    name: str
    key_id: bytes
    public: bytes
    text: str

    @classmethod
    def parse(cls, text: str) -> "Vkey":
        """Read a verifier key. base64 may hold a plus of its own, so only the first two divide."""
        name, shown_id, encoded = [*text.split("+", 2), "", ""][:3]
        material = decoded(encoded, 1 + HASH_BYTES)
        key_id = hashlib.sha256(name.encode() + b"\n" + material).digest()[:4]
        if not _KEY_NAME.fullmatch(name) or material[:1] != b"\1" or shown_id != key_id.hex():
            raise TamperedError("not an Ed25519 verifier key, or its id is not that of its key")
        return cls(name, key_id, material[1:], text)


@dataclass(frozen=True)
class Note:
    """A text, ending in a line feed, and who signed it: key name, key id, signature."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]


@dataclass(frozen=True)
class Checkpoint:
    """A signed head of a log: how many leaves it has, and the root over them."""

    note: Note
    origin: str
    size: int
    root: bytes


def parse_note(data: bytes) -> Note:
    """Read a signed note."""
    text = _text(data[: NOTE_BYTES_MAX + 1], "the note")
    if len(data) > NOTE_BYTES_MAX or re.search(r"[\x00-\x09\x0b-\x1f]", text):
        raise TamperedError("the note is too long or holds control characters")
    body, divider, signed = text.rpartition("\n\n")
    lines = signed.split("\n")
    if not divider or lines.pop() or not 1 <= len(lines) <= SIGNATURES_MAX:
        raise TamperedError("the note is not a text, an empty line and 1 to 16 signature lines")
    signatures: list[tuple[str, bytes, bytes]] = []
    for line in lines:
        dash, name, encoded = [*line.split(" "), "", ""][:3]
        signature = decoded(encoded)
        if line != f"{dash} {name} {encoded}" or dash != "—" or not _KEY_NAME.fullmatch(name) or len(signature) <= 4:  # noqa: PLR2004 - a key id is 4 bytes
            raise TamperedError("a signature line of the note is malformed")
        signatures.append((name, signature[:4], signature[4:]))
    if len({(name, key_id) for name, key_id, _ in signatures}) != len(signatures):
        raise TamperedError("the note has two signature lines of one key")
    return Note(body + "\n", tuple(signatures))


def parse_checkpoint(data: bytes) -> Checkpoint:
    """Read a signed note whose text is a checkpoint: origin, size, root, and not a line more."""
    note = parse_note(data)
    lines = note.text.split("\n")
    if len(lines) != 4 or not re.fullmatch("[!-~]+", lines[0]) or not _DECIMAL.fullmatch(lines[1]):  # noqa: PLR2004 - the last is empty
        raise TamperedError("the checkpoint is not exactly origin, size and root")
    return Checkpoint(note, lines[0], int(lines[1]), decoded(lines[2], HASH_BYTES))


def signers_of(note: Note, keys: Iterable[Vkey]) -> list[Vkey]:
    """Return which of the keys signed. Lines of other keys are passed over, as the format demands."""
    signers: list[Vkey] = []
    for key in keys:
        for name, key_id, signature in note.signatures:
            if (name, key_id) == (key.name, key.key_id):
                try:
                    Ed25519PublicKey.from_public_bytes(key.public).verify(signature, note.text.encode())
                except (InvalidSignature, ValueError):
                    raise TamperedError(f"the signature of {key.text} is false") from None
                signers.append(key)
    return signers


def verify_note(note: Note, keys: Iterable[Vkey]) -> list[Vkey]:
    """Return which of the keys signed: at least one."""
    signers = signers_of(note, keys)
    if not signers:
        raise TamperedError("none of the keys that count has signed (a rotated key is trusted by giving it as --vkey)")
    return signers


def decoded(text: str, size: int | None = None) -> bytes:
    """Return what base64 says: padded, and in its one spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise TamperedError("not base64") from None
    if base64.b64encode(data).decode() != text or size not in (None, len(data)):
        raise TamperedError("base64 in another spelling or of another length")
    return data


def _text(data: bytes, what: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise TamperedError(f"{what} is not UTF-8") from None


# 3. Archives ---------------------------------------------------------------------------------------------------------

_BLOCK: Final = 512
_PADDING_MAX: Final = 1 << 20
_MEMBER_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_OCTAL: Final = re.compile(rb"[0-7]{1,11}")


class Archive:
    """An uncompressed POSIX tar of regular files. Its headers are read at once, what they head when it is asked for."""

    def __init__(self, file: IO[bytes]) -> None:
        """Index an open, seekable file."""
        self._file = file
        file.seek(0)
        head, name = file.read(NOTE_BYTES_MAX), Path(str(getattr(file, "name", "the file"))).name
        demand_kind(name, head, "uncompressed tar", is_one=head[257:262] == b"ustar")
        self.members: dict[str, tuple[int, int]] = {}  # where each begins, and its size
        at, end = 0, file.seek(0, os.SEEK_END)
        while any(header := self._bytes(at, _BLOCK)):
            name, kind, size = _header_of(header)
            start, at = at + _BLOCK, at + _BLOCK - (-size // _BLOCK) * _BLOCK
            if at > end or len(self.members) == MEMBERS_MAX:
                raise TamperedError(f"the archive is cut off in {name!a}, or holds too many files")
            if kind in b"xg":  # remarks of the pax format: let pass where they change nothing
                remarks = self._bytes(start, min(size, NOTE_BYTES_MAX))
                if size > NOTE_BYTES_MAX or re.search(rb"path=|size=|hdrcharset=|GNU\.", remarks):
                    raise TamperedError("the archive renames or resizes its files")
            elif kind not in b"0\0" or not _MEMBER_NAME.fullmatch(name) or name in self.members:
                raise TamperedError(f"the archive holds something that is no regular file of its own: {name!a}")
            else:
                self.members[name] = (start, size)
        if not _BLOCK * 2 <= end - at <= _PADDING_MAX or any(self._bytes(at, end - at)):
            raise TamperedError("the archive does not end as a tar does")

    def read(self, name: str, bytes_max: int, position: int | None = None) -> bytes:
        """Return a file's bytes; what is missing or too long is found at the position, if any is given."""
        if name not in self.members:
            raise TamperedError(f"{name} is missing", position)
        start, size = self.members[name]
        if size > bytes_max:
            raise TamperedError(f"{name} is too long", position)
        return self._bytes(start, size)

    def lines(self, name: str) -> Iterator[bytes]:
        """Give a file's lines without their line feeds; nothing of a line that is too long or has none."""
        at, size = self.members[name]
        end = at + size
        while at < end:
            self._file.seek(at)
            line = self._file.readline(min(LINE_BYTES_MAX, end - at))
            at += len(line)
            yield line[:-1] if line.endswith(b"\n") else b""

    def _bytes(self, at: int, size: int) -> bytes:
        self._file.seek(at)
        data = self._file.read(size)
        if len(data) != size:
            raise TamperedError("the archive is cut off")
        return data


def _header_of(block: bytes) -> tuple[str, bytes, int]:
    size, checksum = (_OCTAL.fullmatch(field.strip(b" \0")) for field in (block[124:136], block[148:156]))
    total = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    if block[257:263] != b"ustar\0" or size is None or checksum is None or int(checksum[0], 8) != total:
        raise TamperedError("not an uncompressed POSIX tar")
    name, prefix = (field.rstrip(b"\0").decode("latin-1") for field in (block[:100], block[345:500]))
    return f"{prefix}/{name}" if prefix else name, block[156:157], int(size[0], 8)


# 4. Events -----------------------------------------------------------------------------------------------------------

_RECORDED: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_ORIGIN: Final = re.compile(r".+/log/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_INTEGER_MAX: Final = 2**53


def examine(entry: bytes, position: int, origin: str) -> dict[str, object]:
    """Return an event whose bytes are in the one spelling there is, and say themselves where they stand."""
    try:
        text, event = _text(entry, "the event"), _document(entry, "the event")
        recorded = str(event.get("recordedtime"))
        datetime.fromisoformat(recorded)
    except (TamperedError, ValueError) as error:
        raise TamperedError(str(error), position) from None
    is_canonical = _CANONICAL.encode(event) == text and unicodedata.is_normalized("NFC", text)
    if not is_canonical or not _RECORDED.fullmatch(recorded):
        raise TamperedError("the event is not in canonical JSON", position)
    if event.get("id") != str(position) or event.get("sequence") != f"{position:019d}":
        raise TamperedError(f"the event says that it stands at {event.get('id')!a}", position)
    if event.get("source") != f"urn:emulation:province:{province_of(origin)}":
        raise TamperedError("the event belongs to another province's log", position)
    return event


def key_of(event: dict[str, object], position: int, origin: str) -> Vkey | None:
    """Return the key that an event names: the first of all at position 1, others by rotation."""
    data = event.get("data")
    named = cast("dict[str, object]", data) if isinstance(data, dict) else {}
    if (event.get("type") == "log.opened.v1") != (position == 1):
        raise TamperedError("a log is opened by position 1, and by nothing else", position)
    if position == 1 and (named.get("format"), named.get("origin")) != ("emulation-log.v1", origin):
        raise TamperedError("position 1 opens another log", position)
    if position > 1 and event.get("type") != "log.key-rotated.v1":
        return None
    try:
        key = Vkey.parse(str(named.get("vkey")))
    except TamperedError as error:
        raise TamperedError(str(error), position) from None
    if key.name != origin:
        raise TamperedError("the key bears another log's name", position)
    return key


def province_of(origin: str) -> str:
    """Return the province (a uuid) whose log bears this origin."""
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        raise TamperedError("the origin is not that of a province's log")
    return match[1]


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs) or not "".join(document).isascii():
        raise ValueError("a key twice, or one that is not ASCII")
    return document


def _exact(number: str) -> int:
    if len(number) > 17 or abs(int(number)) > _INTEGER_MAX:  # noqa: PLR2004 - a sign and 16 digits
        raise ValueError("an integer that not every reader can hold")
    return int(number)  # of what is no integer: ValueError


_JSON: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_exact, parse_float=_exact, parse_constant=_exact)
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _document(data: bytes, what: str) -> dict[str, object]:
    try:
        document: object = _JSON.decode(data.decode())
    except (ValueError, RecursionError):
        raise TamperedError(f"{what} is not JSON without floats, doubled keys or huge numbers") from None
    if not isinstance(document, dict):
        raise TamperedError(f"{what} is not a JSON object")
    return cast("dict[str, object]", document)


def _whole(value: object, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise TamperedError(f"{what} is not a whole number from 1")
    return value


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        raise TamperedError(f"{what} is not a list")
    return cast("list[object]", value)


class Export:
    """An export: the hashes of the whole tree, and the events of a range of it. What it claims is not yet checked."""

    def __init__(self, archive: Archive) -> None:
        """Read what the archive claims to be."""
        claimed = _document(archive.read("export.json", NOTE_BYTES_MAX), "export.json")
        self.archive = archive
        self.checkpoint = parse_checkpoint(archive.read("checkpoint", NOTE_BYTES_MAX))
        self.vkey = Vkey.parse(_text(archive.read("vkey", NOTE_BYTES_MAX), "vkey").removesuffix("\n"))
        self.origin = self.checkpoint.origin
        self.first, self.last = _whole(claimed.get("from"), "from"), _whole(claimed.get("to"), "to")
        self.is_by_line = "entries.ndjson" in archive.members
        expected = {"format": "emulation-export.v1", "origin": self.origin, "from": self.first, "to": self.last}
        if claimed != expected or self.vkey.name != self.origin or self.checkpoint.size != self.last:
            raise TamperedError("export.json, checkpoint and vkey contradict each other")
        if self.first > self.last or self.first % TILE_WIDTH != 1 or self.last > MEMBERS_MAX * TILE_WIDTH:
            raise TamperedError("export.json names an impossible range")

    def hashes(self, level: int, n: int) -> list[bytes]:
        """Return what the n-th tile of a level claims."""
        width = min(TILE_WIDTH, self.last // TILE_WIDTH**level - n * TILE_WIDTH)
        name, position = tile_path(level, n, width), n * TILE_WIDTH ** (level + 1) + 1
        tile = self.archive.read(name, width * HASH_BYTES, position)
        if len(tile) != width * HASH_BYTES:
            raise TamperedError(f"{name} does not hold {width} hashes", position)
        return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]

    def leaves(self) -> Iterator[tuple[int, bytes | None, bytes]]:
        """Give position, event's bytes (None: hidden) and leaf hash of each leaf of the range."""
        return self._by_line() if self.is_by_line else self._by_bundle()

    def _by_bundle(self) -> Iterator[tuple[int, bytes | None, bytes]]:
        for start in range(self.first - 1, self.last, TILE_WIDTH):
            width = min(TILE_WIDTH, self.last - start)
            name = entries_path(start // TILE_WIDTH, width)
            bundle, at = self.archive.read(name, width * (ENTRY_BYTES_MAX + 2), start + 1), 0
            for position in range(start + 1, start + width + 1):
                end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
                if at + 2 > len(bundle) or end > len(bundle):
                    raise TamperedError(f"{name} ends before it", position)
                yield position, bundle[at + 2 : end], leaf_hash(bundle[at + 2 : end])
                at = end
            if at != len(bundle):
                raise TamperedError(f"{name} holds more than its entries", start + width + 1)

    def _by_line(self) -> Iterator[tuple[int, bytes | None, bytes]]:
        lines = self.archive.lines("entries.ndjson")
        for position in range(self.first, self.last + 1):
            try:
                line = _document(next(lines, b""), "its line in entries.ndjson")
                held = "entry" if "entry" in line else "leaf_hash"
                data, place = decoded(str(line.get(held))), _whole(line.get("position"), "its position")
            except TamperedError as error:
                raise TamperedError(str(error), position) from None
            if line.keys() != {held, "position"} or place != position:
                raise TamperedError("its line in entries.ndjson is that of something else", position)
            yield (position, data, leaf_hash(data)) if held == "entry" else (position, None, data)
        if next(lines, None) is not None:
            raise TamperedError("entries.ndjson holds more than its entries", self.last + 1)

    def check_upper_tiles(self, runs: Sequence[bytes]) -> None:
        """Demand that every tile above the leaves follows from the roots of the runs of 256 leaves."""
        level, row = 1, list(runs[: self.last // TILE_WIDTH])
        while row:
            claimed = [each for n in range(-(-len(row) // TILE_WIDTH)) for each in self.hashes(level, n)]
            wrong = next((at for at, made in enumerate(row) if made != claimed[at]), None)
            if wrong is not None:
                first, last = wrong * TILE_WIDTH**level + 1, (wrong + 1) * TILE_WIDTH**level
                raise TamperedError(f"a tile of level {level} is not over the events {first} to {last}", first)
            row = [root_of(row[at : at + TILE_WIDTH]) for at in range(0, len(row) - TILE_WIDTH + 1, TILE_WIDTH)]
            level += 1

    def root_at(self, size: int, runs: Sequence[bytes]) -> bytes:
        """Return the root over the first leaves, by the roots of the runs of 256 leaves."""
        full, rest = divmod(size, TILE_WIDTH)
        return root_of([*runs[:full], root_of(self.hashes(0, full)[:rest])] if rest else runs[:full])


# 5. Trust ------------------------------------------------------------------------------------------------------------


@dataclass
class Report:
    """What a check found out, and what it left open; both grow while it goes on."""

    facts: dict[str, object] = field(default_factory=dict)
    not_covered: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Remembered:
    """The newest head that was seen of a log, and the keys that it vouches for."""

    origin: str
    size: int
    root: bytes
    keys: tuple[Vkey, ...]

    @classmethod
    def load(cls, path: Path) -> "Remembered | None":
        """Read a state file; None where there is none yet."""
        if not path.exists():
            return None
        try:
            state = _document(path.read_bytes(), "the state file")
            keys = tuple(Vkey.parse(str(key)) for key in _list(state.get("vkeys"), "vkeys"))
            root = decoded(str(state.get("root")), HASH_BYTES)
            return cls(str(state.get("origin")), _whole(state.get("size"), "size"), root, keys)
        except TamperedError as error:
            raise CannotTellError(f"{path} is no state file of this verifier: {error}") from None

    def save(self, path: Path) -> None:
        """Replace the state file in one step."""
        state = {"origin": self.origin, "size": self.size, "root": base64.b64encode(self.root).decode()}
        text = json.dumps({**state, "vkeys": [key.text for key in self.keys]}, indent=2)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, delete=False) as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)

    def demand_growth(self, checkpoint: Checkpoint) -> None:
        """Demand that a head is of this log and no smaller, and the same where it is of the same size."""
        if checkpoint.origin != self.origin:
            raise TamperedError(f"the remembered log is {self.origin}, this is {checkpoint.origin}")
        if checkpoint.size < self.size:
            raise TamperedError(f"rolled back: the log had {self.size} events and now has {checkpoint.size}")
        if checkpoint.size == self.size and checkpoint.root != self.root:
            raise TamperedError(f"two histories: another root than was remembered, for the same {self.size} events")


def _demand_signed(
    checkpoint: Checkpoint, keys: Iterable[Vkey], report: Report, named: Iterable[Vkey] | None = None
) -> list[Vkey]:
    """Return the signers among the keys that count; only a key of the log's own name signs its heads.

    Args:
        checkpoint: the head.
        keys: those that count.
        report: is told the head.
        named: every key that the log is said to name; None: that is not here, and any may be a later one of the log.

    Raises:
        CannotTellError: another key of the log signed in their place. It may have been rotated to, or be a forger's.
    """
    report.facts |= {"origin": checkpoint.origin, "size": checkpoint.size}
    report.facts |= {"root": base64.b64encode(checkpoint.root).decode()}
    keys = list(keys)
    if not keys:
        raise CannotTellError("no key is known, so nobody's signature was checked: give --vkey")
    counted = [key for key in keys if key.name == checkpoint.origin]
    signers = signers_of(checkpoint.note, counted)
    if signers:
        return signers
    if named is None:
        others = [name for name, _, _ in checkpoint.note.signatures if name == checkpoint.origin]
    else:
        others = [key.text for key in signers_of(checkpoint.note, set(named) - set(keys))]
    if counted and others:
        raise CannotTellError(f"signed by {others[0]}, by a key for which no trusted one vouches: give it as --vkey")
    return verify_note(checkpoint.note, counted)


def _say_trust(report: Report, given: Sequence[Vkey], remembered: Remembered | None) -> None:
    if not given and remembered is None:
        report.not_covered["key identity"] = "without --vkey or a remembered head, anybody could have made the key"
    if remembered is None:
        report.not_covered["rollback"] = "without a remembered head, a shorter or another history would not be noticed"


# 6. The checks -------------------------------------------------------------------------------------------------------


def check_export(
    export: Export, given: Sequence[Vkey], remembered: Remembered | None, report: Report
) -> tuple[Vkey, ...]:
    """Check all of an export: events, places, times, tiles, root, keys, signature; and that a remembered head is in it.

    What is returned are the keys that its head now vouches for.
    """
    _say_trust(report, given, remembered)
    report.not_covered["clock"] = "recordedtime never decreases; that the clock was right, only heads seen in time show"
    report.facts |= {"origin": export.origin, "size": export.last, "from": export.first, "to": export.last}
    runs, named = _check_leaves(export, report)
    export.check_upper_tiles(runs)
    if root_of(runs) != export.checkpoint.root:
        raise TamperedError("the root over the leaves is not the checkpoint's: hashes or checkpoint were exchanged")
    _demand_nothing_else(export)
    if remembered is not None:
        remembered.demand_growth(export.checkpoint)
        if export.root_at(remembered.size, runs) != remembered.root:
            raise TamperedError(f"two histories: the first {remembered.size} events are not those remembered")
    return _check_keys(export, named, given, remembered, report)


def _check_leaves(export: Export, report: Report) -> tuple[list[bytes], dict[int, Vkey]]:
    """Return the roots of the runs of 256 leaves, and the keys that events name, by position."""
    runs: list[bytes] = []
    named: dict[int, Vkey] = {}
    hidden: list[int] = []
    leaves, before = export.leaves(), ""
    for start in range(0, export.last, TILE_WIDTH):
        hashes = export.hashes(0, start // TILE_WIDTH)
        runs.append(root_of(hashes))
        for position, claimed in enumerate(hashes, start + 1):
            if position < export.first:
                continue
            _, entry, made = next(leaves)
            if made != claimed:
                raise TamperedError("the event is not the one that the tree was built over", position)
            if entry is None:
                hidden.append(position)
                continue
            event = examine(entry, position, export.origin)
            if str(event["recordedtime"]) < before:
                raise TamperedError("recorded before the event that it follows", position)
            before = str(event["recordedtime"])
            key = key_of(event, position, export.origin)
            if key is not None:
                named[position] = key
    with suppress(StopIteration):
        next(leaves)  # says so where there are more
    report.facts |= {"events": export.last - export.first + 1 - len(hidden), "hidden": len(hidden)}
    if hidden:
        report.not_covered["hidden events"] = f"{len(hidden)} leaves, of which only the hash is here: {_ranges(hidden)}"
    if export.first > 1:
        report.not_covered["outside the range"] = f"positions 1-{export.first - 1}: only their hashes are here"
    return runs, named


def _demand_nothing_else(export: Export) -> None:
    due = {"checkpoint", "vkey", "export.json", *(tile_path(*tile) for tile in tiles_of(export.last))}
    runs = [
        (n, width) for level, n, width in tiles_of(export.last) if level == 0 and n * TILE_WIDTH + 1 >= export.first
    ]
    entries = {"entries.ndjson"} if export.is_by_line else {entries_path(*run) for run in runs}
    surplus = export.archive.members.keys() - due - entries
    if surplus:
        raise TamperedError(f"the archive holds what no export does: {min(surplus)}")


def _check_keys(
    export: Export, named: dict[int, Vkey], given: Sequence[Vkey], remembered: Remembered | None, report: Report
) -> tuple[Vkey, ...]:
    """Return the keys that the export's head vouches for, once a trusted key has signed it.

    Without anything trusted, the keys that the log names count. Otherwise a key that it names counts only if it is
    given, or stands in the part that a remembered head vouches for: a forger can write a rotation too.
    """
    is_first_shown = 1 in named
    if is_first_shown and named[1] != export.vkey:
        raise TamperedError("vkey is not the key of position 1", 1)
    own = {1: export.vkey} | named
    if is_first_shown and given and not set(given) & set(own.values()):
        raise TamperedError("the log names other keys than the one that is trusted", 1)
    trusted = set(given)
    if remembered is not None:
        trusted |= {*remembered.keys, *(key for position, key in named.items() if position <= remembered.size)}
    every = own.values() if is_first_shown else None
    signers = _demand_signed(export.checkpoint, trusted or own.values(), report, every)
    report.facts["signed by"] = [key.text for key in signers]
    return tuple(dict.fromkeys([*(remembered.keys if remembered else ()), *signers, *named.values()]))


def _ranges(positions: Sequence[int]) -> str:
    """Spell increasing positions as ranges, the first of them: 3-3, 7-9."""
    known = set(positions)
    starts = (at for at in positions if at - 1 not in known)
    ends = (at for at in positions if at + 1 not in known)
    spelled = [f"{start}-{end}" for start, end in zip(starts, ends, strict=True)]
    return ", ".join(spelled[:RANGES_SHOWN] + ["..."] * (len(spelled) > RANGES_SHOWN))


@dataclass(frozen=True)
class Proof:
    """That an entry is in a log: its zero-based index, the path to the root, and the head that is signed."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: Checkpoint

    @classmethod
    def parse(cls, data: bytes) -> "Proof":
        """Read a proof in the form `c2sp.org/tlog-proof@v1`."""
        head, _, note = _text(data, "the proof").partition("\n\n")
        lines = head.split("\n")
        if lines[:1] != ["c2sp.org/tlog-proof@v1"] or len(lines) > PATH_HASHES_MAX:
            raise TamperedError("not a proof of the form c2sp.org/tlog-proof@v1")
        if lines[1:2] and lines[1].startswith("extra "):
            decoded(lines.pop(1).removeprefix("extra "))
        word, _, index = "".join(lines[1:2]).partition(" ")
        if word != "index" or not _DECIMAL.fullmatch(index):
            raise TamperedError("the proof does not say its index")
        path = tuple(decoded(line, HASH_BYTES) for line in lines[2:])
        return cls(int(index), path, parse_checkpoint(note.encode()))

    def demand(self, leaf: bytes) -> None:
        """Demand that the proof is one of this leaf."""
        if not verify_inclusion(leaf, self.index, self.checkpoint.size, self.path, self.checkpoint.root):
            raise TamperedError("the proof does not lead from the event to the root", self.index + 1)


def check_dossier(archive: Archive, given: Sequence[Vkey], report: Report) -> None:
    """Check that each event of a dispute's dossier is there and proved to be in a log whose head is signed."""
    _say_trust(report, given, None)
    dossier = _document(archive.read("dossier.json", DOCUMENT_BYTES_MAX), "dossier.json")
    checkpoint = parse_checkpoint(archive.read("checkpoint", NOTE_BYTES_MAX))
    claimed = _text(archive.read("vkey", NOTE_BYTES_MAX), "vkey").removesuffix("\n").split("\n")
    own = [Vkey.parse(each) for each in claimed]  # more than one where the log's key was rotated
    if given and not set(given) & set(own):
        raise TamperedError("the dossier names other keys than the one that is trusted")
    keys = given or own
    _demand_signed(checkpoint, keys, report, own)
    roots, used, hidden = {checkpoint.size: checkpoint.root}, {"dossier.json", "checkpoint", "vkey"}, list[int]()
    for listed in _list(dossier.get("events"), "events") or [None]:  # none at all is as malformed as a false one
        event = cast("dict[str, object]", listed) if isinstance(listed, dict) else {}
        position = _whole(event.get("position"), "an event's position")
        proof = Proof.parse(archive.read(f"proofs/{position}.tlog-proof", NOTE_BYTES_MAX, position))
        used |= {f"proofs/{position}.tlog-proof"}
        if event.get("hidden") is True:
            hidden.append(position)
            leaf = decoded(str(event.get("leaf_hash")), HASH_BYTES)
        else:
            used |= {f"events/{position}"}
            entry = archive.read(f"events/{position}", ENTRY_BYTES_MAX, position)
            examine(entry, position, checkpoint.origin)
            leaf = leaf_hash(entry)
        head = proof.checkpoint
        if proof.index != position - 1 or head.origin != checkpoint.origin:
            raise TamperedError("the proof is one of another event", position)
        if roots.setdefault(head.size, head.root) != head.root:
            raise TamperedError(f"two histories: two roots for the same {head.size} events", position)
        proof.demand(leaf)
        _demand_signed(head, keys, Report(), own)
    surplus = sorted(archive.members.keys() - used)
    if any(name.startswith(("events/", "proofs/")) for name in surplus):
        raise TamperedError("the dossier holds an event or a proof that it does not list")
    report.facts |= {"events": sum(name.startswith("events/") for name in used), "hidden": len(hidden)}
    report.not_covered["documents"] = f"dossier.json but its list of events; {', '.join(surplus) or 'nothing else'}"
    if hidden:
        report.not_covered["hidden events"] = f"only the hash is here of: {_ranges(sorted(hidden))}"
    if len(roots) > 1:
        report.not_covered["consistency"] = f"between the heads of sizes {sorted(roots)}: no proof is in a dossier"


def demand_consistent(first: int, first_root: bytes, checkpoint: Checkpoint, data: bytes) -> None:
    """Demand that a head's tree begins with that of a smaller one: `{"first","second","consistency":[base64]}`."""
    proof = _document(data, "the consistency proof")
    path = [decoded(str(each), HASH_BYTES) for each in _list(proof.get("consistency"), "consistency")]
    if [proof.get("first"), proof.get("second")] != [first, checkpoint.size]:
        raise TamperedError(f"the proof is for sizes {proof.get('first')!a} and {proof.get('second')!a}")
    if not verify_consistency(first, checkpoint.size, first_root, checkpoint.root, path):
        raise TamperedError(f"two histories: the log did not just grow from {first} events to {checkpoint.size}")


# 7. The command line -------------------------------------------------------------------------------------------------


_NOTE: Final = "signed note", "\n— ".encode()
_PROOF: Final = "proof of inclusion", b"tlog-proof@"
_GROWTH: Final = "proof of consistency", b'"consistency"'
_EVENT: Final = "event", b'"recordedtime"'
"""Kinds of files, and what each of them holds somewhere, damaged or not."""
T = TypeVar("T")
Check = Callable[[argparse.Namespace, Report], None]


def _checkpoint(options: argparse.Namespace, report: Report) -> None:
    checkpoint = parse_checkpoint(_file(options.file, NOTE_BYTES_MAX, *_NOTE))
    _say_trust(report, options.vkey, None)
    _demand_signed(checkpoint, options.vkey, report)


def _inclusion(options: argparse.Namespace, report: Report) -> None:
    proof = Proof.parse(_file(options.file, NOTE_BYTES_MAX, *_PROOF))
    _say_trust(report, options.vkey, None)
    report.facts["position"] = proof.index + 1
    if options.entry is None:
        report.not_covered["event"] = "its bytes are not here, only their hash"
        proof.demand(options.leaf_hash)
    else:
        entry = _file(options.entry, ENTRY_BYTES_MAX, *_EVENT)
        proof.demand(leaf_hash(entry))
        examine(entry, proof.index + 1, proof.checkpoint.origin)
    _demand_signed(proof.checkpoint, options.vkey, report)


def _consistency(options: argparse.Namespace, report: Report) -> None:
    old, new = (parse_checkpoint(_file(path, NOTE_BYTES_MAX, *_NOTE)) for path in (options.old, options.new))
    _say_trust(report, options.vkey, None)
    del report.not_covered["rollback"]
    if old.origin != new.origin:
        raise TamperedError("the checkpoints are of two logs")
    demand_consistent(old.size, old.root, new, _file(options.proof, NOTE_BYTES_MAX, *_GROWTH))
    report.facts["grown from"] = old.size
    _demand_signed(old, options.vkey, report)
    _demand_signed(new, options.vkey, report)


def _export(options: argparse.Namespace, report: Report) -> None:
    remembered = None if options.remember is None else Remembered.load(options.remember)
    with options.file.open("rb") as file:
        export = Export(Archive(file))
        keys = check_export(export, options.vkey, remembered, report)
    if options.remember is not None:
        Remembered(export.origin, export.last, export.checkpoint.root, keys).save(options.remember)


def _remember(options: argparse.Namespace, report: Report) -> None:
    with options.file.open("rb") as file:
        if file.read(_BLOCK)[257:262] == b"ustar":
            options.remember = options.state
            return _export(options, report)
    checkpoint = parse_checkpoint(_file(options.file, NOTE_BYTES_MAX, *_NOTE))
    remembered = Remembered.load(options.state)
    _say_trust(report, options.vkey, remembered)
    keys = dict.fromkeys([*options.vkey, *(remembered.keys if remembered else ())])
    _demand_signed(checkpoint, keys, report)
    if remembered is not None:
        remembered.demand_growth(checkpoint)
        if checkpoint.size > remembered.size:
            if options.proof is None:
                raise CannotTellError(f"the log grew from {remembered.size} events: give the proof of that by --proof")
            proof = _file(options.proof, NOTE_BYTES_MAX, *_GROWTH)
            demand_consistent(remembered.size, remembered.root, checkpoint, proof)
    Remembered(checkpoint.origin, checkpoint.size, checkpoint.root, tuple(keys)).save(options.state)
    return None


def _dossier(options: argparse.Namespace, report: Report) -> None:
    with options.file.open("rb") as file:
        check_dossier(Archive(file), options.vkey, report)


def _file(path: Path, bytes_max: int, what: str, mark: bytes) -> bytes:
    with path.open("rb") as file:
        data = file.read(bytes_max + 1)
    demand_kind(path.name, data, what, is_one=mark in data)
    if len(data) > bytes_max:
        raise TamperedError(f"{path.name} is longer than any such file")
    return data


def _hash(text: str) -> bytes:
    return decoded(text, HASH_BYTES)


def _argument(read: Callable[[str], T]) -> Callable[[str], T]:
    def read_argument(text: str) -> T:
        try:
            return read(text)
        except (TamperedError, ValueError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read_argument


def add_commands(parser: argparse.ArgumentParser) -> Callable[[str, Check, str], argparse.ArgumentParser]:
    """Add the checks to a parser, and return how one more is added; `run` runs the one that was chosen."""
    commands = parser.add_subparsers(required=True, metavar="CHECK")

    def command(name: str, check: Check, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        added.set_defaults(check=check)
        added.add_argument(
            "--vkey", type=_argument(Vkey.parse), action="append", default=[], help="a key you trust (repeatable)"
        )
        added.add_argument("--json", action="store_true", help="print for a machine")
        return added

    add = command("checkpoint", _checkpoint, "check the signature of a log's head").add_argument
    add("file", type=Path, help="the signed note")
    including = command("inclusion", _inclusion, "check that an event is in a log whose head is signed")
    including.add_argument("file", type=Path, help="the .tlog-proof")
    leaf = including.add_mutually_exclusive_group(required=True)
    leaf.add_argument("--entry", type=Path, help="the event's bytes")
    leaf.add_argument("--leaf-hash", type=_argument(_hash), help="the hash of its leaf, in base64")
    add = command("consistency", _consistency, "check that a log only grew from one head to another").add_argument
    add("old", type=Path, help="the signed note of the smaller size")
    add("new", type=Path, help="the signed note of the larger size")
    add("proof", type=Path, help='JSON: {"first": size, "second": size, "consistency": [base64]}')
    add = command("export", _export, "check every event, hash, key and signature of an export").add_argument
    add("file", type=Path, help="the tar")
    add("--remember", type=Path, metavar="STATE", help="refuse what contradicts the head kept here")
    add = command("remember", _remember, "keep a head; refuse one that does not grow from it").add_argument
    add("file", type=Path, help="a signed note, or an export")
    add("--state", type=Path, required=True, help="the file that keeps it")
    add("--proof", type=Path, help="how a larger note's log grew from the head kept (an export shows it by itself)")
    add = command("dossier", _dossier, "check that the events of a dossier are in a signed log").add_argument
    add("file", type=Path, help="the tar")
    return command


def parser() -> argparse.ArgumentParser:
    """Return the command line of this file alone."""
    made = argparse.ArgumentParser(prog="verifier.py", description="Check a province's log offline.")
    add_commands(made)
    return made


def run(options: argparse.Namespace) -> int:
    """Run the chosen check, print what it found and what it did not cover, and return the exit status."""
    report, status = Report(), OK
    reason, position = "all that was checked is in order", None
    try:
        options.check(options, report)
    except TamperedError as error:
        status, reason, position = TAMPERED, str(error), error.position
    except (CannotTellError, OSError) as error:
        status, reason = CANNOT_TELL, str(error)
    if status != OK:
        report.not_covered["the rest"] = "the check ended here"
    verdict = ("ok", "tampered", "cannot tell")[status]
    if options.json:
        found = {"verdict": verdict, "reason": reason, "position": position}
        sys.stdout.write(json.dumps({**found, **report.facts, "not_covered": report.not_covered}) + "\n")
    else:
        where = "" if position is None else f"position {position}: "
        facts = [f"  {name}: {value}" for name, value in report.facts.items()]
        left_open = [f"not covered: {name}: {why}" for name, why in report.not_covered.items()]
        told = "\n".join([f"{verdict}: {where}{reason}", *facts, *left_open]) + "\n"
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(told.encode(encoding, "backslashreplace").decode(encoding))
    return status


if __name__ == "__main__":
    sys.exit(run(parser().parse_args()))
