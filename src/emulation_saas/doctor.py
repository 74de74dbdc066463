"""`emulation-saas doctor`: what an operator should know of the database and the keys, and what to do about each thing.

Nothing is changed. The checks of the server and its roles are those of every start (`postgres.server`); the others look
at what may have changed since, or goes wrong while the service runs. What cannot be seen from here is said, too.
"""

import asyncio
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import asyncpg
import msgspec

from emulation_saas.audit.examining import signing_faults
from emulation_saas.audit.witness import Witness, behind
from emulation_saas.kernel.clock import utc_now
from emulation_saas.log import MasterKeyError, ProvinceLog
from emulation_saas.log.faults import CLOCKS_APART_MAX
from emulation_saas.log.key_files import KeyExposedError
from emulation_saas.log.keyring import demand_master_key
from emulation_saas.log.master_key import NoMasterKey, read_master_key
from emulation_saas.operating.lags import Follower, Lags
from emulation_saas.postgres.catalogue import catalogue_faults
from emulation_saas.postgres.database import Database, open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresError
from emulation_saas.postgres.migrating import MigrationError, standing_of
from emulation_saas.postgres.server import (
    MIGRATE_ROLE,
    SERVING_ROLES,
    STATEMENTS,
    ServerRefusedError,
    facts_as,
    faults_of,
    warnings_of,
)
from emulation_saas.serving import data_directory, master_key_path
from emulation_saas.settings import PREFIX, Settings
from emulation_saas.wiring import logs_of
from projections import PROJECTIONS

if TYPE_CHECKING:
    from datetime import timedelta

