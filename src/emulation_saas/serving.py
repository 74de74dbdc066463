"""The service on one machine: the supervisor with its database, checked and migrated, and the workers' environment."""

import asyncio
import atexit
import os
import shutil
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Final

import msgspec

from emulation_saas.audit.witness import BehindWitnessError, Witness, behind
from emulation_saas.backups.source import APPLICATION
from emulation_saas.http.local_issuer import AUDIENCE, ISSUER, LocalIssuer
from emulation_saas.log.keyring import demand_master_key, province_keys
from emulation_saas.log.master_key import MasterKeyError, make_master_key, read_master_key
from emulation_saas.operating.counting import FOLDER_VARIABLE
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres, default_data_directory
from emulation_saas.postgres.migrating import migrate
from emulation_saas.postgres.server import check_server
from emulation_saas.settings import PREFIX, Issuer, Operator, Settings, traces_of
from emulation_saas.supervising import Supervisor

if TYPE_CHECKING:
    from emulation_saas.http.tracing import Tracing

LOCAL_OPERATOR: Final = "operator"
"""The subject of the local issuer that may open provinces, in the embedded mode only."""
MASTER_KEY: Final = "master.key"
"""The master key's file in the data directory."""
_PASSED_ON: Final = ("PATH", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "PYTHONPATH", "COVERAGE_PROCESS_START")
_IN_MEMORY: Final = "/dev/shm"  # noqa: S108 - only a directory of our own in it
_OF_SHARES: Final = ("requests_per_person", "requests_per_province", "events_per_province")
_OF_NATS: Final = ("nats_url", "nats_credentials", "nats_ca", "nats_prefix", "nats_events")


def data_directory(settings: Settings) -> Path:
    """Return where the embedded database and the local issuer live."""
    return (settings.data or default_data_directory()).absolute()


def supervisor_of(settings: Settings, *, report: Callable[[str], None], worker_log: Path | None = None) -> Supervisor:
    """Return the service as the settings describe it, not started yet.

    Args:
        settings: what the operator set; without a database URL the embedded database is used.
        report: told one line of text for each thing worth knowing.
        worker_log: where the workers' logs go; None: where ours go.
    """
    database = embedded_database(settings, report) if settings.database_url is None else None

    def environment() -> Mapping[str, str]:
        url = database.url if database is not None else settings.database_url or ""
        asyncio.run(prepare(url, report, workers=settings.workers, alone=database is not None))
        asyncio.run(settle_master_key(settings, url))
        asyncio.run(demand_witnessed(settings, url))
        if database is not None:
            report(f"database: {url}")  # for --database-url of the other commands; it holds no secret
        return worker_environment(settings, url=url, local=database is not None) | {FOLDER_VARIABLE: _figures()}

    return Supervisor(
        database=database,
        worker=[sys.executable, "-m", "emulation_saas", "worker"],
        workers=settings.workers,
        host=settings.host,
        port=settings.port,
        env=environment,
        report=report,
        worker_log=worker_log,
    )


def embedded_database(settings: Settings, report: Callable[[str], None]) -> EmbeddedPostgres:
    """Return the embedded database as the service runs it."""
    standby = {"synchronous_standby_names": APPLICATION} if settings.synchronous else {}
    return EmbeddedPostgres(data_directory(settings), settings=standby, report=report)


