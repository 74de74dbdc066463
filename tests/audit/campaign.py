"""The fault campaign: what an operator, a disk or a courier could do to an export, and whether the verifier says so.

Method
1. Genuine exports: logs of many sizes, by bundle and by line, whole and from a later position on, some events hidden;
   or one that a service gave out (`--export FILE --vkey KEY`). Each must pass as it is.
2. To each, every kind of fault at random places. A fault that a signature would stop is also tried by an operator who
   builds the whole tree anew and signs it: with another key where he must, with the log's own key where he may. The
   keeper's own key is not ours for an export of a service, so there the same events stand under a key of the campaign.
3. The verifier's own command line judges. A fault is caught when it exits with 1 and, where a position can be said,
   names the right one; another's signature under an export of a part of the log also with 2, and is counted apart.
   Re-signed logs are judged with `--vkey`; split views and restored backups by a remembered head.
4. A remembered head must be the same, byte for byte, after every refusal.

`python -m tests.audit.campaign [--export FILE --vkey KEY] [--rounds N] [--seed N] [--json]`, or `make tamper`.
"""

import argparse
import json
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Final

from emulation_saas.audit import verifier
from emulation_saas.audit.verifier import tile_path, tiles_of
from tests.audit.asking import verify
from tests.audit.exports import (
    KEEPER,
    RUN,
    STRANGER,
    Entry,
    Exported,
    Hidden,
    Signer,
    exported,
    read,
    rewritten,
    tar_of,
)

SIZES: Final = (1, 2, 7, 100, 255, 256, 257, 600)
BLOCK: Final = 512
"""Of a tar: what is cut off within the first one is no tar at all."""
LARGE: Final = 66_000
"""More than 256 * 256 leaves: a tree with a third level of tiles, to which the faults of tiles are put."""
LONG_AGO: Final = "2000-01-01T00:00:00.000000Z"


@dataclass(frozen=True)
class Fault:
    """A false export: of which kind, what was done, at which position it must be found (None: none can be said)."""

    kind: str
    what: str
    tar: bytes
    position: int | None = None
    remembered: Exported | None = None
    """The genuine export whose head is remembered; None: the log's key is given by `--vkey` instead."""
    is_partial: bool = False
    """A later key may stand among the events that are not here: another's signature may be told as one not known."""


@dataclass
class Tally:
    """How a kind of fault fared."""

    faults: int = 0
    caught: int = 0
    unsure: int = 0
    """How many of those caught were told as "cannot tell" (2) instead of "tampered" (1): refused all the same."""
    placeable: int = 0
    missed: list[str] = field(default_factory=list)


