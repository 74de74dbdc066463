"""A province with events of every type in a real log, its signer, and the routes for callers of every role."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import httpx
from msgspec import UNSET

from emulation_saas.access.events import PersonRegistered, RoleGranted
from emulation_saas.audit.receipts import receipt
from emulation_saas.audit.signing import Signer
from emulation_saas.blocs.events import MemberAdmitted
from emulation_saas.http.application import create_app
from emulation_saas.http.keys import KeySource
from emulation_saas.http.shares import places_for_questions
from emulation_saas.http.tokens import TrustedIssuer, Verifier
from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import OPERATOR, PersonId
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import ProvinceLog, ProvinceLogs
from emulation_saas.log.events import LogKeyRotated, LogOpened
from emulation_saas.operating.lags import Lags
from emulation_saas.postgres.database import Database, open_database
from emulation_saas.privacy.access_log import AccessLog
from emulation_saas.projecting import Reader, document_routes
from emulation_saas.projecting.finding import Finder
from emulation_saas.projecting.supposing import Supposer
from emulation_saas.projecting.travel_routes import TRAVEL_ROUTES
from emulation_saas.provinces.routes import PLATFORM_ROUTES
from emulation_saas.settings import Operator, Settings
from emulation_saas.streams.consumers import Consumers
from emulation_saas.streams.subscribers import Subscribers
from emulation_saas.streams.tails import Tails
from emulation_saas.wiring import ROUTES, require_sound, webhooks_of
from projections import PROJECTIONS
from tests.builders import AGENCY, BLOC, SAMPLES
from tests.database import superuser
from tests.http.notebook import AUDIENCE, calling, jwks, token
from tests.logs import ISSUER, open_province, running_logs
from tests.projections.live import Tell

if TYPE_CHECKING:
    from emulation_saas.postgres.embedded import EmbeddedPostgres
    from tests.database import Connection

HERE: Final = "/v1/provinces/bac-song"
Role = Literal["province-admin", "auditor", "council-member", "integrator", "member-representative", "bloc-secretary"]
ROLES: Final[tuple[Role, ...]] = (
    "province-admin",
    "auditor",
    "council-member",
    "integrator",
    "member-representative",
    "bloc-secretary",
)
OVERSEEING: Final = frozenset({"province-admin", "auditor", "council-member"})
_LETTERS: Final = "abcdefghijklmnop"


@dataclass(frozen=True)
class Service:
    """One process of the service, and its province."""

    logs: ProvinceLogs
    log: ProvinceLog
    database: Database
    signer: Signer
    subscribers: Subscribers
    tails: Tails
    client: httpx.AsyncClient
    """Calls as the province's first administrator."""

    def by(self, role: str) -> dict[str, str]:
        """Return the header of a caller who has one role."""
        return {"authorization": f"Bearer {token(role, iss=ISSUER)}"}

    async def tell(self, *events: Event) -> int:
        """Record events; return the last position."""
        return (await self.log.execute(Tell(events), by=Acting(OPERATOR))).position

    async def get(self, path: str, role: str | None = None, **parameters: Any) -> httpx.Response:  # noqa: ANN401 - query values
        """Ask for something of the province."""
        headers = {} if role is None else self.by(role)
        return await self.client.get(f"{HERE}{path}", params=parameters, headers=headers)


@asynccontextmanager
async def serving(
    url: str, folder: Path, *, clock: Callable[[], datetime] = utc_now, filled: bool = True
) -> AsyncGenerator[Service]:
    """Lend a service; `filled`: with an event of every type and a person for every role."""
    async with open_database(url) as database, running_logs(url, clock=clock) as logs:
        log = await logs.find("bac-song") or (await open_province(logs)).log
        signer, access_log = Signer(database), AccessLog(logs, database)
        tails, subscribers = Tails(), Subscribers()

        async def reachable() -> None:
            return None

        finder = Finder(database, PROJECTIONS)
        settings = Settings(operators=(Operator(issuer=ISSUER, sub="operator"),))
        app = create_app(
            routes=ROUTES,
            platform_routes=PLATFORM_ROUTES,
            documents=[*document_routes(PROJECTIONS), *TRAVEL_ROUTES],
            logs=logs,
            verifier=Verifier([TrustedIssuer(issuer=ISSUER, audience=AUDIENCE, keys=KeySource(jwks(folder)))]),
            given={
                "signer": signer,
                "access_log": access_log,
                "reader": Reader(database, PROJECTIONS),
                "finder": finder,
                "questions": places_for_questions(),
                "supposer": Supposer(finder, require_sound),
                "consumers": Consumers(database),
                "tails": tails,
                "subscribers": subscribers,
                "lags": Lags(database, PROJECTIONS),
                "webhooks": webhooks_of(settings, database),
            },
            stops=[tails.stop],
            recorder=access_log.record,
            settings=settings,
            reachable=reachable,
            receipt=partial(receipt, signer),
        )
        async with calling(app, None) as client:
            client.headers["authorization"] = f"Bearer {token('admin@bac-song', iss=ISSUER)}"
            service = Service(logs, log, database, signer, subscribers, tails, client)
            if filled:
                await service.tell(*_of_every_type())
            try:
                yield service
            finally:
                await tails.close()


_NOT_TOLD: Final = {LogOpened, LogKeyRotated}


def _of_every_type() -> list[Event]:
    told = [sample for kind, sample in SAMPLES.items() if kind not in _NOT_TOLD and kind.becomes is None]
    told.append(MemberAdmitted(bloc=BLOC, agency=AGENCY, effective_on=date(2026, 1, 1), legal_basis="QĐ 1"))
    for number, role in enumerate(ROLES):
        person = PersonId(f"p-{_LETTERS[number] * 10}")
        told.append(PersonRegistered(person=person, issuer=ISSUER, sub=role, name=f"Người {number}"))
        agency = AGENCY if role == "member-representative" else UNSET
        bloc = BLOC if role == "bloc-secretary" else UNSET
        told.append(RoleGranted(person=person, role=role, agency=agency, bloc=bloc))
    return told


@asynccontextmanager
async def operator_with_all_rights(server: "EmbeddedPostgres", url: str) -> "AsyncGenerator[Connection]":
    """Lend the connection of somebody who can change anything in a database."""
    async with superuser(server, url.partition("?")[0].rpartition("/")[2]) as connection:
        yield connection
