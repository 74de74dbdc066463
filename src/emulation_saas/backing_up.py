"""The commands `backup` and `restore`: the whole database, on a shelf of its own and back in a new data directory."""

import argparse
import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec

from emulation_saas.arguments import instant, whole
from emulation_saas.audit.witness import Witness, behind
from emulation_saas.backups.faults import BackupError
from emulation_saas.backups.restoring import Restored, restored
from emulation_saas.backups.shelf import Backup, Shelf
from emulation_saas.backups.source import Source, source_at
from emulation_saas.backups.streaming import Stream
from emulation_saas.backups.taking import DAYS_MAX, Policy, take, verify
from emulation_saas.backups.tools import places, tools_of
from emulation_saas.kernel.clock import utc_now
from emulation_saas.log.key_files import KeyExposedError, write_once
from emulation_saas.log.keyring import demand_master_key
from emulation_saas.log.master_key import MasterKeyError, NoMasterKey, read_master_key
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.postgres.migrating import MigrationError
from emulation_saas.postgres.server import ServerRefusedError
from emulation_saas.serving import MASTER_KEY, data_directory, prepare
from emulation_saas.settings import PREFIX, Settings, SettingsError
from emulation_saas.wiring import logs_of

Say = Callable[[str], None]
Answer = tuple[object, str]
"""What a command prints, for a machine and for a person."""
_KEEP_MAX: Final = 1_000
_DAYS_MAX: Final = 3_650
_Afterwards = MasterKeyError | KeyExposedError | MigrationError | ServerRefusedError | OSError
_AFTERWARDS: Final = (MasterKeyError, KeyExposedError, MigrationError, ServerRefusedError, OSError)
"""What may turn out once all is replayed."""


class Outcome(msgspec.Struct, frozen=True):
    """What a restore has brought back."""

    data: str
    backup: str
    heads: dict[str, int]
    """Handle -> position."""
    behind: list[str]
    """A line for each province that stands behind what was signed of it, as far as the witness knows."""
    seconds: float


