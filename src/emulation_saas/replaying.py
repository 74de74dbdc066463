"""The check `verify replay`: the documents are folded here, from an export's events alone, and compared by digest.

Personal fields stay sealed: no document's state rests on one.
"""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from emulation_saas.audit import verifier
from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.log import Codec, Registry
from emulation_saas.log.events import Unknown
from emulation_saas.log.sealing import Opener
from emulation_saas.projecting.digesting import StateDigest, digest_of, together
from emulation_saas.wiring import EVENT_TYPES
from projections import PROJECTIONS

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def add_replay(add: Callable[[str, verifier.Check, str], argparse.ArgumentParser]) -> None:
    """Add the check to those of the verifier."""
    replaying = add("replay", _replay, "check an export, fold its events, and compare what the documents say")
    replaying.add_argument("file", type=Path, help="the tar, of the whole log")
    replaying.add_argument(
        "--digest",
        type=_digest,
        required=True,
        help="what GET …/digest?as_of= the export's size said: its file or hash",
    )


def _digest(text: str) -> StateDigest:
    """Read the answer's file, or its hash alone, which names no projections."""
    if _DIGEST.fullmatch(text):
        return StateDigest(digest=text, projections=[])
    try:
        told = msgspec.json.decode(Path(text).read_bytes(), type=StateDigest)
    except (OSError, msgspec.MsgspecError) as error:
        raise argparse.ArgumentTypeError(
            f"neither 64 hexadecimal digits in lower case nor a file of …/digest: {error}"
        ) from None
    if together(told.projections).digest != told.digest:
        raise argparse.ArgumentTypeError("the file's digest is not that of its projections")
    return told


def _replay(options: argparse.Namespace, report: verifier.Report) -> None:
    with options.file.open("rb") as file:
        export = verifier.Export(verifier.Archive(file))
        verifier.check_export(export, options.vkey, None, report)
        recorded = _recorded(export)
    unknown = [each.position for each in recorded if isinstance(each.event, Unknown)]
    if unknown:
        report.not_covered["types of a later release"] = f"passed over, first at position {unknown[0]}"
    state = digest_of(PROJECTIONS, recorded)
    folded = ", ".join(f"{each.name} v{each.version}: {each.documents}" for each in state.projections)
    report.facts |= {"digest": state.digest, "documents": folded}
    _demand_same(options.digest, state, folded)


def _demand_same(told: StateDigest, here: StateDigest, folded: str) -> None:
    """Demand that the documents say here what the service told of them.

    Raises:
        TamperedError: a projection of the same version leads to something else; a hash alone is taken at its word.
        CannotTellError: the projections are others.
    """
    if told.digest == here.digest:
        return
    if not told.projections:
        raise verifier.TamperedError(
            f"the events lead to the digest {here.digest} (by {folded}); should the service have other versions of its "
            "projections, the file of …/digest in place of its hash tells them apart"
        )
    theirs = {(each.name, each.version): each for each in told.projections}
    ours = {(each.name, each.version): each for each in here.projections}
    for name, version in sorted(theirs.keys() & ours.keys()):
        if theirs[name, version] != ours[name, version]:
            raise verifier.TamperedError(
                f"the events lead to other documents by {name} v{version} than the service told"
            )
    others = ", ".join(f"{name} v{version}" for name, version in sorted(theirs.keys() ^ ours.keys()))
    raise verifier.CannotTellError(f"not on both sides: {others}; all other documents are as the service told")


def _recorded(export: verifier.Export) -> list[AnyRecorded]:
    """Return the events of a checked export.

    Raises:
        CannotTellError: some are not in it.
        TamperedError: one is none of its type.
    """
    if export.first != 1:
        raise verifier.CannotTellError("the export does not begin with the log")
    codec = Codec(Registry(EVENT_TYPES))
    sealed = Opener(ProvinceId(UUID(verifier.province_of(export.origin))), {}, {})
    recorded: list[AnyRecorded] = []
    for position, entry, _ in export.leaves():
        if entry is None:
            raise verifier.CannotTellError(f"events are hidden, first at position {position}")
        try:
            recorded.append(codec.decode(msgspec.json.decode(entry)["type"], entry, sealed))
        except (msgspec.MsgspecError, KeyError, ValueError) as error:
            raise verifier.TamperedError(f"it is no event of its type: {error}", position) from error
    return recorded
