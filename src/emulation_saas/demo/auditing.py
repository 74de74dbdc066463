"""One dispute and the log as an auditor meets them: read with his token, checked by the offline verifier."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import msgspec

from emulation_saas.audit.verifier import (
    HASH_BYTES,
    NOTE_BYTES_MAX,
    Archive,
    CannotTellError,
    Checkpoint,
    Proof,
    Report,
    TamperedError,
    Vkey,
    check_dossier,
    decoded,
    demand_consistent,
    examine,
    leaf_hash,
    parse_checkpoint,
    verify_note,
)
from emulation_saas.demo.library import Library
from emulation_saas.demo.player import Api, DemoRefusedError
from emulation_saas.demo.scene import AUDITOR

_Json = dict[str, Any]


class SignedTold(msgspec.Struct, frozen=True):
    """A checkpoint, and the keys whose signatures of it are good."""

    size: int
    root: str
    signed_by: list[str]


class PlaceTold(msgspec.Struct, frozen=True):
    """Where a member stands."""

    rank: int
    points: str


class PlaceAsOfTold(PlaceTold, frozen=True):
    """Where a member stood at a position."""

    position: int


class DossierTold(msgspec.Struct, frozen=True):
    """The events of a dossier that are proved to be in the log, by position."""

    proved: list[int]


class DisputeTold(msgspec.Struct, frozen=True):
    """A dispute from filing to correction, each step by its position."""

    dispute: str
    agency: str
    state: str
    contested: list[int]
    filed: int
    answered: list[int]
    decided: int
    corrections: list[int]
    before: PlaceAsOfTold
    after: PlaceAsOfTold
    dossier: DossierTold


class ProvedTold(msgspec.Struct, frozen=True):
    """An event that is proved to be in the log."""

    position: int
    type: str


class InputTold(msgspec.Struct, frozen=True):
    """A figure that another is made from, and the events that it rests on."""

    figure: str
    value: Any
    events: list[int]


class ExplainedTold(msgspec.Struct, frozen=True):
    """A figure, the rule it follows, what it is made from, and the events behind it all."""

    figure: str
    value: Any
    rule: str
    inputs: list[InputTold]
    events: list[ProvedTold]


class CounterfactualTold(msgspec.Struct, frozen=True):
    """Where the member that disputed would stand if these events were missing."""

    without: list[int]
    agency: str
    actual: PlaceTold
    supposed: PlaceTold


class Audit(msgspec.Struct, frozen=True):
    """What the auditor found; all of it has been checked."""

    root: str
    """Of the tree at the position as of which everything is read; hexadecimal."""
    signed: SignedTold
    dispute: DisputeTold
    explained: ExplainedTold
    counterfactual: CounterfactualTold
    archive: bytes
    """The dossier, a tar. Made at the newest head, so its bytes may be others another time."""


def audit(api: Api, library: Library) -> Audit:
    """Read what an auditor reads and check it.

    Raises:
        DemoRefusedError: something cannot be had, or does not verify.
    """
    try:
        auditor = _Auditor(api, library)
        dossier = auditor.dossier()
        return Audit(
            root=auditor.checkpoint.root.hex(),
            signed=auditor.signed,
            dispute=auditor.dispute(dossier),
            explained=auditor.explained(f"points/{auditor.agency}"),
            counterfactual=auditor.supposed(),
            archive=dossier,
        )
    except (CannotTellError, TamperedError) as error:
        message = f"what the service gave does not verify: {error}"
        raise DemoRefusedError(message) from error


class _Auditor:
    """Reads and checks. Whatever does not verify raises TamperedError."""

    def __init__(self, api: Api, library: Library) -> None:
        self._api = api
        self._library = library
        self._case = library.dispute
        self.agency: str = self._case["agency"]
        self._keys = [Vkey.parse(line) for line in self._bytes("/log/vkey").decode().splitlines()]
        self.checkpoint = parse_checkpoint(self._bytes(f"/log/checkpoints/{library.head}"))
        signers = verify_note(self.checkpoint.note, self._keys)
        root = self.checkpoint.root.hex()
        self.signed = SignedTold(self.checkpoint.size, root, [key.text for key in signers])
        if self.checkpoint.size != library.head:
            raise TamperedError("the checkpoint is of another size")

    def dossier(self) -> bytes:
        return self._bytes(f"{self._library.year}/disputes/{self._case['dispute']}/dossier")

    def dispute(self, dossier: bytes) -> DisputeTold:
        """Return the dispute, once its dossier has been checked."""
        case, archive, report = self._case, Archive(BytesIO(dossier)), Report()
        check_dossier(archive, self._keys, report)
        self._demand_grown(parse_checkpoint(archive.read("checkpoint", NOTE_BYTES_MAX)))
        if report.facts["hidden"] != 0:
            raise TamperedError("an event of the dossier is hidden from the auditor")
        proved = sorted(int(name.removeprefix("events/")) for name in archive.members if name.startswith("events/"))
        corrections = [each["position"] for each in case["corrections"]]
        return DisputeTold(
            dispute=case["dispute"],
            agency=self._library.name(self.agency),
            state=case["state"],
            contested=[each["position"] for each in case["events"]],
            filed=case["position"],
            answered=[each["position"] for each in case["answers"]],
            decided=case["decision"]["position"],
            corrections=corrections,
            before=self._place_as_of(min(corrections) - 1),
            after=self._place_as_of(max(corrections)),
            dossier=DossierTold(proved),
        )

    def explained(self, figure: str) -> ExplainedTold:
        """Return a figure of the standings explained, every event behind it being proved."""
        path = f"{self._library.year}/standings"
        found = self._get("/explain", path=path, figure=figure, as_of=self._library.head)
        self._demand_root(found["root"])
        derivation = found["derivation"]
        return ExplainedTold(
            figure=figure,
            value=derivation["value"],
            rule=derivation["rule"],
            inputs=[
                InputTold(each["figure"], each["value"], sorted(set(_positions(each)))) for each in derivation["inputs"]
            ],
            events=[self._proved(position) for position in sorted(set(_positions(derivation)))],
        )

    def supposed(self) -> CounterfactualTold:
        """Return where the member would stand without what corrected its score, and what that led to."""
        without = [each["position"] for each in self._case["corrections"]]
        question = {"path": f"{self._library.year}/standings", "as_of": self._library.head, "without": without}
        found = self._api.ask(f"{self._library.at}/what-if", question, by=AUDITOR)
        self._demand_root(found["as_of"]["root"])
        if found["violations"]:
            raise TamperedError(f"the supposed history does not hold: {found['violations'][0]['reason']}")
        return CounterfactualTold(
            without=found["dropped"],
            agency=self._library.name(self.agency),
            actual=PlaceTold(*self._place_in(found["actual"])),
            supposed=PlaceTold(*self._place_in(found["document"])),
        )

    def _place_as_of(self, position: int) -> PlaceAsOfTold:
        standings = self._get(f"{self._library.year}/standings", as_of=position)
        return PlaceAsOfTold(*self._place_in(standings), position)

    def _place_in(self, standings: _Json) -> tuple[int, str]:
        return next((row["rank"], row["points"]) for row in standings["standings"] if row["agency"] == self.agency)

    def _proved(self, position: int) -> ProvedTold:
        """Return an event, once its own bytes are proved to be in the log at its place."""
        entry = self._bytes(f"/events/{position}")
        event = examine(entry, position, self.checkpoint.origin)
        proof = Proof.parse(self._bytes(f"/events/{position}.tlog-proof"))
        if proof.index != position - 1:
            raise TamperedError("the proof is one of another event", position)
        proof.demand(leaf_hash(entry))
        verify_note(proof.checkpoint.note, self._keys)
        self._demand_grown(proof.checkpoint)
        return ProvedTold(position, str(event["type"]))

    def _demand_grown(self, newer: Checkpoint) -> None:
        """Demand that a head, which may be newer, is of the same log as the one that the account names."""
        if newer.origin != self.checkpoint.origin:
            raise TamperedError("the checkpoint is of another log")
        first, second = self.checkpoint.size, newer.size
        proof = self._bytes("/log/proof/consistency", first=first, second=second)
        demand_consistent(first, self.checkpoint.root, newer, proof)

    def _demand_root(self, spelled: str) -> None:
        """Demand that an answer was computed at the very root that is signed."""
        if decoded(spelled, HASH_BYTES) != self.checkpoint.root:
            raise TamperedError("an answer names another root than the one that is signed")

    def _get(self, path: str, /, **query: str | int) -> _Json:
        return self._api.get(f"{self._library.at}{path}", by=AUDITOR, **query)

    def _bytes(self, path: str, /, **query: str | int) -> bytes:
        return self._api.get_bytes(f"{self._library.at}{path}", by=AUDITOR, **query)


def _positions(derivation: _Json) -> Iterator[int]:
    yield from (event["position"] for event in derivation["events"])
    for each in derivation["inputs"]:
        yield from _positions(each)