def add_backup(parser: argparse.ArgumentParser) -> None:
    """Add what `backup` may be asked."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    taking = actions.add_parser("take", help="take a base backup, verify it, remove what is too old")
    taking.add_argument("--full", action="store_true", help="a full one, even if an incremental one would do")
    taking.add_argument(
        "--full-every", type=whole(1, _DAYS_MAX), default=7, metavar="DAYS", help="days until one is full again (7)"
    )
    taking.add_argument(
        "--keep", type=whole(1, _KEEP_MAX), default=4, metavar="N", help="full backups to keep, with increments (4)"
    )
    taking.add_argument(
        "--days",
        type=whole(1, _DAYS_MAX),
        default=DAYS_MAX,
        help=f"remove what began earlier ({DAYS_MAX}): they hold personal keys",
    )
    streaming = actions.add_parser("stream", help="stream the database's log of changes into the directory, for ever")
    verifying = actions.add_parser("verify", help="read all backups again and compare them with their manifests")
    listing = actions.add_parser("list", help="say what can be restored")
    for action in (taking, streaming):
        action.add_argument("--database-url", help="which database; without it the embedded one")
        action.add_argument("--data", type=Path, help="directory of the embedded database")
    for action in (taking, streaming, verifying, listing):
        action.add_argument("--backups", type=Path, help="directory of the backups")
        action.add_argument("--json", action="store_true", help="print for a machine")


def add_restore(parser: argparse.ArgumentParser) -> None:
    """Add what `restore` may be asked."""
    parser.add_argument("--to", type=Path, required=True, help="the new data directory; it must not exist")
    parser.add_argument("--until", type=instant, help="no later commits, as 2026-11-26T02:15:00+07:00")
    parser.add_argument("--backups", type=Path, help="directory of the backups")
    parser.add_argument("--master-key", type=Path, help="file of the master key: checked, and copied there")
    parser.add_argument("--witness", type=Path, help="compare with what was signed")
    parser.add_argument("--json", action="store_true", help="print for a machine")


def back_up(settings: Settings, options: argparse.Namespace, *, say: Say, show: Say) -> Answer:
    """Do what `backup` was asked.

    Raises:
        BackupError, EmbeddedPostgresError, SettingsError: it could not be done; a machine is shown what is damaged.
    """
    shelf = Shelf(_backups(settings))
    if options.action == "take":
        policy = Policy(
            full_every=timedelta(days=options.full_every), keep=options.keep, older_than=timedelta(days=options.days)
        )
        with _source_at_hand(settings, say) as source:
            taken = take(shelf, source, policy, clock=utc_now, report=say, is_full=options.full)
        removed = f"; removed {', '.join(taken.removed)}" if taken.removed else ""
        return asdict(taken), f"{taken.name}: {taken.size_bytes / 1e6:.1f} MB{removed}"
    if options.action == "stream":
        Stream(shelf, lambda: _source_found(settings, say), say).run()
        return {}, "stopped"
    chains = shelf.chains()
    names = [[backup.name for backup in chain] for chain in chains]
    segments = [segment.name for segment in shelf.segments()]
    listed: dict[str, object] = {"chains": names, "log": segments}
    if options.action == "verify":
        if not chains:
            raise BackupError(f"there is no backup in {shelf.root}")
        wrong = _wrong_with([backup for chain in chains for backup in chain], say)
        listed |= {"verified": [name for chain in names for name in chain if name not in wrong], "wrong": wrong}
        if wrong:
            if options.json:
                show(msgspec.json.encode(listed).decode() + "\n")
            raise BackupError("\n".join(wrong.values()))
    log = f"log from {segments[0]} to {segments[-1]}" if segments else "no log"
    return listed, "\n".join([*([" + ".join(chain) for chain in names] or ["no backup"]), log])


def _wrong_with(backups: list[Backup], say: Say) -> dict[str, str]:
    """Read backups and return what is wrong, by the name of each that is not as it was taken."""
    wrong: dict[str, str] = {}
    for backup in backups:
        try:
            verify(backup, tools_of(backup.major))
            say(f"{backup.name}: as it was taken")
        except BackupError as error:
            wrong[backup.name] = str(error)
    return wrong


def restore(settings: Settings, options: argparse.Namespace, say: Say) -> Answer:
    """Do what `restore` was asked.

    Raises:
        KeyExposedError, MasterKeyError, SettingsError: the key or the witness cannot be read; nothing was begun.
        BackupError, EmbeddedPostgresError: it could not be done; no new directory is there.
        MasterKeyError: the key is another one; all else is restored.
        MigrationError, ServerRefusedError: this release cannot serve what is restored, which is there.
        OSError: key or witness are there no longer; all else is restored.
    """
    began_s = monotonic()
    shelf, key = Shelf(_backups(settings)), _key_named(settings)
    _demand_witness(settings)
    heads: dict[str, int] = {}
    stand_behind: list[str] = []
    wrong: _Afterwards | None = None
    with restored(shelf, options.to, until=options.until, report=say) as back:
        try:
            heads, stand_behind = asyncio.run(_looked_at(settings, back, say))
            if key is not None:
                _put_key(key, back)
        except _AFTERWARDS as error:  # what took hours need not be done again for this
            wrong = error
    if wrong is not None:
        raise type(wrong)(f"{wrong}; all else is restored in {options.to}") from wrong
    outcome = Outcome(
        str(options.to.absolute()), back.chain[-1].name, heads, stand_behind, round(monotonic() - began_s, 2)
    )
    lines = [
        f"{outcome.data}: restored from {outcome.backup} in {outcome.seconds} s",
        *(f"{handle}: at position {position}" for handle, position in heads.items()),
        *(f"BEHIND {line}" for line in stand_behind),
    ]
    if settings.master_key is None:
        lines.append(f"the master key is in no backup: put it into {outcome.data}/{MASTER_KEY} (0600)")
    return msgspec.to_builtins(outcome), "\n".join(lines)


async def _looked_at(settings: Settings, back: Restored, say: Say) -> tuple[dict[str, int], list[str]]:
    """Return where the restored logs stand, and which stand behind what was signed."""
    await prepare(back.url, say)
    async with open_database(back.url) as database:
        logs = logs_of(database, origin=settings.log_origin, master=NoMasterKey())
        heads = {log.handle: (await log.head()).position for log in await logs.all()}
        return heads, [] if settings.witness is None else await behind(database, Witness(settings.witness))


def _key_named(settings: Settings) -> Path | None:
    """Return the file of the master key, if one is named: it holds one, and nobody else may read it."""
    if settings.master_key is not None:
        read_master_key(settings.master_key)
    return settings.master_key


def _demand_witness(settings: Settings) -> None:
    """Demand that the witness, if one is named, can be asked."""
    try:
        if settings.witness is not None:
            Witness(settings.witness).sizes()
    except (OSError, ValueError) as error:
        raise SettingsError(f"the witness {settings.witness} cannot be read: {error}") from error


def _put_key(key: Path, back: Restored) -> None:
    """Put the master key where the embedded service looks for it, if it wrapped these keys."""

    async def demand() -> None:
        async with open_database(back.url, app_max=1) as database:
            await demand_master_key(database, read_master_key(key))

    asyncio.run(demand())
    write_once(back.data / MASTER_KEY, key.read_bytes())


def _backups(settings: Settings) -> Path:
    if settings.backups is None:
        raise SettingsError(f"say where the backups are by --backups or {PREFIX}BACKUPS")
    return settings.backups


@contextmanager
def _source_at_hand(settings: Settings, say: Say) -> Generator[Source]:
    """Lend the database to copy: the one named, or the embedded one, started for the while if it does not run."""
    if settings.database_url is not None:
        yield source_at(settings.database_url, places(is_own=True))
        return
    embedded = EmbeddedPostgres(data_directory(settings), report=say)
    with embedded.at_hand():
        yield source_at(embedded.backup_url)


def _source_found(settings: Settings, say: Say) -> Source:
    """Return the same, if it runs."""
    if settings.database_url is not None:
        return source_at(settings.database_url, places(is_own=True))
    embedded = EmbeddedPostgres(data_directory(settings), report=say)
    embedded.find()
    return source_at(embedded.backup_url)
