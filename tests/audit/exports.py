"""Logs and exports for tests: real bytes by the codec, real trees by the frontier, real signatures; no server.

An `Exported` is what an archive says, taken apart: change a part and lay it out again.
"""

import base64
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from emulation_saas.audit.verifier import entries_path, tile_path, tiles_of
from emulation_saas.ballots.events import VoteCast
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.log import Codec, Registry
from emulation_saas.log.codec import Place
from emulation_saas.log.events import LogOpened
from emulation_saas.log.frontier import Frontier, leaf_hash
from emulation_saas.scoring.events import SelfScoreSubmitted
from emulation_saas.wiring import EVENT_TYPES
from emulation_saas.years.events import YearLaunched
from tests.builders import PERSON, SAMPLES

PROVINCE: Final = ProvinceId(UUID("0190c3f2-0000-7000-8000-000000000001"))
ORIGIN: Final = f"log.example.vn/log/{PROVINCE}"
OPENED_AT: Final = datetime(2024, 1, 30, 2, 0, 5, 123456, tzinfo=UTC)
RUN: Final = 256
_CODEC: Final = Codec(Registry(EVENT_TYPES))
_KINDS: Final[tuple[Event, ...]] = tuple(SAMPLES[kind] for kind in (VoteCast, SelfScoreSubmitted, YearLaunched))


@dataclass(frozen=True)
class Signer:
    """Who holds a log's private key."""

    seed: bytes
    name: str = ORIGIN

    @property
    def vkey(self) -> str:
        """The public half, as C2SP spells it."""
        return f"{self.name}+{self._key_id.hex()}+{base64.b64encode(self._material).decode()}"

    def line(self, text: str) -> str:
        """Return the signature line under a text."""
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return f"— {self.name} {base64.b64encode(self._key_id + signature).decode()}\n"

    @property
    def _material(self) -> bytes:
        return b"\1" + Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()

    @property
    def _key_id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + self._material).digest()[:4]


KEEPER: Final = Signer(bytes(range(32)))
STRANGER: Final = Signer(bytes(range(100, 132)))


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes, by the frontier of the log itself."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def note_of(leaves: Sequence[bytes], *signers: Signer, origin: str = ORIGIN) -> bytes:
    """Return the signed head of a tree."""
    text = f"{origin}\n{len(leaves)}\n{base64.b64encode(root_of(leaves)).decode()}\n"
    return (text + "\n" + "".join(signer.line(text) for signer in signers)).encode()


@cache
def entries_of(size: int, *, history: int = 0) -> tuple[bytes, ...]:
    """Return the events of a log; those of another history differ from the second on."""
    entries = [_entry(LogOpened(format="emulation-log.v1", origin=ORIGIN, vkey=KEEPER.vkey), 1, history)]
    entries += [_entry(_KINDS[position % len(_KINDS)], position, history) for position in range(2, size + 1)]
    return tuple(entries)


def _entry(event: Event, position: int, history: int) -> bytes:
    place = Place(
        province=PROVINCE,
        position=position,
        recorded_at=OPENED_AT + timedelta(milliseconds=position * 250),
        time=None,
        actor=PERSON,
        command_id=UUID(int=position),
        salt=hashlib.sha256(f"{position if position == 1 else (position, history)}".encode()).digest()[:16],
    )
    return _CODEC.encode(event, place, None)


def rewritten(entry: bytes, **changed: object) -> bytes:
    """Return an event's bytes with other fields in its envelope, in canonical form again."""
    document = {**json.loads(entry), **changed}
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def vkey_event(position: int, signer: Signer) -> bytes:
    """Return the bytes of a rotation to another key."""
    entry = _entry(_KINDS[0], position, 0)
    kind = "log.key-rotated.v1"
    data = {"vkey": signer.vkey}
    return rewritten(entry, data=data, type=kind, dataschema=f"urn:emulation:schema:{kind}")


@dataclass(frozen=True)
class Hidden:
    """What a reader gets of an event that is hidden from him."""

    leaf_hash: bytes


Entry = bytes | Hidden


