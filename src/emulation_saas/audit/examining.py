"""Whether a log can be signed: its keys are here, and it contradicts nothing that was signed of it."""

from typing import Final

from emulation_saas.audit.signing import named_vkeys
from emulation_saas.log import LogGapError, ProvinceLog
from emulation_saas.postgres.database import Database
from emulation_saas.postgres.statements import load_statements

_STATEMENTS: Final = load_statements("emulation_saas.audit")


async def signing_faults(database: Database, log: ProvinceLog) -> list[str]:
    """Return what would keep the signer from signing a log, each with what to do; nothing is signed."""
    async with database.in_province_keys(log.province) as connection:
        kept = {row["vkey"] for row in await connection.fetch(_STATEMENTS["log_keys"], log.province)}
        signed = await connection.fetchrow(_STATEMENTS["newest_signed_head"], log.province)
    named = await named_vkeys(log)
    faults = [
        f"the private half of {vkey} is not among the keys: restore the schema sealing"
        for vkey in named[-1:]
        if vkey not in kept
    ]
    if signed is None:
        return faults
    head = await log.head()
    if head.position < signed["size"]:
        faults.append(
            f"the log stands at {head.position} and was signed at {signed['size']}: events are missing, do not record "
            "anything; see the runbook EmulationLogForked"
        )
    elif await _root(log, signed["size"]) != signed["root"]:
        faults.append(f"its first {signed['size']} events are not those that were signed: see EmulationLogForked")
    return faults


async def _root(log: ProvinceLog, size: int) -> bytes | None:
    """Return the root of so many events; None where one of them is missing."""
    try:
        return await log.root(size)
    except LogGapError:
        return None