class Forger:
    """Makes faults of one genuine export, at random places."""

    def __init__(self, genuine: Exported, chance: random.Random) -> None:
        """Take a genuine export, and make its twin: the same events, under a key of the campaign."""
        self.genuine, self.chance = genuine, chance
        self.keeper = Signer(KEEPER.seed, genuine.origin)
        self.stranger = Signer(STRANGER.seed, genuine.origin)
        self.twin = self.rekeyed(genuine.entries, self.keeper)

    def faults(self) -> Iterator[Fault]:
        """Give one fault of every kind that this export is large enough for."""
        for kind in (self.flips, self.losses, self.cuts, self.back_dated, self.tiles, self.claims, self.resigned):
            yield from kind()
        yield from self.split_views()
        yield from self.restored()

    def flips(self) -> Iterator[Fault]:
        """One bit of one event, or of a hidden one's hash."""
        at = self.chance.randrange(len(self.genuine.entries))
        entry = self.genuine.entries[at]
        flipped: Entry
        flipped = Hidden(self.flipped(entry.leaf_hash)) if isinstance(entry, Hidden) else self.flipped(entry)
        yield self.with_entries("flip", at, self.genuine.entries[:at], [flipped], self.genuine.entries[at + 1 :])

    def losses(self) -> Iterator[Fault]:
        """An event dropped, put in between or moved, and nothing else changed."""
        entries = self.genuine.entries
        at = self.chance.randrange(len(entries))
        yield self.with_entries("drop", at, entries[:at], entries[at + 1 :])
        if self.genuine.by_line:
            members = self.genuine.members()
            lines = members["entries.ndjson"].splitlines(keepends=True)
            members["entries.ndjson"] = b"".join(lines[:at] + lines[at + 1 :])
            yield Fault("drop", "a line, the others as they were", tar_of(members), self.genuine.first + at)
        at = self.chance.randrange(len(entries) + 1)
        foreign = rewritten(self.visible(), actor="p-somebody")
        yield self.with_entries("insert", at, entries[:at], [foreign], entries[at:])
        if len(entries) > 1:
            at, other = sorted(self.chance.sample(range(len(entries)), 2))
            between = entries[at + 1 : other]
            moved = [entries[other]], between, [entries[at]], entries[other + 1 :]
            yield self.with_entries("swap", at, entries[:at], *moved)

    def cuts(self) -> Iterator[Fault]:
        """The archive, the events or the whole log cut off."""
        tar, genuine = self.genuine.tar(), self.genuine
        yield Fault("truncate", "the archive", tar[: self.chance.randrange(BLOCK, len(tar.rstrip(b"\0")))])
        at = self.chance.randrange(len(genuine.entries))
        yield self.with_entries("truncate", at, genuine.entries[:at])
        if at:
            last = genuine.first + at - 1
            shorter = replace(genuine, entries=genuine.entries[:at], leaves=genuine.leaves[:last])
            yield Fault("truncate", f"all but the checkpoint after {last}", shorter.tar())

    def back_dated(self) -> Iterator[Fault]:
        """An event said to be recorded long ago: left at that, or in a tree built anew, or signed by the log's key."""
        seen = [at for at, entry in enumerate(self.genuine.entries) if isinstance(entry, bytes)]
        for genuine in (self.genuine, self.twin):
            at = self.chance.choice(seen[1:] or seen)
            entry = genuine.entries[at]
            old = rewritten(entry if isinstance(entry, bytes) else b"{}", recordedtime=LONG_AGO)
            entries = [*genuine.entries[:at], old, *genuine.entries[at + 1 :]]
            position = genuine.first + at
            if genuine is self.genuine:
                yield Fault("back-date", f"{position}", replace(genuine, entries=tuple(entries)).tar(), position)
            if len(seen) > 1:
                rebuilt = genuine.rebuilt(entries, self.keeper)
                kept = replace(rebuilt, note=genuine.note) if genuine is self.genuine else rebuilt
                trust = None if genuine is self.genuine else self.twin
                yield Fault("back-date", f"{position}, tree built anew", kept.tar(), position, trust)

    def tiles(self) -> Iterator[Fault]:
        """One byte of one tile of hashes, or all of it."""
        members, first = self.genuine.members(), self.genuine.first
        level, n, width = self.chance.choice(list(tiles_of(self.genuine.last)))
        index = self.chance.randrange(width)
        at = (n * RUN + index) * RUN**level + 1
        name = tile_path(level, n, width)
        tile = members[name]
        flipped = tile[: index * 32] + self.flipped(tile[index * 32 : index * 32 + 32]) + tile[index * 32 + 32 :]
        found = at if level or at >= first else (at - 1) // RUN * RUN + 1
        yield Fault("tile", f"{name}, hash {index}", tar_of({**members, name: flipped}), found)
        del members[name]
        yield Fault("tile", f"{name} missing", tar_of(members), n * RUN ** (level + 1) + 1)

    def claims(self) -> Iterator[Fault]:
        """One bit of the checkpoint, the key or the manifest; the checkpoint of another size."""
        members = self.genuine.members()
        for name in ("vkey", "export.json"):
            yield Fault("claims", f"{name}, a bit", tar_of({**members, name: self.flipped(members[name])}))
        text, divider, lines = members["checkpoint"].rpartition(b"\n\n")
        false = [self.flipped(text) + divider + lines]
        if lines.count(b"\n") == 1:  # of several lines one may be that of an unknown key, which is passed over
            false.append(text + divider + self.flipped(lines))
        for note in false:
            yield Fault("checkpoint", "a bit", tar_of({**members, "checkpoint": note}))
        more = self.twin.rebuilt(self.grown(self.twin.entries, 1), self.keeper)
        yield Fault("checkpoint", "of another size", replace(self.twin, note=more.note).tar(), remembered=self.twin)

    def resigned(self) -> Iterator[Fault]:
        """An event rewritten, the whole tree built anew and signed by somebody else: as himself, or as the keeper."""
        at, entries = self.rewriting(self.genuine.entries)
        what = f"{self.genuine.first + at} rewritten"
        is_partial = self.genuine.first > 1 or self.genuine.by_line
        yield Fault("re-sign", what, self.genuine.rebuilt(entries, self.stranger).tar(), is_partial=is_partial)
        rekeyed = self.rekeyed(entries, self.stranger)
        position = 1 if self.genuine.first == 1 else None
        what += ", the log's key as well"
        yield Fault("re-sign", what, rekeyed.tar(), position, is_partial=is_partial)
        yield Fault("re-sign", what, rekeyed.tar(), remembered=self.genuine, is_partial=is_partial)

    def split_views(self) -> Iterator[Fault]:
        """The log's own key signs another history, for another reader: of the same size, or longer."""
        at, entries = self.rewriting(self.twin.entries)
        for more in (0, self.chance.randint(1, 300)):
            other = self.twin.rebuilt(self.grown(entries, more), self.keeper)
            what = f"another {self.twin.first + at}, {more} events more"
            yield Fault("split view", what, other.tar(), remembered=self.twin)

    def restored(self) -> Iterator[Fault]:
        """A backup comes back, and the log grows on from there: to less than it was, as much, or more."""
        length = len(self.twin.entries)
        if length == 1:
            return
        kept = self.chance.randrange(1, length)
        for grown in (0, length - kept, length - kept + self.chance.randint(1, 300)):
            entries = self.grown(self.twin.entries[:kept], grown)
            back = self.twin.rebuilt(entries, self.keeper)
            what = f"to {self.twin.first + kept - 1}, then {grown} events"
            yield Fault("restored backup", what, back.tar(), remembered=self.twin)

    def with_entries(self, kind: str, at: int, *parts: tuple[Entry, ...] | list[Entry] | list[bytes]) -> Fault:
        """Return the genuine export with other events in the same tree: wrong from the index on."""
        entries = tuple(entry for part in parts for entry in part)
        position = self.genuine.first + at
        return Fault(kind, f"{position}", replace(self.genuine, entries=entries).tar(), position)

    def rekeyed(self, entries: tuple[Entry, ...] | list[Entry], signer: Signer) -> Exported:
        """Return these events as a log of another key, which position 1 names."""
        entries, vkey = list(entries), signer.vkey
        if self.genuine.first == 1 and isinstance(entries[0], bytes):
            data = json.loads(entries[0])["data"]
            entries[0] = rewritten(entries[0], data={**data, "vkey": vkey})
        return replace(self.genuine.rebuilt(entries, signer), vkey=vkey)

    def rewriting(self, entries: tuple[Entry, ...]) -> tuple[int, list[Entry]]:
        """Return the events with one of them rewritten, and which."""
        at = self.chance.choice([at for at, entry in enumerate(entries) if isinstance(entry, bytes)])
        entry = entries[at]
        changed = rewritten(entry if isinstance(entry, bytes) else b"{}", actor="p-somebody")
        return at, [*entries[:at], changed, *entries[at + 1 :]]

    def grown(self, entries: tuple[Entry, ...] | list[Entry], more: int) -> list[Entry]:
        """Return the events and so many new ones after them."""
        newest = max((entry for entry in entries if isinstance(entry, bytes)), key=recorded_at)
        size = self.genuine.first - 1 + len(entries)
        positions = range(size + 1, size + 1 + more)
        document = {"type": "year.launched.v1", "recordedtime": recorded_at(newest), "actor": "p-somebody"}
        new = [rewritten(newest, **document, id=str(at), sequence=f"{at:019d}") for at in positions]
        return [*entries, *new]

    def visible(self) -> bytes:
        """Return the bytes of any event that is not hidden."""
        return self.chance.choice([entry for entry in self.genuine.entries if isinstance(entry, bytes)])

    def flipped(self, data: bytes) -> bytes:
        """Return bytes with one bit the other way."""
        at, bit = self.chance.randrange(len(data)), 1 << self.chance.randrange(8)
        return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def recorded_at(entry: bytes) -> str:
    """Return when an event was recorded."""
    return str(json.loads(entry)["recordedtime"])


