"""Real logs for tests: all event types, the fold of authority, a database of one's own."""

import base64
import hashlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from msgspec import UNSET

from emulation_saas.agencies.use_cases import RegisterAgency
from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import OPERATOR, AgencyId, PersonId, mint_person
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Codec, MasterKey, ProvinceLog, ProvinceLogs, Registry
from emulation_saas.log.key_files import write_once
from emulation_saas.postgres.database import Database, open_database
from emulation_saas.provinces.use_cases import OpenProvince
from emulation_saas.wiring import AUTHORITY, EVENT_TYPES

ISSUER: Final = "https://issuer.test"
MASTER_KEY: Final = b"the master key of all the tests."
"""Of every test's database, whoever opens it."""


def keep_master_key(folder: Path) -> Path:
    """Write the tests' master key to a file for a service, if it is not there; return where."""
    path = folder / "master.key"
    write_once(path, base64.b64encode(MASTER_KEY))
    return path


@asynccontextmanager
async def running_logs(
    url: str, *, extra: tuple[type[Event], ...] = (), clock: Callable[[], datetime] = utc_now, app_max: int = 8
) -> AsyncGenerator[ProvinceLogs]:
    """Lend the logs of a database as one process of the service has them."""
    async with open_database(url, app_max=app_max) as database, logs_of(database, extra=extra, clock=clock) as logs:
        yield logs


@asynccontextmanager
async def logs_of(
    database: Database,
    *,
    extra: tuple[type[Event], ...] = (),
    clock: Callable[[], datetime] = utc_now,
    master: MasterKey | None = None,
) -> AsyncGenerator[ProvinceLogs]:
    """Lend the same on these connections."""
    logs = ProvinceLogs(
        database,
        Codec(Registry([*EVENT_TYPES, *extra])),
        AUTHORITY,
        origin="log.test",
        master=master or MasterKey(MASTER_KEY),
        clock=clock,
    )
    async with logs.running():
        yield logs


@dataclass(frozen=True)
class Opened:
    """An open province and its first administrator."""

    log: ProvinceLog
    admin: PersonId

    def acting(self, key: str | None = None, body: str = "") -> Acting:
        """Return the administrator, asking under an idempotency key."""
        return Acting(self.admin, key, hashlib.sha256(body.encode()).digest())


async def open_province(logs: ProvinceLogs, handle: str = "bac-song") -> Opened:
    """Open a province with one administrator, `sub` being `admin@{handle}`."""
    admin = mint_person()
    await logs.open(handle, opening(handle, admin), by=Acting(OPERATOR))
    log = await logs.find(handle)
    assert log is not None
    return Opened(log, admin)


def opening(handle: str, admin: PersonId) -> OpenProvince:
    """Return the opening of a province."""
    return OpenProvince(
        province=handle,
        name="Tỉnh Bắc Sông",
        kind="tinh",
        code="00",
        effective_on=date(2020, 1, 1),
        legal_basis="NQ 1",
        admin=admin,
        issuer=ISSUER,
        sub=f"admin@{handle}",
        admin_name="Nguyễn Thị Quản Trị",
    )


def register(agency: str) -> RegisterAgency:
    """Return the registration of an agency: a command that leads to one event."""
    return RegisterAgency(
        agency=AgencyId(agency), name=f"Sở {agency}", aliases=(), code=UNSET, effective_on=date(2020, 1, 1)
    )
