"""The dossier of a dispute: one tar with all it takes to judge it, checkable offline.

    dossier.json   checkpoint   vkey   events/{p}   proofs/{p}.tlog-proof   standings-before.json   standings-after.json

Everything is as of one signed size, and `vkey` has a line for each key that the log names. Of an event that the reader
may not see there is the leaf hash and the proof that something stands at its place. The standings are those that the
corrections found and those that they left.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol, runtime_checkable

import msgspec

from emulation_saas.audit.exports import archived
from emulation_saas.audit.receipts import proof_text, spelled
from emulation_saas.audit.signing import SignedHead, Signer, named_vkeys
from emulation_saas.kernel.authority import Authority
from emulation_saas.log import Entry, ProvinceLog

FORMAT: Final = "emulation-dossier.v1"
_encode: Final = msgspec.json.Encoder(order="sorted").encode

Sees = Callable[[Entry], bool]


@runtime_checkable
class Documents(Protocol):
    """Who answers for the documents of a province."""

    async def document(self, log: ProvinceLog, may: Authority, path: str, *, as_of: int) -> bytes:
        """Return the document at a path below the province, as of a position, for somebody who may read it."""
        ...


async def dossier(
    *, signer: Signer, documents: Documents, log: ProvinceLog, may: Authority, year: str, dispute: str, sees: Sees
) -> tuple[int, bytes]:
    """Return the dossier of a dispute, and the size of the log that it is true at.

    Args:
        signer: signs its checkpoint.
        documents: tells the dispute and the standings.
        log: of the province.
        may: what the reader may do; who may not read the dispute gets no dossier.
        year: the path of the bloc's year.
        dispute: its handle.
        sees: which events the reader may see.

    Raises:
        Rejection: the reader may not read it, or there is no such dispute.
        LogForked: the log contradicts what was signed.
    """
    head = await signer.covering(log, (await log.head()).position)
    told = msgspec.json.decode(
        await documents.document(log, may, f"{year}/disputes/{dispute}", as_of=head.size), type=dict[str, Any]
    )
    standings = await _standings(documents, log, may, year, told, head.size)
    files: dict[str, bytes] = {}
    events: list[dict[str, Any]] = []
    for position in _positions(told):
        (entry,) = await log.entries(after=position - 1, through=position)
        listed: dict[str, Any] = {"position": position, "type": entry.type}
        if sees(entry):
            files[f"events/{position}"] = entry.body
        else:
            listed |= {"hidden": True, "leaf_hash": spelled([entry.leaf_hash])[0]}
        files[f"proofs/{position}.tlog-proof"] = await _proof(signer, log, head, position)
        events.append(listed)
    about = {
        "format": FORMAT,
        "origin": head.note.partition("\n")[0],
        "size": head.size,
        "path": f"{year}/disputes/{dispute}",
        "dispute": told,
        "events": events,
        "standings": {name: at for name, (at, _) in standings.items()},
    }
    whole = {
        "dossier.json": _encode(about) + b"\n",
        "checkpoint": head.note.encode(),
        "vkey": "".join(f"{each}\n" for each in await named_vkeys(log)).encode(),
        **files,
        **{f"standings-{name}.json": document for name, (_, document) in standings.items()},
    }
    return head.size, archived(whole)


async def _proof(signer: Signer, log: ProvinceLog, head: SignedHead, position: int) -> bytes:
    found = await signer.proof(log, position, head.note)
    return proof_text(position, found.path, head.note).encode()


async def _standings(
    documents: Documents, log: ProvinceLog, may: Authority, year: str, told: dict[str, Any], size: int
) -> dict[str, tuple[dict[str, Any], bytes]]:
    """Return the standings before the first correction and after the last; without one, as they are."""
    corrected = [correction["position"] for correction in told["corrections"]]
    places = {"before": corrected[0] - 1, "after": corrected[-1]} if corrected else {"before": size}
    return {
        name: (
            {"position": at, "root": spelled([await log.root(at)])[0]},
            await documents.document(log, may, f"{year}/standings", as_of=at) + b"\n",
        )
        for name, at in places.items()
    }


def _positions(told: dict[str, Any]) -> list[int]:
    """Return where everything happened that the dispute is about, in order."""
    steps = [*told["events"], *told["evidence"], *told["answers"], *told["corrections"]]
    decided = [told["decision"]["position"]] if "decision" in told else []
    return sorted({told["position"], *(step["position"] for step in steps), *decided})