class Court:
    """Puts archives to the verifier's command line."""

    def __init__(self, folder: Path, vkey: str) -> None:
        """Work in a folder of its own, and trust a key."""
        self.archive, self.state, self.vkey = folder / "log.tar", folder / "head.json", vkey

    def judge(self, tar: bytes, *trust: str) -> tuple[int, int | None]:
        """Return the verifier's exit status, and the position that it names."""
        self.archive.write_bytes(tar)
        status, found = verify("export", self.archive, *trust)
        position = found["position"]
        return status, position if position is None else int(position)

    def tried(self, fault: Fault) -> tuple[int, str | None]:
        """Return the verifier's exit status, and how it failed on a fault; None when it caught it."""
        if fault.remembered is None:
            status, position = self.judge(fault.tar, "--vkey", self.vkey)
        else:
            self.state.unlink(missing_ok=True)
            accepted = self.judge(fault.remembered.tar(), "--remember", str(self.state))
            before = self.state.read_bytes()
            status, position = self.judge(fault.tar, "--remember", str(self.state))
            if accepted != (0, None) or self.state.read_bytes() != before:
                return status, f"{fault.kind}: {fault.what}: the remembered head was not kept"
        if status != verifier.TAMPERED and not (fault.is_partial and status == verifier.CANNOT_TELL):
            return status, f"{fault.kind}: {fault.what}: exit status {status}"
        if fault.position is not None and position != fault.position:
            return status, f"{fault.kind}: {fault.what}: found at {position} instead of {fault.position}"
        return status, None


