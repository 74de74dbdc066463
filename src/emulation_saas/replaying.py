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
from emulation_saas.projecting.digesting import digest_of
from emulation_saas.wiring import EVENT_TYPES
from projections import PROJECTIONS

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def add_replay(add: Callable[[str, verifier.Check, str], argparse.ArgumentParser]) -> None:
    """Add the check to those of the verifier."""
    replaying = add("replay", _replay, "check an export, fold its events, and compare what the documents say")
    replaying.add_argument("file", type=Path, help="the tar, of the whole log")
    replaying.add_argument(
        "--digest", type=_digest, required=True, help="what GET …/digest?as_of= the export's size said"
    )


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise argparse.ArgumentTypeError("a digest is 64 hexadecimal digits in lower case")
    return text


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
    if state.digest != options.digest:
        raise verifier.TamperedError(f"the events lead to the digest {state.digest} (by {folded})")


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
