"""The command `reenter`: what a restore has lost of a province's log, appended again from an export, byte by byte.

Readers hold checkpoints of what was lost, so it is the true history: the same bytes at the same positions lead to the
very roots that were signed. Not in an export, so not brought back, are idempotency keys, and the personal keys made
since the backup: names sealed by those stay closed.
"""

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from emulation_saas.audit import verifier
from emulation_saas.audit.signing import named_vkeys
from emulation_saas.backups.faults import BackupError
from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.log import Codec, ProvinceLog, Registry
from emulation_saas.log.events import Unknown
from emulation_saas.log.frontier import Frontier
from emulation_saas.log.master_key import NoMasterKey
from emulation_saas.log.reading import STATEMENTS
from emulation_saas.log.sealing import Opener
from emulation_saas.postgres.database import Database, open_database
from emulation_saas.serving import database_url_of, prepare
from emulation_saas.settings import Settings
from emulation_saas.wiring import EVENT_TYPES, logs_of


class Reentered(msgspec.Struct, frozen=True, kw_only=True):
    """From where to where a log was appended to; nothing where it already held all."""

    province: str
    first: int
    last: int


def add_reenter(parser: argparse.ArgumentParser) -> None:
    """Add what `reenter` may be asked."""
    parser.add_argument("province", help="the province's handle")
    parser.add_argument("export", type=Path, help="an export made since, of which nothing is hidden")
    parser.add_argument("--database-url", help="which database; without it the embedded one")
    parser.add_argument("--data", type=Path, help="directory of the embedded database")
    parser.add_argument("--json", action="store_true", help="print for a machine")


def reenter(settings: Settings, options: argparse.Namespace, say: Callable[[str], None]) -> Reentered:
    """Append what the export holds and the log has not; the service is stopped.

    Raises:
        BackupError: there is no such province; the export is not signed by its keys, does not begin with what the log
            holds, or hides an event. What was appended before an event that cannot be stays, and is true.
        EmbeddedPostgresError: the service runs, or the database cannot.
    """
    with database_url_of(settings, report=say) as url:
        return asyncio.run(_reentered(settings, options, url, say))


async def _reentered(
    settings: Settings, options: argparse.Namespace, url: str, say: Callable[[str], None]
) -> Reentered:
    await prepare(url, say)
    async with open_database(url) as database:
        log = await logs_of(database, origin=settings.log_origin, master=NoMasterKey()).find(options.province)
        if log is None:
            raise BackupError(f"there is no province {options.province}: restore from a newer backup")
        try:
            with options.export.open("rb") as file:
                return await _append_all(database, log, verifier.Export(verifier.Archive(file)))
        except (verifier.TamperedError, verifier.CannotTellError) as error:
            raise BackupError(f"{options.export}: {error}") from error


async def _append_all(database: Database, log: ProvinceLog, export: verifier.Export) -> Reentered:
    """Check all of the export, and that the log is its beginning; then append the rest."""
    head = await log.head()
    keys = tuple(verifier.Vkey.parse(text) for text in await named_vkeys(log))
    held = verifier.Remembered(keys[0].name, head.position, head.root, keys)
    verifier.check_export(export, keys, held, verifier.Report())
    codec, sealed = Codec(Registry(EVENT_TYPES)), Opener(log.province, {}, {})
    frontier = Frontier(head.position, head.frontier)
    for position, body, leaf in export.leaves():
        if position <= head.position:
            continue
        if body is None or position != frontier.size + 1:
            raise BackupError(f"the export does not hold position {frontier.size + 1}: ask for one with a fuller right")
        frontier.append(leaf)
        stored_type: str = msgspec.json.decode(body)["type"]
        await _append(database, log, codec.decode(stored_type, body, sealed), stored_type, body, leaf, frontier)
    return Reentered(province=log.handle, first=head.position + 1, last=frontier.size)


async def _append(
    database: Database,
    log: ProvinceLog,
    recorded: AnyRecorded,
    stored_type: str,
    body: bytes,
    leaf: bytes,
    frontier: Frontier,
) -> None:
    if isinstance(recorded.event, Unknown):
        raise BackupError(f"position {recorded.position} is of a type of a later release: use that release")
    tags = list(dict.fromkeys(recorded.event.tags()))
    arguments: tuple[object, ...] = (
        *(log.province, recorded.position - 1, utc_now(), recorded.recorded_at, frontier.peaks, frontier.root()),
        *([stored_type], [body], [leaf]),
        *([recorded.position] * len(tags), tags, [stored_type] * len(tags)),
        *([], [], [], [], []),  # no idempotency keys
    )
    if not await database.app.fetchval(STATEMENTS["append"], *arguments):
        raise BackupError(f"the log moved on by itself before position {recorded.position}: stop the service")