def _figures() -> str:
    """Make the directory of the workers' figures; in memory where it can be, as they are written with each batch."""
    folder = mkdtemp(prefix="emulation-figures-", dir=_IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def database_url_of(settings: Settings, *, report: Callable[[str], None]) -> Generator[str]:
    """Lend the database of a service that is stopped: the one named, or the embedded one, started for this.

    Raises:
        EmbeddedPostgresError: it cannot run, or the service runs.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    database = EmbeddedPostgres(data_directory(settings), report=report)
    database.start()
    try:
        yield database.url
    finally:
        database.stop()


async def prepare(
    url: str, report: Callable[[str], None], *, workers: int = 1, alone: bool = False, citus: bool = False
) -> list[str]:
    """Check the server, bring the schema up to date, and return what was applied.

    Args:
        url: the base URL, without a user.
        report: told what is done, and what should be changed.
        workers: how many processes are to serve requests.
        alone: no process of the release before runs any more (as with the embedded database, which we have started).
        citus: spread the tables over the nodes of a Citus cluster.

    Raises:
        ServerRefusedError: the service must not run on this server.
        MigrationError: the schema cannot be brought up to date.
    """
    for warning in await check_server(url, workers=workers):
        report(f"warning: {warning}")
    return await migrate(url, report, alone=alone, citus=citus)


def master_key_path(settings: Settings) -> Path:
    """Return where the master key lies: as the settings say, else in the data directory."""
    return (settings.master_key or data_directory(settings) / MASTER_KEY).absolute()


async def settle_master_key(settings: Settings, url: str) -> None:
    """See to it that there is a master key and that it is the one of this database; made for a new embedded one.

    Raises:
        MasterKeyError: it is not named, gone, malformed, or another one wrapped the keys in this database.
        KeyExposedError: others may read it.
    """
    if settings.master_key is None and settings.database_url is not None:
        msg = (
            f"{PREFIX}MASTER_KEY must name the file of the master key, which wraps the keys of personal data. Make it "
            "once and keep a copy apart: (umask 077; head -c 32 /dev/urandom | base64 > FILE)"
        )
        raise MasterKeyError(msg)
    path = master_key_path(settings)
    async with open_database(url, app_max=1) as database:
        if settings.master_key is None and not path.exists():
            if await province_keys(database):
                msg = f"{path} is gone, and the keys of personal data in this database are wrapped by it: put it back"
                raise MasterKeyError(msg)
            make_master_key(path)
        await demand_master_key(database, read_master_key(path))


async def demand_witnessed(settings: Settings, url: str) -> None:
    """Demand that no log stands behind what was signed of it, as after a restore from too old a backup.

    Raises:
        BehindWitnessError: one does; or the witness cannot be asked.
    """
    if settings.witness is None:
        return
    try:
        async with open_database(url, app_max=1) as database:
            found = await behind(database, Witness(settings.witness))
    except (OSError, ValueError) as error:
        hint = "; where a witness is to begin, make its directory" if isinstance(error, FileNotFoundError) else ""
        raise BehindWitnessError(f"the witness {settings.witness} cannot be asked: {error}{hint}") from error
    if found:
        found.append("the database is from before what was signed: see deploy/runbooks/restore.md")
        raise BehindWitnessError("\n".join(found))


def tracings_of(environment: Mapping[str, str]) -> "list[Tracing]":
    """Return what traces requests, if the environment asks for it."""
    if not traces_of(environment):
        return []
    from emulation_saas.http.tracing import tracing_of  # noqa: PLC0415 - there with the extra `tracing` only

    return [tracing_of(environment)]


def worker_environment(settings: Settings, *, url: str, local: bool) -> dict[str, str]:
    """Return the whole environment of a worker.

    Args:
        settings: what the operator set.
        url: the database to use.
        local: whether the local issuer's tokens are taken too, as with the embedded database.
    """
    issuers, operators = list(settings.issuers), list(settings.operators)
    if local:
        issuer = LocalIssuer(data_directory(settings))
        issuers.append(Issuer(issuer=ISSUER, audience=AUDIENCE, jwks=str(issuer.jwks)))
        operators.append(Operator(issuer=ISSUER, sub=LOCAL_OPERATOR))
    passed_on = {name: os.environ[name] for name in os.environ if name in _PASSED_ON or name.startswith("OTEL_")}
    nats = {name: getattr(settings, name) for name in _OF_NATS}
    return passed_on | {
        **{f"{PREFIX}{name.upper()}": str(value) for name, value in nats.items() if value is not None},
        f"{PREFIX}DATABASE_URL": url,
        f"{PREFIX}ISSUERS": msgspec.json.encode(issuers).decode(),
        f"{PREFIX}OPERATORS": msgspec.json.encode(operators).decode(),
        f"{PREFIX}LOG_ORIGIN": settings.log_origin,
        f"{PREFIX}MASTER_KEY": str(master_key_path(settings)),
        f"{PREFIX}WEBHOOK_NETWORKS": msgspec.json.encode(settings.webhook_networks).decode(),
        f"{PREFIX}WEBHOOK_PORTS": msgspec.json.encode(settings.webhook_ports).decode(),
        f"{PREFIX}WEBHOOK_CA": str(settings.webhook_ca or ""),
        f"{PREFIX}WITNESS": str(settings.witness or ""),
        **{f"{PREFIX}{name.upper()}": str(getattr(settings, name)) for name in _OF_SHARES},
    }