def genuine_exports(sizes: Sequence[int], chance: random.Random) -> Iterator[Exported]:
    """Give exports of logs of all sizes, in both layouts, some with hidden events, some from a later position on."""
    for size in sizes:
        hidden = {at for at in range(2, size + 1) if not chance.randrange(3)}
        yield exported(size)
        yield exported(size, hidden=hidden)
        if size > RUN:
            first = chance.randrange(RUN, size, RUN) + 1
            yield exported(size, first=first)
            yield exported(size, first=first, hidden=hidden - {size})


def campaign(exports: Iterable[Exported], vkey: str, *, rounds: int, chance: random.Random) -> dict[str, Tally]:
    """Return the tally of each kind of fault; `genuine` counts the exports that must pass, and did."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    with tempfile.TemporaryDirectory() as folder:
        court = Court(Path(folder), vkey)
        for genuine in exports:
            passes = court.judge(genuine.tar(), "--vkey", vkey) == (0, None)
            count(tallies["genuine"], None if passes else f"an export of {genuine.last} events does not pass")
            forger = Forger(genuine, chance)
            for _ in range(rounds):
                for fault in forger.tiles() if genuine.last == LARGE else forger.faults():
                    status, failure = court.tried(fault)
                    tally = tallies[fault.kind]
                    tally.unsure += failure is None and status == verifier.CANNOT_TELL
                    count(tally, failure, is_placeable=fault.position is not None)
    return dict(tallies)


def count(tally: Tally, failure: str | None, *, is_placeable: bool = False) -> None:
    """Count one fault and how it went."""
    tally.faults += 1
    tally.placeable += is_placeable
    if failure is None:
        tally.caught += 1
    else:
        tally.missed.append(failure)


def main() -> int:
    """Run the campaign; 0 when all was caught and all that is genuine passed, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.audit.campaign", description="Put every kind of fault to exports."
    )
    parser.add_argument("--export", type=Path, help="an export that a service gave out, instead of made-up ones")
    parser.add_argument("--vkey", default=KEEPER.vkey, help="the key of that export's log")
    parser.add_argument("--rounds", type=int, default=6, help="faults of each kind to each export")
    parser.add_argument("--seed", type=int, default=20240130, help="of the random places")
    parser.add_argument("--json", action="store_true", help="print for a machine")
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311 - places of faults are no secrets
    exports: Iterable[Exported]
    if options.export is None:
        exports = chain(genuine_exports(SIZES, chance), [exported(LARGE)])
    else:
        exports = [read(options.export.read_bytes())]
    tallies = campaign(exports, options.vkey, rounds=options.rounds, chance=chance)
    missed = [failure for tally in tallies.values() for failure in tally.missed]
    if options.json:
        figures = {
            kind: {"faults": each.faults, "caught": each.caught, "cannot_tell": each.unsure}
            for kind, each in tallies.items()
        }
        sys.stdout.write(json.dumps({"tally": figures, "missed": missed}) + "\n")
    else:
        for kind, each in tallies.items():
            verb = "passed" if kind == "genuine" else f"caught, {each.placeable} of them to be found at a position"
            verb += f", {each.unsure} of them as one that cannot be told" if each.unsure else ""
            sys.stdout.write(f"{kind}: {each.caught} of {each.faults} {verb}\n")
        sys.stdout.write("".join(f"MISSED {failure}\n" for failure in missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
