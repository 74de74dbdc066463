"""Receipts: that an event is in the log, checkable for ever by whoever holds it (C2SP tlog-proof)."""

import base64
from collections.abc import Iterable

from emulation_saas.audit.signing import Signer
from emulation_saas.log import ProvinceLog


async def receipt(signer: Signer, log: ProvinceLog, position: int) -> str:
    """Return the proof that the event at a position is in the log, with a signed checkpoint.

    Raises:
        SizeBeyondHead: the log has not reached the position.
        LogForked: the log contradicts what was signed; nothing can be proved now.
    """
    head = await signer.covering(log, position)
    found = await signer.proof(log, position, head.note)
    return proof_text(position, found.path, head.note)


def proof_text(position: int, path: Iterable[bytes], note: str) -> str:
    """Return a proof as C2SP writes it: the leaf's index, the path to the root, and the checkpoint with that root."""
    return "\n".join(["c2sp.org/tlog-proof@v1", f"index {position - 1}", *spelled(path), "", note])


def spelled(hashes: Iterable[bytes]) -> list[str]:
    """Return hashes as proofs spell them: standard base64."""
    return [base64.b64encode(each).decode() for each in hashes]