EXIT_FAULTS: Final = 1
EXIT_CANNOT_TELL: Final = 2
STILL_S: Final = 3.0
"""Documents that come no further for so long, though events wait, stand still."""
DISK_FREE_MIN: Final = 0.1
"""Of the disk that holds the embedded database."""
_FAILURES: Final = (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""That a check cannot look: no server, no such database, a URL that is none."""
_CLOCKS_WARN: Final = CLOCKS_APART_MAX / 4
_UNSEEN: Final[tuple[str, ...]] = (
    "whether the service runs: GET /health/ready tells",
    "the clocks, disks and memory of other machines",
    "backups: whether they can be restored is told by restoring one",
)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one check found."""

    check: str
    verdict: Literal["fine", "fault", "unknown"]
    says: str
    do: str = ""


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """All findings, and what was not looked at."""

    findings: list[Finding]
    not_seen: list[str]

    @property
    def exit_code(self) -> int:
        """0: all is fine; 1: something is wrong; 2: nothing is known to be wrong, but not all could be told."""
        verdicts = {finding.verdict for finding in self.findings}
        return EXIT_FAULTS if "fault" in verdicts else EXIT_CANNOT_TELL if "unknown" in verdicts else 0

    def text(self) -> str:
        """Return it for people, a line each; what to do stands under what is wrong."""
        lines: list[str] = []
        for each in self.findings:
            lines.append(f"{each.verdict:<8}{each.check}: {each.says}")
            lines += [f"        -> {each.do}"] if each.do else []
        return "\n".join([*lines, *(f"not seen: {each}" for each in self.not_seen)])


def diagnose(settings: Settings, *, say: Callable[[str], None], still_s: float = STILL_S) -> Diagnosis:
    """Look at the database of the settings, else at the embedded one, which is started for this where it is stopped."""
    not_seen: list[str] = [*_UNSEEN]
    if settings.witness is None:
        not_seen.append(f"whether the database went back as a whole: {PREFIX}WITNESS is not set")
    if settings.database_url is not None:
        not_seen.insert(0, "the disk of the database's server")
        return Diagnosis(findings=_all(settings, settings.database_url, still_s), not_seen=not_seen)
    data = data_directory(settings)
    if not (data / "pg").is_dir():
        return _nothing(f"there is no embedded database in {data}", "name one by --data or --database-url", not_seen)
    embedded = EmbeddedPostgres(data, report=say)
    try:
        with embedded.at_hand() as url:
            return Diagnosis(findings=[*_disk(data), *_all(settings, url, still_s)], not_seen=not_seen)
    except EmbeddedPostgresError as error:
        return _nothing(str(error), "see the server's log in the data directory", not_seen)


def _nothing(says: str, do: str, not_seen: list[str]) -> Diagnosis:
    return Diagnosis(findings=[Finding(check="server", verdict="unknown", says=says, do=do)], not_seen=not_seen)


def _all(settings: Settings, url: str, still_s: float) -> list[Finding]:
    return asyncio.run(_examine(settings, url, still_s))


async def _examine(settings: Settings, url: str, still_s: float) -> list[Finding]:
    findings = await _told("server", _server(url, settings.workers))
    if any(finding.verdict == "unknown" for finding in findings):
        return findings  # all others would say the same
    findings += await _told("schema", _schema(url))
    try:
        async with open_database(url) as database:
            findings += await _told("row security", _catalogue(database))
            findings += await _told("clocks", _clocks(database))
            logs = await logs_of(database, origin=settings.log_origin, master=NoMasterKey()).all()
            findings += await _told("master key", _master_key(database, settings))
            findings += await _told("log keys", _log_keys(database, logs))
            if settings.witness is not None:
                findings += await _told("witness", _witness(database, settings.witness))
            lags = Lags(database, PROJECTIONS, bridged=bool(settings.nats_url))
            findings += await _told("followers", _followers(lags, logs, still_s))
    except _FAILURES as error:
        findings.append(_unknown("tables", error))
    return findings


async def _told(check: str, found: AsyncIterator[Finding]) -> list[Finding]:
    """Return what a check finds; where it cannot look, that."""
    findings: list[Finding] = []
    try:
        findings += [finding async for finding in found]
    except _FAILURES as error:
        findings.append(_unknown(check, error))
    return findings


def _unknown(check: str, error: Exception) -> Finding:
    do = "see that the database answers and that the passfile names all four roles"
    return Finding(check=check, verdict="unknown", says=str(error) or repr(error), do=do)


def _fault(check: str, told: str) -> Finding:
    """Return a fault that is told with its remedy after a colon, as those of the start are."""
    says, _, do = told.rpartition(": ")
    return Finding(check=check, verdict="fault", says=says or told, do=do)


def _fine(check: str, says: str) -> Finding:
    return Finding(check=check, verdict="fine", says=says)


async def _server(url: str, workers: int) -> AsyncIterator[Finding]:
    faults: list[str] = []
    version = ""
    for role in (*SERVING_ROLES, MIGRATE_ROLE):
        try:
            facts = await facts_as(url, role)
        except ServerRefusedError as error:
            faults.append(str(error))
            continue
        version = facts.version_text
        if role == MIGRATE_ROLE:  # it must be a member of the owner, and nothing else
            facts = replace(facts, memberships=facts.memberships - 1)
        faults += [fault for fault in (*faults_of(facts, workers=workers), *warnings_of(facts)) if fault not in faults]
    for fault in faults:
        yield _fault("server", fault)
    if not faults:
        yield _fine("server", f"PostgreSQL {version}: commits are durable, roles have their own rights only")


async def _schema(url: str) -> AsyncIterator[Finding]:
    try:
        standing = await standing_of(url)
    except MigrationError as error:
        yield _fault("schema", str(error))
        return
    if standing.pending:
        yield _fault("schema", f"{', '.join(standing.pending)} not applied: run emulation-saas migrate")
    elif standing.unknown:
        yield _fault("schema", f"{', '.join(standing.unknown)} of a later release: run that release")
    else:
        yield _fine("schema", "it is that of this release")


async def _catalogue(database: Database) -> AsyncIterator[Finding]:
    async with database.app.acquire() as connection:
        faults = await catalogue_faults(connection)
    for fault in faults:
        yield _fault("row security", fault)
    if not faults:
        yield _fine("row security", "it is forced on every table, and no fact can be changed")


async def _clocks(database: Database) -> AsyncIterator[Finding]:
    before = utc_now()
    row = await database.app.fetchrow(STATEMENTS["clock_and_size"])
    if row is None:  # pragma: no cover - it always has a row
        return
    apart: timedelta = abs(row["clock"] - (before + (utc_now() - before) / 2))
    told = f"this machine's is {apart.total_seconds():.3f} s from the database's"
    if apart > _CLOCKS_WARN:
        yield _fault("clocks", f"{told}, and at 2 s nothing is recorded any more: have both synchronised")
    else:
        yield _fine("clocks", told)
    yield _fine("size", f"the database takes {row['size_bytes'] / 1e9:.2f} GB")


async def _master_key(database: Database, settings: Settings) -> AsyncIterator[Finding]:
    try:
        await demand_master_key(database, read_master_key(master_key_path(settings)))
    except (MasterKeyError, KeyExposedError) as error:
        do = "put the right file back, mode 0600, from the copy that is kept apart; see deploy/README.md"
        yield Finding(check="master key", verdict="fault", says=str(error), do=do)
        return
    yield _fine("master key", "it opens the keys of all provinces")


async def _log_keys(database: Database, logs: Iterable[ProvinceLog]) -> AsyncIterator[Finding]:
    faults = [f"{log.handle}: {fault}" for log in logs for fault in await signing_faults(database, log)]
    for fault in faults:
        yield _fault("log keys", fault)
    if not faults:
        yield _fine("log keys", "each log's key is here, and no log stands behind what was signed of it")


async def _witness(database: Database, directory: Path) -> AsyncIterator[Finding]:
    """What was signed as the database has it goes back with the database; this does not. `serve` demands the same."""
    try:
        lines = await behind(database, Witness(directory))
    except OSError as error:
        do = f"let {PREFIX}WITNESS name the directory; where a witness is to begin, make it"
        yield Finding(check="witness", verdict="unknown", says=str(error), do=do)
        return
    except ValueError as error:
        do = "set it aside: what it saw signed can no longer be demanded"
        yield Finding(check="witness", verdict="fault", says=str(error), do=do)
        return
    for line in lines:
        do = "do not start the service: the database is from before what was signed, see deploy/runbooks/restore.md"
        yield Finding(check="witness", verdict="fault", says=line, do=do)
    if not lines:
        yield _fine("witness", "no log stands behind what was seen signed of it")


async def _followers(lags: Lags, logs: list[ProvinceLog], still_s: float) -> AsyncIterator[Finding]:
    before = await _waiting(lags, logs)
    if any(follower.lag for follower in before.values()):
        await asyncio.sleep(still_s)
    after = await _waiting(lags, logs) if before else {}
    still: defaultdict[tuple[str, str], list[Follower]] = defaultdict(list)
    for (province, kind, name), follower in after.items():
        earlier = before.get((province, kind, name))
        if follower.lag and earlier is not None and earlier.lag and follower.position == earlier.position:
            still[province, kind].append(follower)
    for (province, kind), followers in still.items():
        do = "start the service" if kind == "projection" else "see GET …/lag, and whether its receiver takes anything"
        names, lag = ", ".join(each.name for each in followers), max(each.lag for each in followers)
        says = f"{province}: {kind}s stand still, up to {lag} events behind: {names}"
        yield Finding(check="followers", verdict="fault", says=says, do=do)
    stopped = {whose: follower for whose, follower in after.items() if follower.quarantined}
    for (province, _, name), follower in stopped.items():
        says = f"{follower.quarantined} documents of {name} of {province} stand still: an event cannot be folded"
        do = f"find it in the logs, then run emulation-saas rebuild {province} {name}"
        yield Finding(check="followers", verdict="fault", says=says, do=do)
    if not still and not stopped:
        yield _fine("followers", "documents and deliveries follow their logs")


async def _waiting(lags: Lags, logs: list[ProvinceLog]) -> dict[tuple[str, str, str], Follower]:
    """Return who is behind or has documents that stand still; who reads at his own pace is no concern of ours."""
    return {
        (log.handle, each.kind, each.name): each
        for log in logs
        for each in (await lags.of(log.province)).followers
        if each.kind != "consumer" and (each.lag or each.quarantined)
    }


def _disk(data: Path) -> Iterator[Finding]:
    usage = shutil.disk_usage(data)
    told = f"{usage.free / 1e9:.1f} GB of {usage.total / 1e9:.1f} GB are free where the database lies"
    if usage.free < usage.total * DISK_FREE_MIN:
        yield _fault("disk", f"{told}: make room; a full disk stops every province")
    else:
        yield _fine("disk", told)