@dataclass(frozen=True)
class Exported:
    """An export: the leaf hashes of the whole tree, the events from `first` on, the signed head."""

    leaves: tuple[bytes, ...]
    entries: tuple[Entry, ...]
    note: bytes
    vkey: str = KEEPER.vkey
    first: int = 1
    by_line: bool = False
    origin: str = ORIGIN

    @property
    def last(self) -> int:
        """The tree's size."""
        return len(self.leaves)

    def members(self) -> dict[str, bytes]:
        """Lay the files out as the exporter does; more entries than leaves stay in the last bundle."""
        manifest = {"format": "emulation-export.v1", "origin": self.origin, "from": self.first, "to": self.last}
        members = {"checkpoint": self.note, "vkey": self.vkey.encode() + b"\n", "export.json": spelled(manifest)}
        row: list[bytes] = list(self.leaves)
        for level, n, width in tiles_of(self.last):
            if level and n == 0:
                row = [root_of(row[at : at + RUN]) for at in range(0, len(row) - RUN + 1, RUN)]
            members[tile_path(level, n, width)] = b"".join(row[n * RUN : n * RUN + width])
        if self.by_line:
            lines = [_line(position, entry) for position, entry in enumerate(self.entries, self.first)]
            return {**members, "entries.ndjson": b"".join(lines)}
        shown = [entry for entry in self.entries if isinstance(entry, bytes)]
        starts = range(self.first - 1, self.last, RUN)
        for start in starts:
            at = start - self.first + 1
            inside = shown[at:] if start == starts[-1] else shown[at : at + RUN]
            bundle = b"".join(len(entry).to_bytes(2, "big") + entry for entry in inside)
            members[entries_path(start // RUN, min(RUN, self.last - start))] = bundle
        return members

    def tar(self) -> bytes:
        """Return the archive."""
        return tar_of(self.members())

    def rebuilt(self, entries: Sequence[Entry], *signers: Signer) -> "Exported":
        """Return what an operator makes who changes events, builds the tree anew and has it signed."""
        made = [entry.leaf_hash if isinstance(entry, Hidden) else leaf_hash(entry) for entry in entries]
        leaves = (*self.leaves[: self.first - 1], *made)
        return replace(self, entries=tuple(entries), leaves=leaves, note=note_of(leaves, *signers, origin=self.origin))


def _line(position: int, entry: Entry) -> bytes:
    name, data = ("leaf_hash", entry.leaf_hash) if isinstance(entry, Hidden) else ("entry", entry)
    return spelled({name: base64.b64encode(data).decode(), "position": position}) + b"\n"


Lay = Callable[[Exported], Path]
"""Lays an export into a file (the fixture `lay`)."""


def spelled(document: object) -> bytes:
    """Return a document as JSON without spaces."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def tar_of(members: dict[str, bytes]) -> bytes:
    """Return an uncompressed archive of files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def exported(
    size: int, *signers: Signer, first: int = 1, hidden: Collection[int] | None = None, history: int = 0
) -> Exported:
    """Return the export of a log as its keeper gives it out: in bundles, or by line where any event may be hidden."""
    entries = entries_of(size, history=history)
    leaves = tuple(map(leaf_hash, entries))
    shown = [Hidden(leaf_hash(entry)) if at in (hidden or ()) else entry for at, entry in enumerate(entries, 1)]
    note = note_of(leaves, *(signers or (KEEPER,)))
    return Exported(leaves, tuple(shown[first - 1 :]), note, first=first, by_line=hidden is not None)


def read(tar: bytes) -> Exported:
    """Take an export apart again, as its exporter laid it out."""
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
        files = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        members = {name: file.read() for name, file in files.items() if file is not None}
    manifest = json.loads(members["export.json"])
    first, last = int(manifest["from"]), int(manifest["to"])
    leaf_tiles = [tile_path(*tile) for tile in tiles_of(last) if tile[0] == 0]
    hashes = b"".join(members[name] for name in leaf_tiles)
    lines = members.get("entries.ndjson")
    return Exported(
        leaves=tuple(hashes[at : at + 32] for at in range(0, len(hashes), 32)),
        entries=tuple(_from_bundles(members, first, last) if lines is None else _from_lines(lines)),
        note=members["checkpoint"],
        vkey=members["vkey"].decode().strip(),
        first=first,
        by_line=lines is not None,
        origin=str(manifest["origin"]),
    )


def _from_bundles(members: dict[str, bytes], first: int, last: int) -> Iterable[bytes]:
    for start in range(first - 1, last, RUN):
        bundle = members[entries_path(start // RUN, min(RUN, last - start))]
        while bundle:
            length = 2 + int.from_bytes(bundle[:2], "big")
            yield bundle[2:length]
            bundle = bundle[length:]


def _from_lines(lines: bytes) -> Iterable[Entry]:
    for line in lines.splitlines():
        document = json.loads(line)
        is_shown = "entry" in document
        data = base64.b64decode(document["entry" if is_shown else "leaf_hash"])
        yield data if is_shown else Hidden(data)
